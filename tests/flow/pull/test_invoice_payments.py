"""Payments of invoices: after each night QicWorks' invoices say what Xero says, whatever its people did there."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from tests.support.ledger import (
    DAY,
    Books,
    Record,
    exact,
    is_of_an_invoice,
)
from tests.support.world import World
from xero.api.errors import XeroError
from xero.sync.pull.flow import Skip

PROVIDED = [dict(zip(("deleted_payments_listed", "payments_bump_invoices"), both, strict=True))
            for both in product((True, False), repeat=2)]  # fmt: skip


@pytest.fixture
def books(fresh: World) -> Books:
    """All of QicWorks' invoices were pushed long ago; nothing was pulled yet."""
    books = Books(fresh)
    books.raised()
    return books


def third(books: Books, invoice: str) -> Decimal:
    return (exact(books.invoice(invoice)["Total"]) / 3).quantize(Decimal("0.01"))


@pytest.mark.parametrize("switches", PROVIDED, ids=str)
def test_an_invoice_paid_in_three_parts_of_which_one_is_taken_back(books: Books, switches: dict[str, bool]) -> None:
    books.world.sandbox.settings(**switches)
    invoice = books.open()
    books.raised(invoice)
    part = third(books, invoice)
    assert books.night()["status"] == "success"
    books.assert_in_step(deletions_told=switches["deleted_payments_listed"])
    payments = []
    for amount in (part, part, None):
        payments.append(books.pay(invoice, amount))
        books.night()
        assert books.is_in_step(invoice)
    held = books.invoices()[invoice]
    assert (held["status"], held["balance"], held["fully_paid_on"] is None) == ("Paid", 0, False)

    books.do("delete_payment", payment=payments[1])
    books.night()
    if not any(switches.values()):  # nothing in Xero's lists of changes says so
        assert not books.is_in_step(invoice)
        assert books.world.rows("invoice_payment")[payments[1]]["is_active"]
        books.week_is_over()
        books.night()
    assert books.is_in_step(invoice)
    assert books.world.rows("invoice_payment")[payments[1]]["is_active"] is False
    held = books.invoices()[invoice]
    assert (held["status"], held["balance"], held["fully_paid_on"]) == ("Un-paid", part, None)

    books.do("credit", invoice=invoice)
    books.night()
    held = books.invoices()[invoice]
    assert (held["status"], held["credited"], held["paid_to_date"]) == ("Paid", part, held["total"] - part)
    books.assert_in_step(deletions_told=switches["deleted_payments_listed"])
    assert books.night()["by_id"] == []


def test_what_bookkeepers_do_is_there_the_next_morning(books: Books) -> None:
    here = [books.open(number) for number in range(9)]
    draft = books.copy("IV-90100")
    books.raised(*here, draft)
    assert books.night()["status"] == "success"
    books.assert_in_step()
    total = books.truth("Invoices")[here[0]]["Total"]
    strangers = [key for key, one in books.truth("Invoices").items() if key not in books.ours()]
    theirs = {one["Type"]: key for key in strangers if (one := books.truth("Invoices")[key])["AmountDue"]
              and one["Status"] == "AUTHORISED"}  # fmt: skip
    a_month_ago = str((datetime.now(UTC) - timedelta(days=30)).date())
    credit = books.do("credit", invoice=here[7], amount="10.01")
    [note] = credit["CreditNotes"]
    acts: list[tuple[str, Record]] = [
        ("pay_batch", {"invoices": here[:3]}),
        ("overpay", {"invoice": here[3], "by": "500.10"}),
        ("apply_overpayment", {"invoice": here[4], "amount": "100.07"}),
        ("apply_prepayment", {"invoice": here[5]}),
        ("remove_credit", {"invoice": here[5]}),
        ("remove_credit", {"invoice": here[4]}),
        ("pay", {"invoice": here[6], "amount": "0.01", "date": a_month_ago}),
        ("pay", {"invoice": theirs["ACCREC"]}),
        ("remove_credit", {"invoice": here[7]}),
        ("pay", {"invoice": theirs["ACCPAY"]}),
        ("refund", {"credit": note["CreditNoteID"]}),
        ("approve", {"invoice": draft}),
    ]
    for some in (acts[:4], acts[4:8], acts[8:]):
        before, changed = set(books.world.rows("invoice_payment")), []
        for act, order in some:
            changed += books.do(act, **order).get("Payments", [])
        night = books.night()
        assert (night["status"], night["by_id"]) == ("success", []), (some, night["message"])
        books.assert_in_step()
        came = set(books.world.rows("invoice_payment")) - before
        assert came == {one["PaymentID"] for one in changed if is_of_an_invoice(one)} > set()
    assert {str(key) for key in books.world.rows("invoice_balance")} == set(books.invoices()), "no stranger's"
    refunds = [one for one in books.truth("Payments").values() if not is_of_an_invoice(one)]
    assert any("Invoice" in one for one in refunds), "of a credit note, which Xero shows as an invoice"
    assert books.invoices()[here[0]]["paid_to_date"] == exact(total)


def test_a_void_or_a_deletion_is_said_once_and_decided_by_users(books: Books) -> None:
    void, draft = books.open(), books.copy("IV-90001")
    books.raised(void, draft)
    books.night()
    books.do("void", invoice=void)
    books.do("delete", invoice=draft)
    night = books.night()
    assert night["status"] == "warning"
    assert "invoice IV-90000 is voided in Xero" in night["message"]
    assert "invoice IV-90001 is deleted in Xero" in night["message"]
    held = books.invoices()
    assert [(held[key]["status"], held[key]["xero_status"], held[key]["balance"]) for key in (void, draft)] == [
        ("Un-paid", "VOIDED", 0),
        ("Un-paid", "DELETED", 0),
    ]
    again = books.night()
    assert (again["status"], again["by_id"]) == ("success", [])
    books.week_is_over()
    assert books.night()["status"] == "success"
    books.assert_in_step()


def test_the_first_run_starts_where_the_first_push_did(fresh: World) -> None:
    books = Books(fresh)
    night = books.night(others=False)  # what others pay within the day before it is read, too: clocks may differ
    assert (night["calls"], night["status"], books.world.rows("invoice_payment")) == ([], "success", {})
    pushed = datetime.fromisoformat(books.world.sandbox.control("GET", "clock")["now"]).replace(microsecond=0)
    ours = [books.open(number) for number in range(4)]
    books.raised(*ours, pushed_at=pushed.isoformat())
    first = books.pay(ours[0], "11.11")
    night = books.night(others=False)
    asked = [(call["path"].rpartition("/")[2], call["headers"]["if-modified-since"]) for call in night["calls"]]
    since = f"{pushed - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    assert asked == [("Payments", since), ("Invoices", since)]
    assert "summaryOnly=true" in night["calls"][1]["query"]
    assert list(books.world.rows("invoice_payment")) == [first], "nothing from before the first push"
    assert all(books.is_in_step(invoice) for invoice in ours)

    before = books.versions()
    night = books.night(others=False)
    assert (len(night["calls"]), night["counts"].updated, night["message"]) == (2, 0, "nothing changed")
    assert books.versions() == before

    # Xero's books do not say of a payment that the invoice changed: three look as they did, and so are looked at.
    books.world.sandbox.settings(payments_bump_invoices=False)
    books.others_go_on()
    assert books.night()["by_id"] == []
    for invoice in ours[1:]:
        books.pay(invoice, "5.05")
        books.later(3 * DAY)  # nights that were missed
    night = books.night()
    assert sorted(night["by_id"]) == sorted(ours[1:])
    assert all(books.is_in_step(invoice) for invoice in ours)
    assert books.night()["by_id"] == []


def test_an_invoice_that_is_linked_late_is_caught_up(books: Books) -> None:
    books.night()
    truth, ours = books.truth("Invoices"), books.ours()
    late = [key for key, one in truth.items() if one["AmountPaid"] and key not in ours and one["Type"] == "ACCREC"][:2]
    assert len(late) == 2
    books.raised(late[0])
    books.raised(late[1], pushed_at=None)
    night = books.night(others=False)
    assert sorted(night["by_id"]) == sorted(late)
    books.assert_in_step()
    night = books.night()
    assert (night["by_id"], night["status"]) == ([], "success")


def test_a_payment_replaced_by_another_of_the_same_amount(books: Books) -> None:
    """Nothing adds up differently then; only when the invoice was fully paid has changed."""
    books.world.sandbox.settings(payments_bump_invoices=False)
    invoice = books.open()
    books.raised(invoice)
    payment = books.pay(invoice, date="2026-10-01")
    books.night()
    books.do("delete_payment", payment=payment)
    paid = books.pay(invoice, date="2026-10-09")
    assert books.night()["by_id"] == [invoice]
    books.assert_in_step()
    assert str(books.invoices()[invoice]["fully_paid_on"]) == "2026-10-09"
    books.world.sandbox.change("Payments", paid, IsReconciled=True)
    assert books.night()["by_id"] == [], "that it was found on a bank statement changes no invoice"


def test_a_lasting_disagreement_is_looked_at_once(books: Books) -> None:
    invoice = books.open()
    books.raised(invoice)
    books.pay(invoice, "10.00")
    books.night()
    books.world.sandbox.change("Invoices", invoice, AmountPaid="9.00")
    assert books.night()["by_id"] == [invoice]
    assert books.invoices()[invoice]["paid_to_date"] == 9, "Xero's word"
    assert books.night()["by_id"] == []
    books.week_is_over()
    assert books.night()["by_id"] == []
    books.pay(invoice, "10.00")  # Xero adds up again
    assert books.night()["by_id"] == [invoice]
    books.assert_in_step()
    assert books.night()["by_id"] == []


def test_invoices_older_than_the_first_push_are_followed_too(fresh: World) -> None:
    """They were linked by hand, or their push was recovered a day later; their payments lie before it."""
    books = Books(fresh)
    paid = [key for key, one in books.truth("Invoices").items() if one["AmountPaid"] and one["Type"] == "ACCREC"]
    assert len(paid) > 5, "so many that a reading without them would not be believed"
    books.raised(*paid, pushed_at=None)
    held: dict[str, Any] = {}
    for _ in range(2):
        assert books.night(others=False)["status"] == "success"
        assert all(books.is_in_step(invoice) for invoice in paid)
        assert all(row["is_active"] for row in books.world.rows("invoice_payment").values())
        assert all(row["is_active"] for row in books.world.rows("invoice_balance").values())
        held = held or books.versions()
        assert books.versions() == held
    new = books.open()
    books.raised(new, pushed_at=books.world.sandbox.control("GET", "clock")["now"])
    books.pay(new, "3.33")
    for _ in range(2):
        assert books.night(others=False)["status"] == "success"
        books.week_is_over()
    assert books.is_in_step(new)
    last = next(key for key in paid if books.truth("Invoices")[key]["Payments"])
    books.do("delete_payment", payment=books.truth("Invoices")[last]["Payments"][0]["PaymentID"])
    assert books.night()["status"] == "success"
    assert all(books.is_in_step(invoice) for invoice in (*paid, new))


@pytest.mark.parametrize("listed", [True, False])
def test_a_payment_taken_back_between_two_answers(books: Books, listed: bool) -> None:
    """It is in the list of payments, and no longer on the invoice."""
    books.world.sandbox.settings(deleted_payments_listed=listed)
    invoice = books.open()
    books.raised(invoice)
    books.night()
    payment = books.pay(invoice, "10.00")
    with ThreadPoolExecutor(1) as thread, books.world.sandbox.hold("/Invoices") as wait_until_held:
        night = thread.submit(books.night)
        wait_until_held()
        books.do("delete_payment", payment=payment)
    assert [call["path"].rpartition("/")[2] for call in night.result()["calls"]][:2] == ["Payments", "Invoices"]
    for _ in range(2):
        assert books.is_in_step(invoice)
        assert not books.world.rows("invoice_payment")[payment]["is_active"]
        assert books.night()["by_id"] == []


def random_act(books: Books, invoices: dict[str, Record], dice: random.Random) -> bool:
    """Something that somebody does in Xero, to anybody's documents; False where Xero refuses it. `invoices` are
    Xero's, and say afterwards what they have become."""

    def do(act: str, **order: Any) -> None:
        invoices.update((one["InvoiceID"], one) for one in books.do(act, **order).get("Invoices", []))

    invoice = invoices[dice.choice(list(invoices))]
    due, key = exact(invoice["AmountDue"]), {"invoice": invoice["InvoiceID"]}
    part = (
        {"amount": str((due * dice.randrange(1, 100) / 100).quantize(Decimal("0.01")))} if dice.random() < 0.6 else {}
    )
    day = {"date": f"2026-{dice.randrange(1, 11):02d}-{dice.randrange(1, 29):02d}"} if dice.random() < 0.5 else {}
    same = [one["InvoiceID"] for one in invoices.values() if one["Type"] == invoice["Type"] and exact(one["AmountDue"])]
    acts: list[Callable[[], object]] = [
        lambda: do("approve", **key),
        lambda: do(dice.choice(("void", "delete")), **key),
        *[lambda: do("pay", **key, **part, **day)] * 3,
        lambda: do("pay_batch", invoices=dice.sample(same, min(3, len(same))), **day),
        *[lambda: do("delete_payment", payment=dice.choice(list(books.truth("Payments"))))] * 3,
        lambda: do("overpay", **key, by="12.34"),
        *[lambda: do(dice.choice(("credit", "apply_overpayment", "apply_prepayment")), **key, **part)] * 2,
        lambda: do("remove_credit", **key),
        lambda: do("refund", credit=dice.choice(list(books.truth("CreditNotes")))),
    ]
    try:
        dice.choice(acts)()
    except (AssertionError, IndexError):  # how the sandbox's control says no; there is none to be taken back
        return False
    return True


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_both_sides_are_equal(fresh: World, seed: int) -> None:
    """Each seed with other switches; the last one without being told of deletions."""
    dice = random.Random(seed)
    switches = PROVIDED[seed]
    fresh.sandbox.settings(**switches)
    everybody = [Books(fresh, organisation) for organisation in range(len(fresh.names()))]
    for books in everybody:
        books.raised()
    done = 0
    for night in range(2):
        for books in everybody:
            if night:
                invoices = books.truth("Invoices")
                done += sum(random_act(books, invoices, dice) for _ in range(25))
                assert invoices == books.truth("Invoices"), "the acts were chosen by what is no longer so"
            books.night()
            books.assert_in_step(deletions_told=switches["deleted_payments_listed"])
            if night:
                before = books.versions()
                assert len(books.night(others=False)["calls"]) == 2
                assert books.versions() == before
        if not switches["deleted_payments_listed"]:
            for books in everybody:
                books.week_is_over()
                books.night(others=False, force=True)  # all payments may be gone
                active = {
                    key
                    for key, row in books.world.rows("invoice_payment", books.organisation).items()
                    if row["is_active"]
                }
                assert active == {
                    key
                    for key, one in books.truth("Payments").items()
                    if is_of_an_invoice(one) and one["Status"] != "DELETED"
                }
    assert done > 15, "fewer would prove less"


def drift(books: Books, collection: str) -> None:
    order = {"tenant": books.world.sandbox.tenant(), "collection": collection, "changes_per_page": 5, "total": 40}
    books.world.sandbox.control("PUT", "drift", order)


def test_what_changes_while_pages_are_read_is_not_lost(fresh: World) -> None:
    fresh.sandbox.reset(invoices={fresh.names()[0]: 150})
    fresh.sandbox.settings(limits=False, access_token_seconds=1e9, max_page_size=20)
    fresh.connect()
    books = Books(fresh)
    books.raised()
    for collection in ("Payments", "Invoices"):
        drift(books, collection)
    night = books.night(others=False)
    assert night["status"] == "success", night["message"]
    for order in books.world.sandbox.control("GET", "drift"):
        assert order["left"] < 25, "fewer changed than were to change: this would prove less"
    of_invoices = {key for key, one in books.truth("Payments").items() if is_of_an_invoice(one)}
    assert set(books.world.rows("invoice_payment")) == of_invoices
    assert all(books.is_in_step(invoice) for invoice in books.invoices())
    books.world.sandbox.control("DELETE", "drift")
    books.night(others=False)
    books.assert_in_step()


def test_a_payment_without_an_amount_waits_until_it_is_mended(books: Books) -> None:
    invoice, strangers = books.open(0), books.open(1)
    books.raised(invoice)
    known, unknown = (books.pay(one, "10.00") for one in (invoice, strangers))
    for payment in (known, unknown):
        books.world.sandbox.change("Payments", payment, Amount=None)
    night = books.night()
    assert (night["status"], night["counts"].rejected, night["by_id"]) == ("warning", 1, [invoice])
    assert "Amount is missing" in night["message"]
    rows = books.world.rows("invoice_payment")
    assert (rows[known]["amount"], unknown in rows) == (10, False), "the invoice itself says how much it was"
    assert books.is_in_step(invoice)
    again = books.night()
    assert (again["counts"].rejected, again["by_id"]) == (1, [])
    for payment in (known, unknown):
        books.world.sandbox.change("Payments", payment, Amount="10.00")
    assert books.night()["status"] == "success"
    books.assert_in_step()
    assert books.world.query("SELECT 1 FROM xero_sync.rejection WHERE closed_at IS NULL") == []


def test_what_was_read_before_an_error_is_not_asked_for_again(books: Books) -> None:
    books.night()
    invoice = books.open()
    books.raised(invoice)
    books.pay(invoice, "10.00")
    before = books.versions()
    books.world.fault(path="/Invoices", kind="500", times=99)
    with pytest.raises(XeroError):
        books.night()
    books.world.sandbox.control("DELETE", "faults")
    assert books.versions() == before
    books.pay(invoice, "20.00")  # after the payments were read
    night = books.night(others=False)
    assert [call["path"].rpartition("/")[2] for call in night["calls"]] == ["Invoices", invoice]
    assert books.is_in_step(invoice)
    books.night()
    books.assert_in_step()


def test_when_the_day_is_used_up_a_later_run_goes_on(books: Books) -> None:
    books.world.fault(path="/Invoices", kind="429", problem="day", retry_after=7200)
    with pytest.raises(Skip, match="first run after"):
        books.night()
    assert books.world.event()["status"] == "warning"
    assert books.world.rows("invoice_payment") == {}
    books.world.query("DELETE FROM xero_sync.call_budget")
    night = books.night(others=False)
    assert [call["path"].rpartition("/")[2] for call in night["calls"]] == ["Invoices"]
    books.night()
    books.assert_in_step()
