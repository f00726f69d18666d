"""Deleting, switching off, and what lies idle: what is ended at Xero, and what must not be."""

import threading
from dataclasses import replace

import pytest

from tests.support.consenting import APP, Consenting
from xero.api.errors import RetryLater, XeroError
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.connect import switches
from xero.qicworks.runs.events import Origin
from xero.sync.connect import consent
from xero.sync.connect.disconnect import BY_HAND, discard
from xero.sync.connect.renew_idle import renew_idle_tokens
from xero.sync.runs.participants import select_connections

REVOCATION = ("POST", "/connect/revocation")
REVOKED = "the authorisation was revoked: no connection used it any longer"


def revoked(world: Consenting) -> bool:
    return REVOCATION in world.asked()


def test_one_user_s_other_authorisation_is_not_ended_with_the_first(consenting: Consenting) -> None:
    """Revoking drops whatever the user connected to the app, under whichever authorisation."""
    world = consenting
    first = world.connected(0)
    second = world.connected(1)
    one, other = world.live_at(0), world.live_at(1)
    assert (one.token_id, other.token_id) == (first, second)
    world.disconnect(one.id)
    assert not revoked(world)
    assert bytes(world.token(first)["secret"]) == b"", "no connection uses it, so it is kept no longer"
    assert world.pull("contacts", 1).status == "success"

    # Of a user who is not known it may be any; of another user it is not.
    for user_id, ended in ((None, False), ("another", True)):
        again = world.connected(0)
        world.query("UPDATE xero_sync.token SET xero_user_id = %s WHERE id = %s", user_id, second)
        world.disconnect(world.live_at(0).id)
        assert (revoked(world), world.token(again)["state"]) == (ended, "broken")

    # Nor what was granted a moment ago, and is about to be matched.
    world.query("UPDATE xero_sync.token SET xero_user_id = 'user' WHERE id = %s", second)
    waiting = world.consent(0, 1)
    world.match(waiting, {1: other.organisation_id})
    apart = world.consent(0, 1)
    assert world.live_at(1).token_id == waiting
    world.disconnect(other.id)
    assert not revoked(world)
    assert [one.trouble for one in world.match(apart, {0: one.organisation_id})] == [None]


def test_a_connection_is_deleted_whatever_xero_says(consenting: Consenting) -> None:
    world = consenting
    world.connected(0, 1, 2)
    at = [world.live_at(number) for number in range(3)]

    # Its id at Xero is not known: Xero is asked for it.
    world.query("UPDATE xero_sync.connection SET xero_connection_id = NULL")
    world.asked()
    world.disconnect(at[0].id)
    assert [method for method, _ in world.asked()] == ["GET", "DELETE"]

    # Gone at Xero already.
    [gone] = [one for one in world.sandbox.control("GET", "connections")["user"] if one["tenantId"] == at[1].tenant_id]
    world.query("UPDATE xero_sync.connection SET xero_connection_id = %s WHERE id = %s", gone["id"], at[1].id)
    world.sandbox.control("DELETE", f"connections/{gone['id']}")
    assert world.disconnect(at[1].id)[0] == f"{at[1].tenant_name} had already been disconnected at Xero"

    # Xero is not available: nothing is deleted, since nobody could do it later.
    world.fault(path="/connections", kind="503", times=None)
    with pytest.raises(RetryLater, match="is not deleted"):
        world.disconnect(at[2].id)
    assert world.live_at(2).id == at[2].id
    world.sandbox.control("DELETE", "faults")

    # It learns of the deletion, and not of the revocation.
    world.fault(path="/connect/revocation", kind="503", times=None)
    told = world.disconnect(at[2].id)
    assert (BY_HAND in told[0], BY_HAND in told[-1]) == (False, True)
    assert (world.event()["status"], world.event()["correction"]) == ("warning", BY_HAND)
    assert world.live() == {}
    assert world.token(at[2].token_id)["state"] == "ok", "so that it can be tried again"
    world.sandbox.control("DELETE", "faults")
    assert world.disconnect(at[2].id)[-1] == REVOKED
    with pytest.raises(LookupError, match="there is no connection"):
        world.disconnect(at[2].token_id)


def test_an_authorisation_that_nobody_matches_is_discarded(consenting: Consenting) -> None:
    world = consenting
    used, unused = world.connected(0), world.consent(1)
    with pytest.raises(LookupError, match="a connection uses"):
        discard(world.engine, world.app, used, "Kim")
    # Revoking it would drop the other one, which is the same user's.
    world.asked()
    assert "use the same sign-in" in discard(world.engine, world.app, unused, "Kim")[0]
    assert REVOCATION not in world.asked()
    assert (bytes(world.token(unused)["secret"]), world.token(unused)["state"]) == (b"", "broken")
    world.disconnect(world.live_at(0).id)
    world.query("UPDATE xero_sync.token SET created_at = created_at - interval '2 hours'")
    alone = world.consent(2)
    assert discard(world.engine, world.app, alone, "Kim")[0] == REVOKED
    assert REVOCATION in world.asked()


def test_a_broken_authorisation_keeps_no_connection(consenting: Consenting) -> None:
    world = consenting
    token_id = world.connected(0)
    world.query("UPDATE xero_sync.token SET state = 'broken', broken_reason = 'it was revoked' WHERE id = %s", token_id)
    world.asked()
    [said, _] = world.disconnect(world.live_at(0).id)
    assert "could not be disconnected at Xero: it was revoked" in said
    assert (world.asked(), world.live(), world.event()["status"]) == ([], {}, "warning")


def test_an_app_that_speaks_for_itself_is_matched_without_consent_and_never_revoked(consenting: Consenting) -> None:
    world = consenting
    plain = replace(world.app(), grant_type="client_credentials", scopes=("accounting.contacts", "accounting.settings"))
    world.app = lambda conn_id=APP: plain  # type: ignore[method-assign]
    token_id = consent.without_consent(world.engine, plain, APP)
    assert consent.without_consent(world.engine, plain, APP) == token_id
    assert world.token(token_id)["xero_user_id"] is None
    assert len(world.granted(token_id)) == 3
    world.match(token_id, {0: "new"})
    world.asked()
    world.disconnect(world.live_at(0).id)
    assert [method for method, _ in world.asked()] == ["GET", "DELETE"]
    assert world.token(token_id)["state"] == "ok"


@pytest.mark.parametrize("deleted", [True, False])
def test_a_pull_at_work_ends_and_brings_nothing_back(consenting: Consenting, deleted: bool) -> None:
    """Its connection is deleted, or switched off, while Xero has one of its calls."""
    world = consenting
    world.connected(0, 1)
    id = world.live_at(0).id
    outcome: list[object] = []

    def pull() -> None:
        try:
            outcome.append(world.pull("contacts", 0).status)
        except XeroError as error:
            outcome.append(error)

    world.sandbox.settings(max_page_size=20)
    puller = threading.Thread(target=pull)
    with world.sandbox.hold("Contacts") as wait_until_held, database.session(world.engine) as session:
        puller.start()
        wait_until_held()
        if deleted:
            world.disconnect(id)
        else:
            assert switches.switch(session, world.app(), id, False, "Kim").endswith("switched off")
    puller.join()
    [row] = world.query("SELECT state, enabled FROM xero_sync.connection WHERE id = %s", id)
    assert row == ({"state": "deleted", "enabled": True} if deleted else {"state": "connected", "enabled": False})
    [event] = world.query("SELECT * FROM xero_sync.connection_event WHERE direction = 'pull'")
    assert event["ended_at"]
    assert (event["status"], outcome == ["success"]) == (("error", False) if deleted else ("success", True))


def test_switched_off_and_on_again(consenting: Consenting) -> None:
    world = consenting
    world.connected(0)
    one, app = world.live_at(0), world.app()
    with database.session(world.engine) as session:
        for enabled, how in ((False, "off"), (True, "on")):
            said = f"{one.organisation} is switched {how}"
            assert switches.switch(session, app, one.id, enabled, "Kim") == said
            assert world.event()["message"] == f"switched {how} by Kim"
            number = world.event()["id"]
            assert switches.switch(session, app, one.id, enabled, "Kim") == f"{said} already"
            assert world.event()["id"] == number
            if not enabled:
                [left_out] = select_connections(world.engine, DATASETS["contacts"])[1]
                assert str(left_out) == f"{one.organisation}: switched off"
        world.disconnect(one.id)
        with pytest.raises(LookupError, match="deleted"):
            switches.switch(session, world.app(), one.id, True, "Kim")


def test_what_lies_idle_is_renewed_before_xero_forgets_it(consenting: Consenting) -> None:
    world = consenting
    used, idle, lost = world.connected(0), world.connected(1), world.connected(2)
    unmatched = world.consent(0)
    world.query("UPDATE xero_sync.token SET renewed_at = now() - interval '31 days' WHERE id <> %s", used)
    before = {id: bytes(world.token(id)["secret"]) for id in (used, idle, unmatched)}
    world.query("UPDATE xero_sync.token SET airflow_conn_id = 'gone' WHERE id = %s", lost)

    def app_of(conn_id: str) -> object:
        if conn_id == "gone":
            raise LookupError("there is no Airflow connection 'gone'")
        return world.app()

    renewed, troubles = renew_idle_tokens(world.engine, app_of, Origin())  # type: ignore[arg-type]
    assert (renewed, len(troubles)) == (1, 1)
    assert "no Airflow connection 'gone'" in world.event()["message"]
    assert {id for id, secret in before.items() if bytes(world.token(id)["secret"]) != secret} == {idle}
    assert renew_idle_tokens(world.engine, app_of, Origin())[0] == 0  # type: ignore[arg-type]
    assert world.pull("contacts", 1).status == "success"
