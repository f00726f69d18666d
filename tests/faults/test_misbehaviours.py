"""What the sandbox does wrong for the fault run, beside what tests/sandbox knows."""

import pytest
import requests

from tests.support.consenting import Consenting
from tests.support.world import World
from xero.api.errors import ReconnectNeeded
from xero.sync.connect.token_store import DatabaseTokens


def test_a_share_of_the_calls_goes_wrong_until_that_trouble_is_over(world: World) -> None:
    sandbox = world.sandbox
    world.fault(kind="503", name="outage", every=3, times=None)
    world.fault(kind="429", name="limits", path="Contacts", times=None)
    assert [sandbox.get("Organisation").status_code for _ in range(6)] == [200, 200, 503, 200, 200, 503]
    sandbox.control("DELETE", "faults", {"name": "outage"})
    assert [one["name"] for one in sandbox.control("GET", "faults")] == ["limits"]
    sandbox.control("DELETE", "faults")
    assert sandbox.control("GET", "faults") == []


def test_half_of_what_was_compressed_is_not_taken_for_an_answer(world: World) -> None:
    world.fault(kind="half_gzip", path="Accounts")
    answer = requests.get(
        f"{world.sandbox.url}/api.xro/2.0/Accounts",
        headers={"Authorization": f"Bearer {world.sandbox.token}", "xero-tenant-id": world.sandbox.tenant()},
        stream=True,
        timeout=10,
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    half = answer.raw.read(decode_content=False)
    assert len(half) == int(answer.headers["Content-Length"]) > 100
    world.fault(kind="half_gzip", path="Accounts")
    outcome = world.pull("chart_of_accounts")
    assert (outcome.status, outcome.counts.calls) == ("success", 2)
    assert len(world.rows("account")) == len(world.sandbox.truth("Accounts"))


def test_a_clock_is_put_right_and_what_is_kept_stays_as_old_as_it_is(consenting: Consenting) -> None:
    consenting.sandbox.settings(refresh_grace_seconds=60, refresh_idle_seconds=300)
    store = DatabaseTokens(consenting.engine, consenting.connected(0), consenting.app())
    token = store.get()
    before = consenting.sandbox.control("GET", "clock")["offset_seconds"]
    consenting.sandbox.control("PUT", "clock", {"ahead_by": 600})
    assert consenting.sandbox.control("GET", "clock")["offset_seconds"] == pytest.approx(before + 600)
    assert store.renew(token).access_token != token.access_token, "the refresh token has grown old"


def test_the_app_is_taken_away(consenting: Consenting) -> None:
    store = DatabaseTokens(consenting.engine, consenting.connected(0, 1), consenting.app())
    token = store.get()
    assert token.refresh_token in consenting.sandbox.control("GET", "tokens")["refresh_tokens"]
    assert consenting.sandbox.control("POST", "revoke") == {"grants": 1, "connections": 2}
    with pytest.raises(ReconnectNeeded):
        store.renew(token)
