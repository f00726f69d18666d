"""Two organisations in different troubles at the same time: each has its own, and a third has none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.support.consenting import Consenting
from tests.support.pushing import Books
from tests.support.troubles import BEYOND, DOCUMENTS
from xero.api.errors import ReconnectNeeded, RetryLater
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks.connect.tokens import vault
from xero.sync.connect.token_store import DatabaseTokens
from xero.sync.runs.outcome import Outcome, Skip
from xero.sync.runs.participants import select_connections, select_connections_to_push
from xero.sync.runs.sequentially import run_sequentially

OUTAGE, REVOKED, FINE = range(3)  # the organisations, by number

End = Outcome | Exception
Work = Callable[[int], Outcome]  # of an organisation
Hold = AbstractContextManager[Callable[..., None]]  # of a call of the one that is fine
Run = Callable[[Consenting, Work, Hold], list[End]]


@pytest.fixture
def world(consenting: Consenting) -> Consenting:
    """Three organisations, each with an authorisation of its own."""
    consenting.sandbox.settings(limits=False)
    for number in (OUTAGE, REVOKED, FINE):
        consenting.connected(number)
    return consenting


def one_after_the_other(world: Consenting, work: Work, hold: Hold) -> list[End]:
    """By one task, as organisations of a group have it."""
    ends: dict[int, End] = {}

    def attempt(member: Any, max_wait_seconds: float | None) -> dict[str, Any]:
        ends[member["number"]] = end = ended(work, member["number"])
        if isinstance(end, Exception):
            raise end
        return end.to_dict()

    names = enumerate(world.names())
    run_sequentially(
        [{"connection_id": name, "organisation": name, "number": number} for number, name in names], attempt, {}
    )
    return [ends[number] for number in sorted(ends)]


def at_once(world: Consenting, work: Work, hold: Hold) -> list[End]:
    """By tasks of their own: the one that is fine is in the middle of a call while the others get into trouble."""
    with ThreadPoolExecutor(3) as threads:
        with hold as wait_until_held:
            fine = threads.submit(ended, work, FINE)
            wait_until_held()
            others = list(threads.map(partial(ended, work), (OUTAGE, REVOKED)))
        return [*others, fine.result()]


def ended(work: Work, number: int) -> End:
    try:
        return work(number)
    except Exception as error:  # noqa: BLE001 - it is what the test looks at
        return error


RUNS = pytest.mark.parametrize("run", [one_after_the_other, at_once])


def revoke(world: Consenting, number: int) -> UUID:
    """Xero knows this organisation's refresh token no longer, and its access token has expired. The authorisation."""
    token_id = world.live_at(number).token_id
    token = DatabaseTokens(world.engine, token_id, world.app()).get()
    gone = replace(token, refresh_token="revoked", expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    secret = vault(world.app()).encrypt(msgspec.json.encode(gone))
    world.query("UPDATE xero_sync.token SET secret = %s WHERE id = %s", secret, token_id)
    return token_id


def events(world: Consenting, number: int, direction: str) -> list[dict[str, Any]]:
    """Of the organisation's runs."""
    return world.query(
        "SELECT * FROM xero_sync.connection_event WHERE connection_id = %s AND direction = %s AND document IS NULL"
        " ORDER BY id",
        *(world.live_at(number).id, direction),
    )


def assert_apart(world: Consenting, direction: str, ends: list[End], revoked: UUID) -> None:
    """Each organisation has its own result, event and correction, and its own authorisation's state."""
    outage, reconnect, fine = ends
    assert isinstance(outage, RetryLater), ends
    assert isinstance(reconnect, ReconnectNeeded), ends
    assert isinstance(fine, Outcome), ends
    reported = [
        {(row["status"], row["message"], row["correction"]) for row in events(world, number, direction)}
        for number in (OUTAGE, REVOKED, FINE)
    ]
    failed = [{("error", error.message, error.correction)} for error in (outage, reconnect)]
    assert reported == [*failed, {("success", fine.message, None)}]
    assert world.token(revoked)["broken_reason"] == reconnect.message
    states = [(one.state, one.authorisation) for number in range(3) for one in [world.live_at(number)]]
    assert states == [("connected", "ok"), ("connected", "broken"), ("connected", "ok")]


@RUNS
def test_pulls(world: Consenting, run: Run) -> None:
    world.fault(path="/Contacts", kind="503", tenant=world.sandbox.tenant(OUTAGE), times=None)
    revoked = revoke(world, REVOKED)
    hold = world.sandbox.hold("/Contacts", tenant=world.sandbox.tenant(FINE))
    ends = run(world, lambda number: world.pull("contacts", number), hold)
    assert_apart(world, "pull", ends, revoked)
    assert [len(world.rows("contact", number)) for number in (OUTAGE, REVOKED)] == [0, 0]

    world.sandbox.control("DELETE", "faults")
    taken, left_out = select_connections(world.engine, DATASETS["contacts"])
    assert [one["organisation"] for one in taken] == sorted(world.names()[number] for number in (OUTAGE, FINE))
    assert [reason.organisation for reason in left_out] == [world.names()[REVOKED]]
    assert world.pull("contacts", OUTAGE).status == "success"
    world.connected(REVOKED)
    assert world.pull("contacts", REVOKED).status == "success"
    for number in range(3):
        assert set(world.rows("contact", number)) == {
            one["ContactID"] for one in world.sandbox.truth("Contacts", number)
        }


@RUNS
def test_pushes(world: Consenting, run: Run) -> None:
    books = [Books(world, number) for number in range(3)]
    for side in books:
        for _ in range(3):
            side.add("invoices")
    world.fault(path=DOCUMENTS, method="PUT", kind="500", tenant=world.sandbox.tenant(OUTAGE), times=None)
    revoked = revoke(world, REVOKED)
    hold = world.sandbox.hold(DOCUMENTS, method="PUT", tenant=world.sandbox.tenant(FINE))
    ends = run(world, lambda number: books[number].push("invoices"), hold)
    assert_apart(world, "push", ends, revoked)
    states = [{row["push_state"] for row in side.rows("invoices")} for side in books]
    assert states == [{"in_flight"}, {"ready"}, {"pushed"}]

    world.sandbox.control("DELETE", "faults")
    books[OUTAGE].pass_time(BEYOND)
    taken, left_out, _ = select_connections_to_push(world.engine, KINDS["invoices"])
    assert [one["organisation"] for one in taken] == [world.names()[OUTAGE]]
    assert [reason.organisation for reason in left_out] == [world.names()[REVOKED]]
    assert books[OUTAGE].push("invoices").counts.pushed == 3
    world.connected(REVOKED)
    assert books[REVOKED].push("invoices").counts.pushed == 3
    for side in books:
        side.assert_once("invoices")


@RUNS
def test_a_limit_is_the_organisation_s_own(world: Consenting, run: Run) -> None:
    """One is to wait for ten minutes, another meets an outage, and the third is not held by either."""
    limited, outage = world.sandbox.tenant(0), world.sandbox.tenant(1)
    world.fault(path="/Contacts", kind="429", problem="minute", retry_after=600, tenant=limited)
    world.fault(path="/Contacts", kind="503", tenant=outage, times=None)
    hold = world.sandbox.hold("/Contacts", tenant=world.sandbox.tenant(FINE))
    ends = run(world, lambda number: world.pull("contacts", number), hold)
    assert [type(end) for end in ends] == [Skip, RetryLater, Outcome], ends
    assert [{row["status"] for row in events(world, number, "pull")} for number in range(3)] == [
        {"warning"},
        {"error"},
        {"success"},
    ]
    closed = world.query("SELECT tenant_id FROM xero_sync.call_budget WHERE not_before > clock_timestamp()")
    assert [row["tenant_id"] for row in closed] == [limited]
    world.sandbox.control("DELETE", "faults")
    world.calls()
    with pytest.raises(Skip):
        world.pull("contacts", 0)
    assert world.pull("contacts", 1).status == world.pull("contacts", 2).status == "success"
    assert {call["tenant"] for call in world.calls()} == {outage, world.sandbox.tenant(FINE)}
