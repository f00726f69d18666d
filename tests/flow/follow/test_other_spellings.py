"""A server that spells Xero's enums otherwise, as 'Deleted' or 'voided', is understood as Xero is."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import requests

from tests.support.calls import Forward, intercepted, response
from tests.support.cancelling import by_status, differences, events, statuses
from tests.support.followed import choose, differing, do, sweep
from tests.support.following import pushed as leave_pushed
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, Line
from tests.support.tying_out import tie
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.sync.follow.tie_out import Period, State

ENUMS = ("Status", "Type", "ContactStatus", "LineAmountTypes", "CurrencyCode", "LeavePeriodStatus", "PayRunStatus")
ENUMS += ("Class", "SystemAccount", "CalendarType", "CalculationType", "EarningsType", "RateType")


def spelled(value: Any, spell: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [spelled(one, spell) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: spell(one) if name in ENUMS and isinstance(one, str) else spelled(one, spell)
        for name, one in value.items()
    }


@contextmanager
def server_that(spell: Callable[[str], str]) -> Iterator[None]:
    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        answer = forward()
        if answer.status_code != 200 or ".xro/" not in str(request.url):
            return answer
        body = json.dumps(spelled(json.loads(answer.content), spell))
        made = response(200, "application/json", body)
        made.headers.update({name: answer.headers[name] for name in answer.headers if name.startswith("X-")})
        return made

    with intercepted(call):
        yield


@pytest.fixture
def spells() -> Iterator[None]:
    with server_that(str.capitalize):
        yield


@pytest.fixture
def books(world: World) -> Books:
    world.sandbox.settings(limits=False)
    return Books(world)


def test_what_is_pulled_is_in_use(world: World, spells: None) -> None:
    world.sandbox.settings(limits=False)
    for name in ("contacts", "chart_of_accounts", "tax_codes", "tracking_categories", "pay_codes", "staff"):
        world.pull(name)
        for table in DATASETS[name].tables:
            [counted] = world.query(f"SELECT count(*) FILTER (WHERE is_active) AS active FROM qicworks.{table.name}")
            assert counted["active"], f"{table.name}: the records are in use"
    assert not [
        one for one in world.query("SELECT message FROM xero_sync.connection_event") if "inactive" in one["message"]
    ]


def test_what_is_pushed_is_equal_and_follows(books: Books, spells: None) -> None:
    made = {kind: books.add(kind, Line("10")) for kind in PRICED}
    for kind in made:
        books.push(kind)
        assert books.row(kind, made[kind])["xero_status"] == "DRAFT"
        books.edit(kind, made[kind], reference="another")
        books.push(kind)
        assert books.row(kind, made[kind])["push_state"] == "pushed", "a draft can be changed"
    tied = tie(books)
    assert {one.state for one in tied.documents} == {State.EQUAL}
    assert {currency for one in tied.kinds for currency in one.their_sums} == {"AUD"}
    do(books, "bills", made["bills"], "approve")
    do(books, "bills", made["bills"], "pay", amount=11)
    do(books, "expenses", made["expenses"], "delete")
    sweep(books)
    assert (books.row("bills", made["bills"])["xero_status"], books.row("bills", made["bills"])["status"]) == (
        "PAID",
        "Paid",
    )
    assert [one.reason.value for one in differing(books)] == ["deleted_in_xero"]


def test_what_is_taken_over_is_spelled_as_qicworks_does(books: Books, spells: None) -> None:
    document = books.add("invoices", Line("10"))
    books.push("invoices")
    do(books, "invoices", document, "edit", fields={"LineAmountTypes": "Inclusive"})
    sweep(books)
    choose(books, document, "xero")
    books.edit("invoices", document, push_state="ready")
    books.push("invoices")
    assert books.row("invoices", document)["line_amount_types"] == "Inclusive"


@pytest.mark.parametrize("gone", [True, False], ids=["deleted already", "a draft"])
def test_a_cancellation_is_over(books: Books, spells: None, gone: bool) -> None:
    made = {kind: books.add(kind, Line("10")) for kind in PRICED}
    for kind, document in made.items():
        books.push(kind)
        if gone:
            do(books, kind, document, "delete")
        by_status(books, kind, document)
        books.push(kind)
        assert (books.left(kind), differences(books.world)) == (0, []), kind
        said = "in Xero already" if gone else "deleted in Xero, because"
        assert any(said in message for _, message in events(books.world, document)), kind
    assert {status for kind in PRICED for status in statuses(books, kind)} == {"DELETED"}


def test_a_lost_response_is_found(books: Books, spells: None) -> None:
    for kind in PRICED:
        document = books.add(kind, Line("10"))
        books.world.fault(kind="lost_answer", path=f"/{PRICED[kind][1]}", method="PUT", times=1)
        try_push(books, kind)
        books.pass_time(3600)
        books.push(kind)
        row = books.row(kind, document)
        assert (row["push_state"], row["xero_status"]) == ("pushed", "DRAFT"), kind


def try_push(books: Books, kind: str) -> None:
    with pytest.raises(Exception, match="no answer came"):
        books.push(kind, client={"backoff": ()})


def test_leave_is_approved_and_rejected(world: World, spells: None) -> None:
    world.sandbox.settings(limits=False, leave_created_as="REQUESTED")
    payroll = Payroll(world)
    monday = payroll.start_of(5)
    document: UUID = leave_pushed(payroll, payroll.paid_by_the_hour()[0], monday, monday)
    [row] = world.query("SELECT push_state, xero_status FROM qicworks.leave_request WHERE id = %s", document)
    assert row == {"push_state": "pushed", "xero_status": "SCHEDULED"}
    tied = tie(payroll, Period.month_of(monday))
    assert [one.state for one in tied.documents] == [State.EQUAL]
    payroll.edit("leave_request", document, status="Rejected")
    payroll.push("leave_requests")
    assert (payroll.left("leave_requests"), differences(world)) == (0, [])
