"""Connect to Xero: consent, matching, deletion, in front of a sandbox that asks as Xero does."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.consenting import Consenting
from xero.api.errors import ConsentFailed, Misconfigured
from xero.qicworks import database
from xero.sync.connect import consent

REVOCATION = ("POST", "/connect/revocation")
LONG_AGO = (
    "UPDATE xero_sync.connection_event SET started_at = started_at - interval '2 hours' WHERE connection_id IS NULL"
)


def test_two_organisations_from_consent_to_the_last_one_s_deletion(
    consenting: Consenting, subtests: pytest.Subtests
) -> None:
    world = consenting
    first, second, _ = world.names()
    with subtests.test("the state of a consent is kept as its hash, for ten minutes"):
        url = world.begin()
        [state] = parse_qs(urlsplit(url).query)["state"]
        assert requests.get(url, timeout=10).status_code == 200
        [kept] = world.query("SELECT o::text AS line, o.* FROM xero_sync.oauth_state AS o")
        assert state not in kept["line"]
        assert 599 < (kept["expires_at"] - kept["created_at"]).total_seconds() < 601

    with subtests.test("what a consent grants is offered, and the namesake in QicWorks with it"):
        own = world.organisation(first)
        answer = world.answer(0, 1)
        token_id = world.finish(**answer)
        assert (world.token(token_id)["xero_user_id"], world.token(token_id)["state"]) == ("user", "ok")
        found = world.granted(token_id)
        assert {one.name: (one.organisation, one.because) for one in found.values()} == {
            first: (first, "name"),
            second: (None, None),
        }

    with subtests.test("a second click changes nothing"):
        for _ in range(2):
            matched = world.match(token_id, {0: own, 1: "new"})
            assert [one.trouble for one in matched] == [None, None]
            assert len(world.query("SELECT id FROM xero_sync.connection")) == 2
        assert [str(one) for one in matched] == [
            f"{first}: connected, matched to QicWorks organisation '{first}'",
            f"{second}: connected, matched to QicWorks organisation '{second}'",
        ]

    with subtests.test("what is matched is taken, is pulled, and is told with who did it"):
        with database.session(world.engine) as session:
            taken = {one.name: one.taken_by for one in consent.choices(session)}
        assert taken == {first: first, second: second}
        for number in (0, 1):
            assert world.pull("contacts", number).status == "success"
            assert world.live_at(number).time_zone
        said = [row["message"] for row in world.query("SELECT message FROM xero_sync.connection_event ORDER BY id")]
        assert "authorised by Kim" in said
        assert f"{second}: made and matched to '{second}', by Kim" in said

    with subtests.test("one of the two is deleted, at Xero too, and the other goes on"):
        ids = [world.live_at(number).id for number in (0, 1)]
        world.asked()
        told = world.disconnect(ids[0])
        assert told[0] == f"{first} was disconnected at Xero"
        [_, (method, path)] = world.asked()
        assert (method, path.rpartition("/")[0]) == ("DELETE", "/connections")
        assert world.event()["message"] == f"deleted by Kim; {first} was disconnected at Xero"
        assert world.disconnect(ids[0]) == [f"{first} is already deleted"]
        assert world.asked() == []
        assert world.pull("contacts", 1).status == "success"
        assert list(world.granted(token_id)) == [world.sandbox.tenant(1)]

    with subtests.test("connected again it goes on with its history"):
        again = world.consent(0)
        assert world.granted(again)[world.sandbox.tenant(0)].because == "before"
        world.match(again, {0: own, 1: None})
        assert (world.live_at(0).id, world.live_at(0).token_id) == (ids[0], again)
        assert (world.live_at(1).token_id, world.token(token_id)["state"]) == (token_id, "ok")
        assert world.pull("contacts", 0).counts.inserted == 0

    with subtests.test("the other keeps its authorisation until it is saved, too"):
        world.match(again, {0: own, 1: world.live_at(1).organisation_id})
        assert (world.live_at(1).id, world.live_at(1).token_id) == (ids[1], again)
        wiped = world.token(token_id)
        assert (bytes(wiped["secret"]), wiped["state"], wiped["broken_reason"]) == (
            b"", "broken", "replaced by a newer authorisation",
        )  # fmt: skip
        assert REVOCATION not in world.asked()

    with subtests.test("the last one that is deleted ends the authorisation"):
        for number in (0, 1):
            assert world.pull("contacts", number).status == "success"
        world.disconnect(ids[1])
        assert REVOCATION not in world.asked()
        assert world.disconnect(ids[0])[-1] == "the authorisation was revoked: no connection used it any longer"
        assert REVOCATION in world.asked()
        assert (world.live(), bytes(world.token(again)["secret"])) == ({}, b"")
        assert world.sandbox.control("GET", "connections").get("user", []) == []


def test_what_comes_back_wrong_is_refused_and_told(consenting: Consenting) -> None:
    world = consenting

    def refused(says: str, status: str, answer: dict[str, str], user_id: str = "7") -> None:
        world.user_id = user_id
        world.query(LONG_AGO)
        with pytest.raises(ConsentFailed, match=says) as caught:
            world.come_back(**answer)
        world.user_id = "7"
        event = world.event()
        assert (event["direction"], event["status"], event["connection_id"]) == ("connect", status, None)
        assert (event["message"], event["correction"]) == (caught.value.message, caught.value.correction)
        assert "Begin again with Connect to Xero" in event["correction"]

    refused("not started from here", "warning", {"state": "made up", "code": "any"})
    good = world.answer(0)
    refused("another user", "warning", good, user_id="8")
    token_id = world.finish(**good)  # that somebody else tried it did not burn it
    refused("already completed", "warning", good)

    slow = world.answer(0)
    world.query("UPDATE xero_sync.oauth_state SET expires_at = now() - interval '1 second' WHERE used_at IS NULL")
    refused("longer than ten minutes", "warning", slow)
    late = world.answer(0)
    world.sandbox.control("PUT", "clock", {"offset_seconds": 301})
    refused("sign-in code was already used", "error", late)
    refused("already completed", "warning", late)
    world.sandbox.control("PUT", "clock", {"offset_seconds": 0})
    down = world.answer(0)
    world.fault(path="/connect/token", kind="503")
    refused("not available", "error", down)

    denied = world.answer(0, decision="deny")
    assert set(denied) == {"error", "state"}
    refused("Access was not allowed", "warning", denied)
    refused("already completed", "warning", denied)
    odd = {**world.answer(0), "error": "invalid_scope", "description": "no such scope"}
    refused("invalid_scope: no such scope", "error", odd)

    # Taken out in Xero before they are matched, none is granted.
    empty = world.consent(0)
    world.disconnect_all_at_xero()
    assert world.granted(empty) == {}

    assert len(world.query("SELECT id FROM xero_sync.token WHERE state = 'ok'")) == 2
    assert world.token(token_id)["state"] == "ok"
    dump = str(world.query("SELECT e::text AS line FROM xero_sync.connection_event AS e"))
    for answer in (good, slow, late, down, denied, odd):
        for secret in {"state", "code"} & answer.keys():
            assert answer[secret] not in dump
    world.query("UPDATE xero_sync.oauth_state SET created_at = now() - interval '2 days'")
    world.begin()
    assert len(world.query("SELECT 1 FROM xero_sync.oauth_state")) == 1


def test_made_up_answers_do_not_fill_the_events(consenting: Consenting) -> None:
    """Whoever gets an editor to open an address sends as many as they like. Each reason is told, once an hour."""
    world = consenting
    told = "SELECT message, count(*) AS count FROM xero_sync.connection_event WHERE connection_id IS NULL GROUP BY 1"
    before = len(world.query(told))
    good = world.answer(0)
    world.finish(**good)
    world.query(LONG_AGO)
    for number in range(20):
        for answer in ({"state": f"made up {number}", "code": "any"}, good, {"state": "", "error": "access_denied"}):
            with pytest.raises(ConsentFailed):
                world.come_back(**answer)
    lately = {row["message"]: row["count"] for row in world.query(told)}
    assert len(lately) == before + 3
    assert lately["This sign-in was not started from here."] == 1
    assert lately["This sign-in was already completed."] == 1
    world.query(LONG_AGO)
    with pytest.raises(ConsentFailed):
        world.come_back(state="made up", code="any")
    assert "not started from here" in world.event()["message"], "told again"
    world.consent(1)
    assert "authorised by" in world.event()["message"], "and who was asked gets through"


def test_nobody_is_sent_to_xero_for_what_could_not_be_kept(consenting: Consenting) -> None:
    world = consenting
    app = world.app()
    for changes, says in (
        ({"token_keys": ()}, "token_keys"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"scopes": ("accounting.contacts",)}, "offline_access"),
        ({"grant_type": "client_credentials"}, "no user signs in"),
    ):
        with pytest.raises(Misconfigured, match=says):
            consent.begin(world.engine, replace(app, **changes), "xero_default", "7")
    assert world.query("SELECT 1 FROM xero_sync.oauth_state") == []
