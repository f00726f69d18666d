"""A process that stands still between saying that it sends and sending: whoever took over must not have it twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import requests

from tests.support.calls import Forward, intercepted, is_write
from tests.support.killing import SESSIONS
from tests.support.paying import Line, Payroll
from tests.support.pushing import Books
from tests.support.refusing import acting
from tests.support.world import World
from xero.api.errors import NotSent
from xero.sync.runs.outcome import DatabaseFailed

# As if so much time had gone by since it was said; the process that slept does not know.
ASLEEP = "UPDATE xero_sync.push_request SET last_sent_at = last_sent_at - interval '{}' WHERE id = NEW.id"
SAID = (
    "AFTER UPDATE ON xero_sync.push_request",
    "OLD.last_sent_at IS DISTINCT FROM NEW.last_sent_at AND NEW.last_sent_at > clock_timestamp() - interval '1 s'",
)


@contextmanager
def asleep(world: World, how_long: str) -> Iterator[None]:
    with acting(world, SAID[0], ASLEEP.format(how_long), SAID[1]):
        yield


@pytest.mark.parametrize("kind", ["bills", "invoices", "credit_notes", "purchase_orders"])
def test_it_does_not_send_what_it_was_about_to(books: Books, kind: str) -> None:
    books.add(kind)
    with asleep(books.world, "31 s"), pytest.raises(NotSent):
        books.push(kind)
    assert {call["status"] for call in books.writes()} <= {400}, "more came than the head of a request"
    assert books.in_xero(kind) == []
    assert (books.left(kind), books.requests()) == (1, []), "nobody need look what became of it"
    books.drain(kind)
    books.assert_once(kind)


def test_a_moment_is_no_reason(books: Books) -> None:
    books.add("bills")
    with asleep(books.world, "20 s"):
        assert books.push("bills").counts.pushed == 1


@pytest.mark.parametrize("kind", ["bills", "expenses"])
def test_it_does_not_send_when_its_session_has_ended(books: Books, kind: str) -> None:
    """The lease went with it: another run may be at these documents."""
    books.add(kind)

    def handle(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        if is_write(request):
            books.world.query(f"SELECT pg_terminate_backend(pid) FROM ({SESSIONS}) AS others")
        return forward()

    with intercepted(handle), pytest.raises(DatabaseFailed):
        books.push(kind)
    assert {call["status"] for call in books.writes()} <= {400}, "more came than the head of a request"
    assert books.in_xero(kind) == []
    books.drain(kind)
    books.assert_once(kind)


@pytest.mark.parametrize("kind", ["payroll", "leave_requests"])
def test_neither_pay_nor_leave(world: World, kind: str) -> None:
    """Late, an old pay template would be written over a newer one."""
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    employee = payroll.paid_by_the_hour()[0]
    if kind == "payroll":
        payroll.pay(employee, payroll.period(), Line("Ordinary Hours", "7.5"))
    else:
        payroll.leave(employee, date(2026, 12, 7), date(2026, 12, 7))
    with asleep(world, "31 s"), pytest.raises(NotSent):
        payroll.push(kind)
    assert [call for call in payroll.writes() if call["status"] < 400] == []
    payroll.drain(kind)
    states: Any = payroll.states("payroll_push" if kind == "payroll" else "leave_request")
    assert [state for state, _ in states] == ["pushed"]
