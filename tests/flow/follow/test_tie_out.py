"""The tie-out names every difference of a period, and is green only if everything was checked and is equal."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.between import Between
from tests.support.calls import sent_twice
from tests.support.cancelling import seen_long_ago
from tests.support.followed import INVOICES, differing, do, set_conflicts, sweep
from tests.support.following import act, id_in_xero
from tests.support.following import pushed as leave_pushed
from tests.support.in_step import Steps, every_kind, in_step
from tests.support.paying import Payroll
from tests.support.pushing import PRICED, Books, File, Line
from tests.support.reconciling import compare
from tests.support.tying_out import OCTOBER, tie
from tests.support.world import World
from xero.api import wire
from xero.api.errors import XeroError
from xero.composition import opener
from xero.documents.registry import KINDS
from xero.qicworks.connect import connections
from xero.qicworks.database import session
from xero.qicworks.follow.differences import Reason
from xero.qicworks.follow.pushed_documents import PushedDocuments
from xero.qicworks.runs import lease
from xero.qicworks.runs.events import Origin
from xero.sync.follow import unlinked_records
from xero.sync.follow.tie_out import Period, State, TieOut, tie_out
from xero.sync.follow.tie_out.export import rows
from xero.sync.follow.tie_out.healing import Act
from xero.sync.follow.tie_out.summary import lines

WITHOUT_PAY = "; not part of the tie-out yet: Payroll"


def pushed(books: Books, **columns: Any) -> dict[str, UUID]:
    """A document of each kind, pushed."""
    made = {kind: books.add(kind, **columns) for kind in PRICED}
    for kind in made:
        books.push(kind)
    return made


def states(tied: TieOut) -> dict[UUID, State]:
    return {one.document.id: one.state for one in tied.documents}


def reasons(tied: TieOut, document: UUID) -> list[Reason]:
    return [one.reason for one in tied.differences if one.document_id == document]


def event(books: Books) -> dict[str, Any]:
    return books.world.query(
        "SELECT status, outcome, message, correction FROM xero_sync.connection_event"
        " WHERE data_set = 'tie_out' ORDER BY id DESC LIMIT 1"
    )[0]


def test_all_is_equal(books: Books) -> None:
    made = pushed(books)
    paid = made["bills"]
    do(books, "bills", paid, "approve")
    do(books, "bills", paid, "pay", amount=40)
    tied = tie(books)
    assert states(tied) == dict.fromkeys(made.values(), State.EQUAL)
    assert tied.is_green
    assert (tied.differences, tied.unchecked) == ([], ())
    for one in tied.kinds:
        if one.kind.name in PRICED:
            row = books.row(one.kind.name, made[one.kind.name])
            assert (one.in_qicworks, one.in_xero, one.equal, one.unequal) == (1, 1, 1, 0)
            assert one.our_sums == {"AUD": row["total"]}
            assert one.their_sums == {"AUD": row["total"]}
    [bills] = [one for one in tied.kinds if one.kind.name == "bills"]
    assert bills.our_paid == bills.their_paid == bills.payments == {"AUD": Decimal(40)}
    happened = event(books)
    assert (happened["status"], happened["outcome"]) == ("success", "done")
    assert happened["message"] == "2026-10: 5 of 5 documents are equal" + WITHOUT_PAY


def test_every_document_is_compared_again_and_not_only_what_changed(books: Books) -> None:
    made = pushed(books)
    tie(books)
    # Xero's clock does not show this change, so no pull of changes brings it.
    tenant = books.world.sandbox.tenant(books.organisation)
    record = str(books.row("invoices", made["invoices"])["xero_id"])
    [there] = [one for one in books.in_xero("invoices") if one["InvoiceID"] == record]
    path = f"organisations/{tenant}/Invoices/{record}"
    books.world.sandbox.control("PATCH", path, {"Reference": "Edited", "UpdatedDateUTC": there["UpdatedDateUTC"]})
    tied = tie(books)
    assert {one.reason for one in tied.differences} == {Reason.EDITED_IN_XERO}
    assert [one.document.id for one in tied.unequal] == [made["invoices"]]
    # Lost, while neither side changed: a pull would not look at this document again.
    books.world.query("DELETE FROM xero_sync.difference")
    assert [one.document.id for one in tie(books).unequal] == [made["invoices"]]


# -- what differs


def test_every_difference_is_named_with_both_sides(books: Books) -> None:
    equal, voided, edited, approved = (books.add("invoices", number=f"IV-{nth}") for nth in range(4))
    books.push("invoices")
    for document in (voided, approved):
        do(books, "invoices", document, "approve")
    do(books, "invoices", voided, "void")
    do(books, "invoices", edited, "edit", fields={"Reference": "Order 9"})
    books.edit("invoices", approved, due_date=date(2026, 12, 24))
    books.push("invoices")
    tied = tie(books)
    assert states(tied) == {equal: State.EQUAL} | dict.fromkeys((voided, edited, approved), State.DIFFERS)
    found = {one.label: (one.reason, one.ours, one.theirs) for one in tied.differences}
    assert found == {
        "invoice IV-1": (Reason.VOIDED_IN_XERO, {"status": "Draft"}, {"status": "VOIDED"}),
        "invoice IV-2": (Reason.EDITED_IN_XERO, {"reference": ""}, {"reference": "Order 9"}),
        "invoice IV-3": (Reason.APPROVED_IN_XERO, {"due date": "2026-12-24"}, {"due date": "2026-10-19"}),
    }
    [counted] = [one for one in tied.kinds if one.kind.name == "invoices"]
    assert (counted.in_qicworks, counted.in_xero, counted.equal, counted.unequal) == (4, 3, 1, 3)
    assert counted.our_sums["AUD"] - counted.their_sums["AUD"] == books.row("invoices", voided)["total"]
    assert not tied.is_green
    happened = event(books)
    assert (happened["status"], happened["outcome"]) == ("warning", "differs")
    assert happened["message"] == "2026-10: 1 of 4 documents are equal; 3 differs" + WITHOUT_PAY


@in_step(*INVOICES)
def test_what_is_paid_is_the_sum_of_its_payments(books: Books, kind: str) -> Steps:
    document = books.add(kind, Line("100"))
    books.push(kind)
    do(books, kind, document, "approve")
    do(books, kind, document, "pay", amount=30)
    assert (yield tie).is_green
    tenant = books.world.sandbox.tenant(books.organisation)
    path = f"organisations/{tenant}/Invoices/{books.row(kind, document)['xero_id']}"
    books.world.sandbox.control("PATCH", path, {"AmountPaid": 45, "AmountDue": 65})
    [found] = [one for one in (yield tie).differences if one.document_id == document]
    assert found.reason is Reason.PAID_DIFFERS
    assert found.ours == {"amount paid": "45.00", "sum of its payments": "45.00"}
    assert found.theirs == {"amount paid": "45.00", "sum of its payments": "30.00"}
    yield sweep
    assert [one.id for one in differing(books, document)] == [found.id], "a pull sees the same"
    books.world.sandbox.control("PATCH", path, {"AmountPaid": 30, "AmountDue": 80})
    assert (yield tie).is_green
    assert differing(books) == []


def test_what_is_not_in_xero_yet_is_said_by_its_state(books: Books) -> None:
    equal = books.add("bills")
    books.push("bills")
    ready = books.add("bills")
    sending = books.add("bills")
    failed = books.add("bills")
    books.world.query("UPDATE qicworks.bill SET push_state = 'in_flight' WHERE id = %s", sending)
    books.world.query("UPDATE qicworks.bill SET push_state = 'failed' WHERE id = %s", failed)
    books.add("bills", state="draft")
    edited = books.add("bills")
    books.world.query("UPDATE qicworks.bill SET push_state = 'skipped' WHERE id = %s", edited)
    tied = tie(books)
    expected = {equal: State.EQUAL, ready: State.READY, sending: State.IN_FLIGHT, failed: State.FAILED}
    assert states(tied) == {**expected, edited: State.LEFT_OUT}
    assert (tied.differences, tied.is_green) == ([], False)
    [counted] = [one for one in tied.kinds if one.kind.name == "bills"]
    assert (counted.in_qicworks, counted.in_xero) == (1, 1)
    assert (
        event(books)["message"] == "2026-10: 1 of 4 documents are equal; 1 ready; 1 in flight; 1 failed;"
        " 1 left out on request (Skipped)" + WITHOUT_PAY
    )


def test_what_is_skipped_after_its_push_is_left_out_and_said(books: Books) -> None:
    """It counts on neither side, and the tie-out is not green without a word of it."""
    left_out, other = pushed(books), pushed(books)
    for kind, document in left_out.items():
        books.edit(kind, document, push_state="skipped")
    tied = tie(books)
    assert states(tied) == {
        **dict.fromkeys(left_out.values(), State.LEFT_OUT),
        **dict.fromkeys(other.values(), State.EQUAL),
    }
    assert tied.is_green
    assert (
        event(books)["message"] == "2026-10: 5 of 5 documents are equal; 5 left out on request (Skipped)" + WITHOUT_PAY
    )
    exported, sentences = {row[2]: row for row in rows(tied)}, list(lines(tied))
    for counted, sentence in zip([one for one in tied.kinds if one.kind.name in PRICED], sentences, strict=True):
        assert (counted.in_qicworks, counted.in_xero, counted.equal, counted.unequal) == (1, 1, 1, 0)
        assert counted.our_sums == counted.their_sums
        number = books.row(counted.kind.name, left_out[counted.kind.name])["number"]
        assert number in sentence
        assert (exported[number][5], *exported[number][8:10]) == ("left out", "", "")


def test_an_edit_that_waits_is_not_equal(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    assert tie(books).is_green
    books.edit("bills", document, due_date=date(2026, 12, 24))
    assert states(tie(books)) == {document: State.READY}


def test_what_was_entered_in_xero_by_hand_is_no_difference(books: Books) -> None:
    pushed(books)
    tenant = books.world.sandbox.tenant(books.organisation)
    [record] = books.in_xero("invoices")
    copied = {name: record[name] for name in ("Type", "Contact", "Status", "Date", "Total", "LineItems")}
    books.world.sandbox.control("POST", f"organisations/{tenant}/Invoices", {**copied, "InvoiceNumber": "BY-HAND"})
    tied = tie(books)
    assert tied.is_green
    assert len(tied.documents) == len(PRICED)


@pytest.mark.parametrize("side", ["Xero", "QicWorks"])
def test_a_day_that_was_moved_to_another_month_is_in_the_tie_out_of_both(books: Books, side: str) -> None:
    """Each side counts by its own day; an edit of QicWorks' is still to be sent."""
    made = pushed(books)
    november = Period.parse("2026-11")
    for kind, document in made.items():
        if side == "Xero":
            do(books, kind, document, "edit", fields={"Date": "2026-11-03"})
        else:
            books.edit(kind, document, issue_date=date(2026, 11, 3))
    state = State.DIFFERS if side == "Xero" else State.READY
    ours, theirs = (OCTOBER, november) if side == "Xero" else (november, OCTOBER)
    for period, again in ((OCTOBER, True), (november, False)):
        result = tie(books, period, again=again)
        assert states(result) == dict.fromkeys(made.values(), state)
        assert not result.is_green
        for one in result.kinds:
            if one.kind.name in PRICED:
                assert (one.in_qicworks, one.in_xero) == (int(period == ours), int(period == theirs))
                assert (bool(one.our_sums), bool(one.their_sums)) == (period == ours, period == theirs)
        totals = [row for row in rows(result) if row[7] == "total"]
        assert {(bool(row[8]), bool(row[9])) for row in totals} == {(period == ours, period == theirs)}
    assert states(tie(books, Period.parse("2026-12"), again=False)) == {}


def test_the_period_is_of_the_issue_dates(books: Books) -> None:
    last, first = books.add("bills", issue_date=date(2026, 10, 31)), books.add("bills", issue_date=date(2026, 11, 1))
    books.push("bills")
    undated = books.add("bills", issue_date=None)
    do(books, "bills", first, "delete")
    assert states(tie(books)) == {last: State.EQUAL, undated: State.READY}
    assert states(tie(books, Period.parse("2026-11"))) == {first: State.DIFFERS, undated: State.READY}
    assert states(tie(books, Period.parse("2026-10-31..2026-11-01"))).keys() == {first, last, undated}
    both = Period.parse("2026-10-01..2026-10-30"), Period.parse("2026-12")
    assert [states(tie(books, period, again=False)).keys() for period in both] == [{undated}, {undated}]


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-02-30..2026-03-01", "2026-11-02..2026-11-01", "2026-1"])
def test_a_period_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a period: write a month"):
        Period.parse(text)


# -- what was not checked is not green


def test_a_document_whose_record_is_not_proven_to_be_its_own_is_not_equal(books: Books) -> None:
    mine, other = books.add("bills", number="A"), books.add("bills", number="B", contact=1)
    books.push("bills")
    assert tie(books).is_green
    theirs = books.row("bills", other)["xero_id"]
    books.world.query("UPDATE qicworks.bill SET xero_id = NULL WHERE id = %s", other)
    books.world.query("UPDATE qicworks.bill SET xero_id = %s WHERE id = %s", theirs, mine)
    tied = tie(books)
    assert states(tied)[mine] is State.DIFFERS
    found = {one.reason for one in tied.differences if one.document_id == mine}
    assert found == {Reason.UNPROVEN_PUSH, Reason.AMBIGUOUS_MATCH}, "its own record is there, too"
    books.world.query("UPDATE xero_sync.difference SET settled_at = now(), settled_how = 'gone'")
    assert states(tie(books, again=False))[mine] is not State.EQUAL


def test_a_record_that_is_rejected_is_not_equal(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    assert tie(books).is_green
    tenant = books.world.sandbox.tenant(books.organisation)
    path = f"organisations/{tenant}/Invoices/{books.row('bills', document)['xero_id']}"
    books.world.sandbox.control("PATCH", path, {"Total": 10**17})
    tied = tie(books)
    assert states(tied) == {document: State.NOT_CHECKED}
    assert not tied.is_green


def test_what_cannot_be_read_is_not_green(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    assert tie(books).is_green
    books.world.fault(kind="503", path="/api.xro/2.0/Invoices", times=None)
    tied = tie(books)
    assert states(tied) == {document: State.NOT_CHECKED}
    assert [one.title for one in tied.unchecked] == ["Document status"]
    assert isinstance(tied.error, XeroError)
    happened = event(books)
    assert happened["status"] == "error"
    assert "not checked: Document status" in happened["message"]


def test_a_pull_that_another_run_is_doing_is_not_checked(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    with session(books.world.engine) as other:
        assert lease.acquire(other, books.connection_id, "pull", "document_status")
        tied = tie(books)
    assert states(tied) == {document: State.NOT_CHECKED}
    assert (tied.is_green, event(books)["outcome"]) == (False, "busy")


def test_a_reading_that_an_earlier_run_began_is_not_enough(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    tie(books)

    def killed(records: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        books.world.pull("document_status", books.organisation, full=True, progress=killed)
    do(books, "bills", document, "delete")
    assert [one.reason for one in tie(books).differences] == [Reason.DELETED_IN_XERO]


# -- healing


@pytest.mark.parametrize("conflicts", ["ask", "qicworks", "xero"])
def test_what_a_person_changed_in_xero_is_only_overwritten_if_the_setting_says_so(books: Books, conflicts: str) -> None:
    document = books.add("bills", number="B-1")
    books.push("bills")
    do(books, "bills", document, "edit", fields={"DueDate": "2026-11-30"})
    tie(books)  # with `ask`: the difference is only known
    set_conflicts(books, conflicts)
    tied = tie(books, heal=True)
    acts = [one.act for one in tied.healed]
    assert acts == [Act.LEFT if conflicts == "ask" else Act.PUSHED_AGAIN]
    books.push("bills")
    there = next(one for one in books.in_xero("bills") if one["InvoiceNumber"] == "B-1")["DueDate"]
    ours = books.row("bills", document)["due_date"].isoformat()
    kept = {"ask": ("2026-11-30", "2026-10-19"), "qicworks": ("2026-10-19",) * 2, "xero": ("2026-11-30",) * 2}
    assert (wire.date(there).isoformat(), ours) == kept[conflicts]


def decided(books: Books, document: UUID) -> Any:
    """What both sides have of a bill."""
    row = books.row("bills", document)
    return row["push_state"], row["push_version"], row["due_date"], books.in_xero("bills")


@pytest.mark.parametrize("act", ["approve", "void", "delete"])
def test_what_only_a_person_can_decide_is_left_with_what_to_do(books: Books, act: str) -> None:
    document = books.add("bills", number="B-1")
    books.push("bills")
    if act != "delete":
        do(books, "bills", document, "approve")
    if act == "approve":
        books.edit("bills", document, due_date=date(2026, 12, 24))
        books.push("bills")
    else:
        do(books, "bills", document, act)
    before = decided(books, document)
    [healed] = tie(books, heal=True).healed
    assert (healed.label, healed.act) == ("bill B-1", Act.LEFT)
    assert healed.says
    assert decided(books, document) == before


def test_records_that_differ_are_pulled_again(books: Books) -> None:
    books.world.pull("tax_codes", books.organisation)
    books.world.query("DELETE FROM qicworks.tax_code WHERE id = (SELECT max(id::text)::uuid FROM qicworks.tax_code"
                      " WHERE connection_id = %s AND row_hash <> '0')", books.connection_id)  # fmt: skip
    assert compare(books.world, books.organisation).status == "warning"
    [found] = tie(books).differences
    assert (found.reason, found.document_kind, found.document_id) == (Reason.RECORDS_DIFFER, "tax_codes", None)
    tied = tie(books, heal=True)
    assert [(one.label, one.act, one.says) for one in tied.healed] == [
        ("Tax codes", Act.PULLED_AGAIN, "both sides agree now")
    ]
    assert tied.is_green
    assert differing(books) == []


# -- the command


def run(books: Books, *arguments: str) -> Any:
    return books.world.main("tie-out", "--connection", books.world.names()[books.organisation], *arguments)


def test_the_command_says_what_is_not_equal_and_ends_with_1(books: Books, tmp_path: Path) -> None:
    equal = books.add("bills", number="=1+1")
    edited = books.add("invoices", number="IV-1")
    for kind in ("bills", "invoices"):
        books.push(kind)
    file = tmp_path / "tied.csv"
    done = run(books, "--period", "2026-10", "--csv", str(file))
    assert (done.returncode, done.stderr) == (0, f"{file} has 2 documents of 1 organisations\n")
    name = books.world.names()[books.organisation]
    assert done.stdout.startswith(f"{name}, 2026-10: equal; ")
    assert done.stdout.endswith("\n  not part of the tie-out yet: Payroll\n"), "equal is not said of pay"
    do(books, "invoices", edited, "edit", fields={"Reference": "=SUM(A1)", "LineItems": []})
    done = run(books, "--period", "2026-10", "--csv", str(file))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{name}, 2026-10: not equal; ")
    assert "  invoice IV-1: " in done.stdout
    with file.open(encoding="utf-8-sig", newline="") as written:
        rows = list(csv.DictReader(written))
    bill = books.row("bills", equal)
    amounts = [(row["number"], row["reason"], row["QicWorks"], row["Xero"]) for row in rows if row["field"] == "total"]
    assert ("'=1+1", "", f"{bill['total']:.2f}", f"{bill['total']:.2f}") in amounts
    assert sum(Decimal(ours) for *_, ours, _ in amounts) == sum(
        books.row(kind, document)["total"] for kind, document in (("bills", equal), ("invoices", edited))
    )
    [reference] = [row for row in rows if row["field"] == "reference"]
    assert (reference["kind"], reference["state"], reference["reason"]) == ("invoices", "differs", "edited_in_xero")
    assert (reference["QicWorks"], reference["Xero"]) == ("", "'=SUM(A1)")
    assert reference["since"]


@pytest.mark.parametrize(
    ("arguments", "said"), [(("--period", "soon"), "'soon' is not a period"), (("--connection", "nobody"), "nobody")]
)
def test_a_command_that_makes_no_sense_fails(books: Books, arguments: tuple[str, str], said: str) -> None:
    done = books.world.main("tie-out", *arguments)
    assert done.returncode == 1
    assert said in done.stderr


# -- cancellations and leave


def test_what_is_cancelled_is_not_equal_until_it_is_gone_from_xero(books: Books) -> None:
    draft, approved = books.add("purchase_orders", number="PO-1"), books.add("purchase_orders", number="PO-2")
    for document in (draft, approved):
        books.edit("purchase_orders", document, status="Issued")
    books.push("purchase_orders")
    do(books, "purchase_orders", approved, "approve")
    assert tie(books).is_green
    for document in (draft, approved):
        books.edit("purchase_orders", document, status="Archived")
    assert states(tie(books)) == dict.fromkeys((draft, approved), State.CANCELLING)
    books.push("purchase_orders")
    tied = tie(books)
    assert states(tied) == {draft: State.OVER, approved: State.DIFFERS}
    assert [(one.label, one.reason) for one in tied.differences] == [
        ("purchase order PO-2", Reason.CANCELLED_IN_QICWORKS)
    ]
    [counted] = [one for one in tied.kinds if one.kind.name == "purchase_orders"]
    assert (counted.in_qicworks, counted.in_xero) == (0, 1)
    do(books, "purchase_orders", approved, "delete")
    seen_long_ago(books.world)  # the push looks again after some hours
    books.push("purchase_orders")
    assert tie(books).is_green


def test_a_document_that_was_deleted_counts_until_it_is_gone_from_xero(books: Books) -> None:
    document = books.add("bills")
    books.push("bills")
    tie(books)
    books.world.query("DELETE FROM qicworks.bill WHERE id = %s", document)
    tied = tie(books, Period.parse("2026-12"))
    assert states(tied) == {document: State.CANCELLING}, "it has no date any more, so it always counts"
    books.push("bills")
    assert tie(books).documents == ()


def test_a_document_of_another_organisation_is_not_one_of_its_own(books: Books) -> None:
    bill = books.add("bills", Line("10"))
    with session(books.world.engine) as db:
        own, other = (connections.one(db, books.world.connection_id(number)) for number in (0, 1))
        assert PushedDocuments(db, own, KINDS["bills"]).existing([bill]) == {bill}
        assert PushedDocuments(db, other, KINDS["bills"]).existing([bill]) == set()


def test_leave_is_tied_out_by_its_first_day(world: World) -> None:
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    document = leave_pushed(payroll, payroll.paid_by_the_hour()[0], date(2026, 12, 7), date(2026, 12, 8))
    december = Period.parse("2026-12")

    def tied(period: Period = december) -> TieOut:
        return tie(payroll, period)

    assert states(tied()) == {document: State.EQUAL}
    assert states(tied(OCTOBER)) == {}
    payroll.edit("leave_request", document, push_state="skipped")
    assert states(tied()) == {document: State.LEFT_OUT}
    payroll.edit("leave_request", document, push_state="pushed")
    leave = f"organisations/{world.sandbox.tenant()}/LeaveApplications/{id_in_xero(payroll, document)}"
    world.sandbox.control("PATCH", leave, {"StartDate": "2026-11-30"})
    for period, of in ((december, (1, 0)), (Period.parse("2026-11"), (0, 1))):
        result = tied(period)
        assert states(result) == {document: State.DIFFERS}
        assert [(one.in_qicworks, one.in_xero) for one in result.kinds if one.states] == [of], "each by its own day"
    world.sandbox.control("PATCH", leave, {"StartDate": "2026-12-07"})
    assert states(tied()) == {document: State.EQUAL}
    # Payroll is switched off: of that month nothing is known, of another there is nothing to know.
    world.sandbox.settings(payroll_refusal="403 AuthorizationUnsuccessful")
    world.fault(kind="no_scope", path="/payroll.xro/1.0/LeaveApplications", times=None)
    result = tied()
    assert states(result) == {document: State.NOT_CHECKED}
    assert [one.title for one in result.unchecked] == ["Leave applications"]
    assert not result.is_green


def test_leave_of_a_person_who_was_erased_is_not_compared(world: World) -> None:
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    employee, other = payroll.paid_by_the_hour()[:2]
    erased, kept = (leave_pushed(payroll, one, date(2026, 12, 7), date(2026, 12, 8)) for one in (employee, other))
    differing = leave_pushed(payroll, employee, date(2026, 12, 14), date(2026, 12, 15))
    act(payroll, f"/{id_in_xero(payroll, differing)}/reject")

    def tied() -> TieOut:
        return tie_out(
            world.connection_id(payroll.organisation),
            Period.parse("2026-12"),
            engine=world.engine,
            open_client=opener(world.engine, world.app, backoff=(0.02, 0.04)),
            origin=Origin(),
        )

    assert states(tied()) == {erased: State.EQUAL, kept: State.EQUAL, differing: State.DIFFERS}
    assert world.main("person", "erase", "--staff", employee, "--yes").returncode == 0
    assert payroll.row("leave_request", erased)["xero_id"], "the request is QicWorks' own, and stays"
    result = tied()
    assert (states(result), result.is_green) == ({kept: State.EQUAL}, True)


@pytest.mark.parametrize("what", ["a folder that is not there", "a folder"])
def test_a_file_that_cannot_be_written_is_said_before_any_call(books: Books, tmp_path: Path, what: str) -> None:
    file = tmp_path if what == "a folder" else tmp_path / "missing" / "tied.csv"
    books.world.calls()
    done = run(books, "--period", "2026-10", "--csv", str(file))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {file} cannot be written: {'Is a directory' if what == 'a folder' else 'No such file or directory'}."
        " Nothing was tied out.\n"
    )
    assert books.world.calls() == []


def test_values_of_leave_are_in_no_line_and_no_csv(world: World) -> None:
    world.sandbox.settings(limits=False)
    payroll = Payroll(world)
    document = leave_pushed(payroll, payroll.paid_by_the_hour()[0], date(2026, 12, 7), date(2026, 12, 8))
    world.query("UPDATE qicworks.leave_request SET hours = 3.1234 WHERE id = %s", document)
    world.query("UPDATE qicworks.leave_request SET push_state = 'failed' WHERE id = %s", document)
    result = tie(payroll, Period.parse("2026-12"))
    [difference] = result.differences
    assert difference.ours
    said = "\n".join([*lines(result), *(",".join(map(str, row)) for row in rows(result))])
    assert str(document) in said
    assert not any(value in said for value in (*difference.ours.values(), *difference.theirs.values()))


@pytest.mark.parametrize("kind", PRICED)
def test_a_document_that_is_in_xero_twice_is_not_equal(books: Books, kind: str) -> None:
    if kind == "credit_notes":
        once, twice = (books.add(kind, side="supplier") for _ in range(2))  # of customers' the number is unique
    else:
        once, twice = (books.add(kind) for _ in range(2))
    books.push(kind, documents=[str(once)])
    with sent_twice():
        books.push(kind)
    result = tie(books)
    if len(books.in_xero(kind)) == 2:  # Xero itself refuses a second record of this kind
        assert result.is_green
        return
    assert states(result) == {once: State.EQUAL, twice: State.DIFFERS}
    assert [one.reason for one in result.differences] == [Reason.AMBIGUOUS_MATCH]


def test_second_records_are_looked_for_among_all(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others were changed since."""
    twice = books.add("bills")
    with sent_twice():
        books.push("bills")
    for _ in range(5):
        books.add("bills")
    books.push("bills")
    monkeypatch.setattr(unlinked_records, "PAGE_SIZE", 1)
    assert states(tie(books))[twice] is State.DIFFERS


def test_second_records_that_cannot_be_looked_for_are_not_checked(books: Books) -> None:
    books.add("bills")
    books.push("bills")
    between = Between(books.world.sandbox)
    between.instead = lambda method, path: (503, b"") if "DESC" in path else None
    try:
        result = tie(books)
    finally:
        between.close()
    assert {one.state for one in result.documents} == {State.NOT_CHECKED}
    assert (result.is_green, [one.title for one in result.unchecked]) == (
        False,
        ["Documents that may be in Xero twice"],
    )
    assert tie(books).is_green


def test_each_side_is_added_up_in_its_own_currency(books: Books) -> None:
    document = books.add("bills", Line("100"))
    books.push("bills")
    assert tie(books).is_green
    between = Between(books.world.sandbox)
    between.edit(
        lambda answer: [one.update(CurrencyCode="USD") for one in answer["Invoices"]] and None, path="/Invoices"
    )
    try:
        result = tie(books)
    finally:
        between.close()
    assert states(result) == {document: State.DIFFERS}
    [bills] = [one for one in result.kinds if one.in_qicworks]
    assert (bills.our_sums, bills.their_sums) == ({"AUD": Decimal(110)}, {"USD": Decimal(110)})


@every_kind
def test_a_document_is_as_far_as_its_files_are(books: Books, kind: str) -> Steps:
    document = books.add(kind, files=[File("a.pdf")])
    books.push(kind)
    assert (yield tie).is_green
    books.world.query("UPDATE qicworks.attachment SET push_state = 'failed' WHERE parent_id = %s", document)
    assert states((yield tie))[document] is State.FAILED
    assert books.row(kind, document)["push_state"] == "pushed"
    books.world.query("UPDATE qicworks.attachment SET push_state = 'ready' WHERE parent_id = %s", document)
    assert states((yield tie))[document] is State.READY
    books.world.query("DELETE FROM qicworks.attachment WHERE parent_id = %s", document)
    assert states((yield tie))[document] is State.READY, "the next push looks whether Xero still has it"
    books.push(kind)
    assert reasons((yield tie), document) == [Reason.FILE_LEFT_IN_XERO]
