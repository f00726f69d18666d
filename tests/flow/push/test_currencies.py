"""Documents in other currencies: at the rate that QicWorks has, and not at all in one that the organisation lacks."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from tests.support.between import Between
from tests.support.followed import differing, do, sweep
from tests.support.pushing import PRICED, Books
from tests.support.trading import OF_THE_DAY, SEVERAL, add_currency, books_of, set_base_currency, shown
from tests.support.tying_out import tie
from tests.support.world import World

each = pytest.mark.parametrize("kind", PRICED)
REFUSED = "not sent: the Xero organisation does not have its currency NZD"


def states(books: Books, kind: str, *documents: UUID) -> list[str]:
    return [books.row(kind, one)["push_state"] for one in documents]


def lacking(books: Books) -> int:
    return len(books.world.query("SELECT 1 FROM xero_sync.lacking_currency WHERE NOT is_cancelled"))


def warnings(books: Books, document: UUID) -> list[str]:
    found = books.world.query(
        "SELECT message FROM xero_sync.connection_event WHERE document_id = %s AND status = 'warning'", document
    )
    return [row["message"] for row in found]


# -- the rate


@each
def test_the_rate_that_is_set_is_sent_and_else_xero_takes_that_of_the_day(world: World, kind: str) -> None:
    books = books_of(world, SEVERAL)
    cases = {
        (None, None): ("AUD", 1),
        ("AUD", "0.5"): ("AUD", 1),  # the own currency has no rate
        ("aud", "0.5"): ("AUD", 1),
        ("NZD", None): ("NZD", OF_THE_DAY["NZD"]),
        ("EUR", "0.7"): ("EUR", 0.7),
        ("IDR", "10893.1234564999"): ("IDR", 10893.123456),
        ("EUR", "0.0000005"): ("EUR", 0.000001),
    }
    made = {}
    for (code, rate), expected in cases.items():
        columns = {"currency": code} if code else {}
        made[books.add(kind, **columns, currency_rate=rate and Decimal(rate))] = expected
    books.push(kind)
    for document, expected in made.items():
        assert books.row(kind, document)["push_state"] == "pushed", books.row(kind, document)["push_error"]
        assert shown(books, kind, document) == expected
        assert not warnings(books, document)
        assert not differing(books, document)

    # An edit of the rate is an edit; one that makes no difference to Xero costs no call.
    *_, own, _, eur, idr, _ = made
    own = next(
        one for one, expected in made.items() if expected == ("AUD", 1) and books.row(kind, one)["currency_rate"]
    )
    world.calls()
    books.edit(kind, own, currency_rate=Decimal("0.6"))
    books.edit(kind, idr, currency_rate=Decimal("10893.12345649"))
    books.push(kind)
    assert (states(books, kind, own, idr), world.calls()) == (["pushed", "pushed"], [])
    books.edit(kind, eur, currency_rate=Decimal("0.71"))
    books.push(kind)
    assert len(books.writes()) == 1
    assert shown(books, kind, eur) == ("EUR", 0.71)
    books.edit(kind, eur, currency="AUD")
    books.push(kind)
    assert (shown(books, kind, eur), differing(books, eur)) == (("AUD", 1), [])
    books.assert_once(kind)


def test_what_is_no_rate_is_refused_before_a_call(world: World) -> None:
    books = books_of(world, SEVERAL)
    wrong = {
        rate: books.add("bills", currency="EUR", currency_rate=Decimal(rate)) for rate in ("0", "-1", "1e-9", "1e13")
    }
    odd = books.add("bills", currency="EUR", currency_rate=Decimal("NaN"))
    good = books.add("bills", currency="AUD", currency_rate=Decimal(0))
    books.push("bills")
    for document in wrong.values():
        row = books.row("bills", document)
        assert row["push_state"] == "failed"
        assert "is not one that Xero can have" in row["push_error"]
        assert "Xero then takes the rate of the day" in row["push_correction"]
    assert "its currency rate is NaN" in books.row("bills", odd)["push_error"]
    assert states(books, "bills", good) == ["pushed"]
    books.edit("bills", wrong["0"], currency_rate=None)
    books.push("bills")
    assert shown(books, "bills", wrong["0"]) == ("EUR", OF_THE_DAY["EUR"])


@each
def test_a_rate_that_was_emptied_is_not_left_in_xero_unsaid(world: World, kind: str) -> None:
    """No request makes Xero go back to the rate of the day."""
    books = books_of(world, SEVERAL)
    document = books.add(kind, currency="EUR", currency_rate=Decimal("0.7"))
    books.push(kind)
    world.calls()
    books.edit(kind, document, currency_rate=None)
    books.push(kind)
    row = books.row(kind, document)
    assert (row["push_state"], books.writes()) == ("failed", [])
    assert "its currency rate was emptied in QicWorks, and Xero would keep the rate 0.7" in row["push_error"]
    [found] = differing(books, document)
    assert (found.reason, found.ours, found.theirs) == (
        "edited_in_qicworks",
        {"currency rate": ""},
        {"currency rate": "0.7"},
    )
    do(books, kind, document, "edit", fields={"CurrencyRate": "0.66"})
    books.push(kind, documents=[str(document)])
    assert (states(books, kind, document), shown(books, kind, document)) == (["pushed"], ("EUR", 0.66))
    assert not differing(books, document)


@each
def test_another_rate_in_xeros_response_is_named(world: World, kind: str) -> None:
    books = books_of(world, SEVERAL)
    between = Between(world.sandbox)
    plural = PRICED[kind][1]
    between.edit(
        lambda answer: [one.update(CurrencyRate=0.7000004) for one in answer[plural]] and None,
        path=f"/{plural}",
        method="PUT",
    )
    same = books.add(kind, currency="EUR", currency_rate=Decimal("0.7"))
    other = books.add(kind, currency="EUR", currency_rate=Decimal("0.700001"))
    books.push(kind)
    assert states(books, kind, same, other) == ["pushed", "pushed"]
    assert (warnings(books, same), differing(books, same)) == ([], [])
    assert any("currency rate 0.700001 in QicWorks, 0.7000004 in Xero" in said for said in warnings(books, other))
    [found] = differing(books, other)
    assert (found.reason, found.ours["currency rate"]) == ("amounts_differ", "0.700001")


# -- the currency


@each
def test_a_currency_that_the_organisation_lacks_costs_no_call_and_comes_by_itself(world: World, kind: str) -> None:
    books = books_of(world)
    own, foreign = books.add(kind), books.add(kind, currency="nzd", currency_rate=Decimal("1.1"))
    world.calls()
    books.push(kind)
    assert states(books, kind, own, foreign) == ["pushed", "failed"]
    assert len(books.writes()) == 1
    row = books.row(kind, foreign)
    assert row["push_error"] == REFUSED
    assert row["push_correction"].startswith("Add the currency NZD in Xero (its plan must allow multiple currencies).")
    assert "tick Currencies, press Pull" in row["push_correction"]
    assert row["push_correction"].endswith("and release it.")

    add_currency(books, "NZD")
    assert books.left(kind) == 0, "QicWorks does not know of it yet"
    books.push(kind)
    assert states(books, kind, foreign) == ["failed"]
    world.pull("currencies")
    assert books.left(kind) == 1
    books.push(kind)
    assert (states(books, kind, foreign), shown(books, kind, foreign)) == (["pushed"], ("NZD", 1.1))
    assert (books.left(kind), lacking(books)) == (0, 0)
    books.assert_once(kind)


def test_only_what_waits_for_a_currency_is_pushed_by_itself(world: World) -> None:
    books = books_of(world)
    waits = books.add("invoices", currency="NZD")
    also_wrong = books.add("invoices", currency="NZD", contact_id=None)
    elsewhere = books.add("invoices", currency="USD")
    edited = books.add("invoices", currency="NZD")
    retried = books.add("invoices", currency="NZD")
    wrong = books.add("invoices", contact_id=None)
    everything = (waits, also_wrong, elsewhere, edited, retried, wrong)
    books.push("invoices")
    assert states(books, "invoices", *everything) == ["failed"] * 6
    books.edit("invoices", edited, currency="AUD")
    books.push("invoices", documents=[str(edited), str(retried)])
    assert states(books, "invoices", edited, retried) == ["pushed", "failed"]
    assert lacking(books) == 4, "what was edited is forgotten"
    add_currency(books, "NZD")
    world.pull("currencies")

    previewed = world.main("push", "invoices", "--dry-run", "--connection", world.names()[0])
    numbers = {one: books.row("invoices", one)["number"] for one in everything}
    assert [one for one in everything if numbers[one] in previewed.stdout + previewed.stderr] == [
        waits,
        also_wrong,
        retried,
    ]
    books.push("invoices")
    expected = ["pushed", "failed", "failed", "pushed", "pushed", "failed"]
    assert states(books, "invoices", *everything) == expected
    assert "it has no contact" in books.row("invoices", also_wrong)["push_error"]
    assert (lacking(books), books.left("invoices")) == (1, 0)
    assert REFUSED.replace("NZD", "USD") == books.row("invoices", elsewhere)["push_error"]


def test_two_documents_of_one_id_wait_each_by_itself(world: World) -> None:
    books = books_of(world)
    document = books.add("bills", currency="NZD")
    books.add("purchase_orders", id=document, currency="NZD")
    for kind in ("bills", "purchase_orders"):
        books.push(kind)
    add_currency(books, "NZD")
    world.pull("currencies")
    for kind in ("bills", "purchase_orders"):
        assert books.left(kind) == 1
        books.push(kind)
        assert states(books, kind, document) == ["pushed"]


def test_nothing_is_refused_where_the_currencies_are_not_known(world: World) -> None:
    """They were never pulled, or Xero lists none."""
    books = books_of(world, pulled=False)
    never = books.add("bills", currency="USD")
    books.push("bills")
    assert len(books.writes()) == 1
    world.sandbox.settings(base_currency_listed=False)
    world.pull("currencies")
    unlisted = books.add("bills", currency="USD")
    books.push("bills")
    assert len(books.writes()) == 1
    for document in (never, unlisted):
        row = books.row("bills", document)
        assert (row["push_state"], row["push_error"]) == ("failed", "Organisation is not subscribed to currency USD")


def test_one_that_is_gone_from_xero_is_lacking_and_the_own_one_never_is(world: World) -> None:
    books = books_of(world, SEVERAL)
    first = books.add("expenses", currency="NZD")
    books.push("expenses")
    path = f"organisations/{world.sandbox.tenant(SEVERAL)}/Currencies"
    for code in ("NZD", "AUD"):
        world.sandbox.control("DELETE", f"{path}/{code}")
    world.pull("currencies", SEVERAL)
    own, second = books.add("expenses"), books.add("expenses", currency="NZD")
    books.push("expenses")
    assert states(books, "expenses", first, own, second) == ["pushed", "pushed", "failed"]
    assert books.row("expenses", second)["push_error"] == REFUSED


@each
@pytest.mark.parametrize("own", ["AUD", "NZD"])
def test_a_document_without_a_currency_is_in_the_own_one(world: World, kind: str, own: str) -> None:
    books = books_of(world, SEVERAL)
    set_base_currency(books, own)
    rates = (None, Decimal("0.5"))
    blank = [books.add(kind, currency=code, currency_rate=rate) for code in ("", "  ") for rate in rates]
    set_base_currency(books, None)
    books.push(kind)
    assert states(books, kind, *blank) == ["pushed"] * 4, "whichever that is"
    set_base_currency(books, own)
    blank.append(books.add(kind, currency=""))
    for document in blank:
        books.edit(kind, document, reference="edited")
    books.push(kind)
    sweep(books)
    for document in blank:
        assert (states(books, kind, document), differing(books, document)) == (["pushed"], [])
        assert (shown(books, kind, document), warnings(books, document)) == ((own, 1), [])
    tied = tie(books)
    assert tied.is_green
    assert {one.document.currency for one in tied.documents} == {own}


def test_what_was_rejected_of_the_currencies_is_not_known_to_lack(world: World) -> None:
    """Whether it is the currency of a document, only Xero knows; one that is named is none other."""
    books = books_of(world)
    path = f"organisations/{world.sandbox.tenant()}/Currencies"
    for code in ("AUD", "EUR", "JPY"):
        world.sandbox.control("POST", path, {"Code": code, "Description": code})
    world.sandbox.control("POST", path, {"Code": "NZD", "Description": "x" * 101})
    world.pull("currencies")
    named = {code: books.add("bills", currency=code) for code in ("NZD", "USD")}
    books.push("bills")
    assert states(books, "bills", *named.values()) == ["pushed", "failed"]
    assert books.row("bills", named["USD"])["push_error"] == REFUSED.replace("NZD", "USD")
    world.sandbox.control("POST", path, {"Code": "?", "Description": "odd"})
    world.pull("currencies")
    books.push("bills")
    assert books.row("bills", named["USD"])["push_error"] == "Organisation is not subscribed to currency USD"


def test_one_that_xero_has_given_up_is_kept_by_what_is_in_it_already(world: World) -> None:
    books = books_of(world, SEVERAL)
    document = books.add("bills", currency="NZD")
    books.push("bills")
    sweep(books)
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant(SEVERAL)}/Currencies/NZD")
    world.pull("currencies", SEVERAL)
    books.edit("bills", document, issue_date=date(2026, 10, 7))
    books.push("bills")
    assert states(books, "bills", document) == ["pushed"], books.row("bills", document)["push_error"]
    assert shown(books, "bills", document) == ("NZD", OF_THE_DAY["NZD"])


@each
def test_only_documents_that_wait_for_a_currency_are_among_those(world: World, kind: str) -> None:
    books, table = books_of(world), PRICED[kind][0]
    taken_back = "Draft" if kind == "invoices" else "Archived" if kind == "purchase_orders" else "Cancelled"
    names = ("cancelled", "moved", "deleted", "drafted", "skipped", "edited", "waits")
    made = {name: books.add(kind, currency="NZD") for name in names}
    books.push(kind)
    assert lacking(books) == len(made)
    if kind != "invoices":
        books.edit(kind, made["cancelled"], status=taken_back)
        assert lacking(books) == len(made) - 1
        status = books.row(kind, made["waits"])["status"]
        books.edit(kind, made["cancelled"], status=status)
        assert lacking(books) == len(made), "it is in force again"
        books.edit(kind, made["cancelled"], status=taken_back)
    other = Books(world, 2)
    books.edit(kind, made["moved"], organisation_id=other.organisation_id)
    world.query(f"DELETE FROM qicworks.{table} WHERE id = %s", made["deleted"])
    books.edit(kind, made["drafted"], push_state="draft")
    books.edit(kind, made["skipped"], push_state="skipped")
    books.edit(kind, made["edited"], currency="AUD")
    books.edit(kind, made["waits"], status="Expedite" if kind == "purchase_orders" else "Paid")
    left = {"waits", "cancelled"} if kind == "invoices" else {"waits"}
    kept = world.query("SELECT document_id FROM xero_sync.lacking_currency WHERE NOT is_cancelled")
    assert {row["document_id"] for row in kept} == {made[name] for name in left}
    add_currency(books, "NZD")
    world.pull("currencies")
    assert books.left(kind) == len(left) + 1, "and the one that was edited"
    books.push(kind)
    assert (states(books, kind, made["waits"], made["edited"]), books.left(kind)) == (["pushed", "pushed"], 0)
    if kind != "invoices":
        assert states(books, kind, made["cancelled"]) == ["failed"]
    world.query(f"TRUNCATE qicworks.{table} CASCADE")
    assert lacking(books) == 0


@each
def test_one_in_force_again_waits_only_for_what_it_waited_for(world: World, kind: str) -> None:
    """Also where the organisation's own currency is not known."""
    books = books_of(world, SEVERAL)
    if kind == "invoices":
        return  # QicWorks has no cancelled ones
    set_base_currency(books, None)
    waits, wrong = books.add(kind, currency="USD"), books.add(kind, currency="EUR", contact_id=None)
    books.push(kind)
    assert lacking(books) == 1
    for document in (waits, wrong):
        status = books.row(kind, document)["status"]
        books.edit(kind, document, status="Archived" if kind == "purchase_orders" else "Cancelled")
        assert lacking(books) == (document == wrong)
        books.edit(kind, document, status=status)
    assert lacking(books) == 1
    add_currency(books, "USD")
    world.pull("currencies", SEVERAL)
    assert books.left(kind) == 1
    books.push(kind)
    assert states(books, kind, waits, wrong) == ["pushed", "failed"], books.row(kind, waits)["push_error"]


def test_each_organisation_has_currencies_of_its_own(world: World) -> None:
    here, there = books_of(world), books_of(world, SEVERAL)
    lacks, has = here.add("bills", currency="NZD"), there.add("bills", currency="NZD")
    for books in (here, there):
        books.push("bills")
    assert (states(here, "bills", lacks), states(there, "bills", has)) == (["failed"], ["pushed"])
    assert (here.left("bills"), there.left("bills")) == (0, 0)
    there.push("bills")
    assert states(here, "bills", lacks) == ["failed"]
