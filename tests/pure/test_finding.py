"""Which record of Xero's is a document of QicWorks', and what is left to a person: never a stranger's, never twice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tests.support.documents import priced
from xero.documents.declaration import CheckResult, Json, PricedDocument, PricedKind, Record
from xero.documents.pricing import QICWORKS
from xero.documents.registry import KINDS
from xero.qicworks.push.links import Claim, Link
from xero.qicworks.push.outbox import PushState, Result
from xero.sync.push import lookup
from xero.sync.push.identify import Finder, must_search, reject_ambiguous
from xero.sync.push.verdicts import Settled, refused

OURS, OTHERS = UUID(int=1), UUID(int=2)
CONTACT, STRANGER = UUID(int=20), UUID(int=21)
FIRST, SECOND = UUID(int=70), UUID(int=71)
NOW = datetime(2026, 11, 2, tzinfo=UTC)


def kind(name: str) -> PricedKind:
    found = KINDS[name]
    assert isinstance(found, PricedKind)
    return found


BILLS, CREDIT_NOTES = kind("bills"), kind("credit_notes")


def refusal(*messages: str) -> Result:
    return refused(BILLS, "bill B-1", "B-1", messages)


def document(**row: Any) -> PricedDocument:
    line = {
        "id": UUID(int=9), "description": "Fence", "quantity": Decimal(1), "unit_price": Decimal(100),
        "account_xero_id": UUID(int=30), "tax_type": "INPUT", "tax_rate": Decimal(10), "tax_amount": None,
        "xero_line_id": None,
        "first_option_xero_id": None, "second_option_xero_id": None,
    }  # fmt: skip
    made = {
        "id": OURS, "push_version": 1, "xero_id": None, "number": "B-1", "side": "supplier", "reference": None,
        "job_number": None, "contact_xero_id": CONTACT, "issue_date": date(2026, 11, 1), "due_date": None,
        "currency": "AUD", "line_amount_types": "Exclusive", "sub_total": Decimal(100), "total_tax": Decimal(10),
        "total": Decimal("110.00"),
    }  # fmt: skip
    return priced({**made, **row}, [line])


def record(of: PricedKind = BILLS, **fields: Any) -> Record:
    """The document as Xero has it; a field that is None is not there."""
    sent = of.payload(document())
    [line] = sent["LineItems"]
    made = {
        **sent, of.key: str(FIRST), "Total": Decimal("110.0"), "UpdatedDateUTC": "/Date(1793577600000+0000)/",
        "LineItems": [{**line, "LineItemID": str(UUID(int=90))}], **fields,
    }  # fmt: skip
    return {name: value for name, value in made.items() if value is not None}


@dataclass
class Documents:
    """What QicWorks knows: which records other documents are (`sealed`) or say that they are, which ids documents have,
    and what this one is by seals."""

    owned: Mapping[UUID, UUID] = field(default_factory=dict)  # record -> document
    there: Sequence[UUID] = ()
    sealed: bool = True
    own: Sequence[Link] = ()

    def claims(self, id: UUID, xero_ids: Sequence[UUID]) -> dict[UUID, Claim]:
        assert id == OURS
        assert all(xero_ids), "of no id nobody claims anything"
        return {one: Claim("bill B-2", self.sealed) for one in xero_ids if self.owned.get(one, id) != id}

    def left(self, id: UUID) -> set[UUID]:
        return set()

    def links(self, id: UUID, said: object) -> Sequence[Link]:
        assert id == OURS
        return self.own

    def existing(self, ids: Sequence[UUID]) -> set[UUID]:
        assert OURS not in ids, "that it is itself says nothing"
        return {one for one in ids if one in self.there}


def judge(records: Sequence[Record], documents: Documents | None = None, of: PricedKind = BILLS, **how: Any) -> Result:
    outbox: Any = documents or Documents()
    ours = how.pop("document", document())
    identity: Json = of.identity(document())
    found = lookup.LookupResult(tuple(records), NOW)
    return Finder(of, outbox).judge(OURS, "bill B-1", identity, found, document=ours, **how)


def test_what_is_not_there_is_not_known() -> None:
    assert judge([]) == Result(None)
    said = Result(PushState.FAILED, error="no")
    assert judge([], answered=said) == said
    assert judge([record(InvoiceNumber="B-2")]) == Result(None)


def test_it_is_known_by_its_own_address() -> None:
    result = judge([record()])
    assert (result.state, result.xero_id, result.xero_status, result.remarks) == ("pushed", FIRST, "DRAFT", ())
    assert result.line_ids == ((UUID(int=9), UUID(int=90)),)


def test_it_is_found_whatever_xero_said_before() -> None:
    assert judge([record()], answered=refusal("must be unique")).state == "pushed"


def test_two_of_it_are_for_a_person() -> None:
    result = judge([record(), record(InvoiceID=str(SECOND))])
    assert (result.state, result.error) == ("failed", "Xero has 2 records that match it: check in Xero")


def test_of_several_those_count_that_are_not_deleted() -> None:
    deleted = record(Status="DELETED")
    assert judge([deleted, record(InvoiceID=str(SECOND))]).xero_id == SECOND
    gone = judge([deleted, record(InvoiceID=str(SECOND), Status="VOIDED")])
    assert (gone.state, gone.xero_id, gone.error) == ("failed", FIRST, "it was deleted in Xero after it was pushed")


def test_what_another_document_is_cannot_be_this_one() -> None:
    """By a seal, where no address of ours says otherwise."""
    for of, fields in ((BILLS, BARE), (CREDIT_NOTES, {})):
        assert judge([record(of, **fields)], Documents({FIRST: OTHERS}), of=of) == Result(None)
        assert judge([record(of, **fields)], Documents({FIRST: OURS}), of=of).state is not None
    other = judge(
        [record(CREDIT_NOTES), record(CREDIT_NOTES, CreditNoteID=str(SECOND))],
        Documents({FIRST: OTHERS}),
        of=CREDIT_NOTES,
    )
    assert (other.state, other.xero_id) == ("pushed", SECOND)


@pytest.mark.parametrize("sealed", [True, False])
def test_what_carries_our_address_is_ours_whoever_claims_it(sealed: bool) -> None:
    """A person has to say which of the two it is; it is not made a second time."""
    result = judge([record()], Documents({FIRST: OTHERS}, sealed=sealed))
    assert (result.state, result.xero_id) == ("failed", None)
    assert "is already linked to bill B-2: check in Xero" in str(result.error)


def test_a_claim_alone_is_no_reason_to_make_it_again() -> None:
    claimed = Documents({FIRST: OTHERS}, sealed=False)
    for of, fields in ((BILLS, BARE), (CREDIT_NOTES, {}), (CREDIT_NOTES, {"Date": "2026-11-02"})):
        result = judge([record(of, **fields)], claimed, of=of)
        assert result.state == "failed", fields
        assert str(result.error).endswith("check in Xero")


@pytest.mark.parametrize("of", [BILLS, CREDIT_NOTES])
def test_what_a_row_says_it_is_it_is_by_a_seal_or_by_what_the_record_says(of: PricedKind) -> None:
    linked, of = document(xero_id=FIRST, links=None), replace(of, checks=())

    def is_own(there: Record | None, *own: Link) -> bool:
        outbox: Any = Documents(own=own)
        return Finder(of, outbox).is_own(linked, there)

    assert is_own(record(of))
    other = record(of, **({"Url": STRAY["Url"]} if of.addressed else {"Total": Decimal(111)}))
    assert not is_own(other)
    assert is_own(other, Link(FIRST), Link(SECOND))
    assert not is_own(record(of), Link(SECOND), Link(FIRST)), "it was made anew since, and is another one by now"
    assert is_own(None), "it is not there, which a push says itself"
    assert is_own(None, Link(FIRST)), "it was pushed as that, and is gone"
    assert not is_own(None, Link(SECOND))
    moved = record(of, **{of.key: str(SECOND)})
    assert not is_own(moved, Link(FIRST)), "the row was changed since it was read"


def test_our_address_alone_says_which_document_a_record_is() -> None:
    """Whatever else of it was changed in Xero, and whatever would be refused of the document by now."""
    outbox: Any = Documents()

    def refused(one: PricedDocument) -> Iterator[CheckResult]:
        yield CheckResult("it has no lines", "Add one.")

    bills, credit_notes = replace(BILLS, checks=(refused,)), replace(CREDIT_NOTES, checks=(refused,))
    linked = document(xero_id=FIRST, links=None)
    moved = {"InvoiceNumber": "B-9", "Url": f"https://q.example/bills/{OURS}", "Total": Decimal(7), "Status": "PAID"}
    assert Finder(bills, outbox).is_own(linked, record(**moved))
    assert not Finder(bills, outbox).is_own(linked, record(Url=None))
    # Without an address what is odd in the document, its total say, may be what makes a stranger's record like it.
    assert not Finder(credit_notes, outbox).is_own(linked, record(CREDIT_NOTES))
    assert Finder(replace(credit_notes, checks=()), outbox).is_own(linked, record(CREDIT_NOTES))


def test_of_a_record_without_an_id_nothing_is_known() -> None:
    assert judge([record(InvoiceID="odd")]) == Result(None)


def test_what_is_said_of_a_record_that_is_gone_names_the_document() -> None:
    gone = judge([record(Status="VOIDED")])
    assert gone.correction == (
        "If that was a mistake, give the bill B-1 a new number in QicWorks (B-1 → B-1A) and release it: a new draft "
        "is created, and its attachments are sent with it. Otherwise cancel it in QicWorks, too."
    )


def test_what_xero_dropped_a_part_of_is_not_changed_there_by_itself() -> None:
    """It says so in a warning, which a person must read first."""
    dropped = {"Message": "Account code '400' has been removed as it does not match a recognised account"}
    failed = judge([record(Date="2026-11-02", Warnings=[dropped])])
    assert (failed.state, failed.xero_id, failed.xero_status) == ("failed", FIRST, "DRAFT")
    assert failed.error == dropped["Message"]


def test_what_is_known_to_be_ours_by_a_seal_is_changed_also_without_an_address() -> None:
    outbox: Any = Documents()
    for sealed, state in ((True, "ready"), (False, "pushed")):
        found = Finder(CREDIT_NOTES, outbox).found(
            OURS, "credit note B-1", "B-1", document(), record(CREDIT_NOTES, CurrencyCode="NZD"), sealed=sealed
        )
        assert (found.state, found.xero_id) == (state, FIRST)


def test_a_draft_that_says_something_else_is_changed_there() -> None:
    for fields in ({"Date": "2026-11-02"}, {"LineItems": []}, {"Date": "2026-11-02", "TotalTax": Decimal(11)}):
        result = judge([record(**fields)])
        assert (result.state, result.xero_id, result.remarks) == ("ready", FIRST, ())
    approved = judge([record(Date="2026-11-02", Status="AUTHORISED")])
    assert (approved.state, approved.xero_status) == ("pushed", "AUTHORISED")
    edited_since = judge([record(Date="2026-11-02")], document=None)
    assert (edited_since.state, edited_since.line_ids) == ("pushed", ())


def test_a_kind_without_an_address_of_ours_is_linked_and_left_as_it_is() -> None:
    assert judge([record(CREDIT_NOTES)], of=CREDIT_NOTES).remarks == ()
    result = judge([record(CREDIT_NOTES, CurrencyCode="NZD")], of=CREDIT_NOTES)
    assert (result.state, result.xero_id) == ("pushed", FIRST)
    currency = "currency AUD in QicWorks, NZD in Xero"
    assert result.remarks == (currency, "it was already in Xero, and differs there")
    odd = judge([record(CREDIT_NOTES, CurrencyCode="NZD", TotalTax=Decimal(11))], of=CREDIT_NOTES)
    assert len(odd.remarks) == 3


BARE = {"Url": None}
STRAY = {"Url": f"{QICWORKS}/bills/{OTHERS}"}


@pytest.mark.parametrize("fields", [BARE, STRAY])
def test_what_may_be_it_is_for_a_person(fields: dict[str, Any]) -> None:
    result = judge([record(**fields)])
    assert (result.state, result.xero_id) == ("failed", None)
    assert result.error == "Xero already has a bill with this number and contact, which may be this one: check in Xero"
    assert "(B-1 → " in str(result.correction)
    for different in ({"Date": "2026-11-02"}, {"Total": Decimal(111)}, {"Status": "DELETED"}, {"Status": "VOIDED"}):
        assert judge([record(**fields, **different)]) == Result(None), "it is another one"


def test_an_address_of_a_document_that_is_there_is_that_document_s() -> None:
    assert judge([record(**STRAY)], Documents(there=[OTHERS])) == Result(None)


def test_a_number_that_is_taken_is_somebody_else_s_before_it_is_perhaps_ours() -> None:
    taken = refusal("Invoice # must be unique.")
    assert judge([record(**BARE)], answered=taken) == taken


def test_what_only_may_be_ours_is_ours_when_it_was_made_since_it_was_sent() -> None:
    """Up to ten minutes before: the two clocks need not agree."""
    for changed, age, ours in (
        (NOW, 0.0, True),
        (NOW.replace(hour=0, minute=0, second=0), 60.0, True),
        (datetime(2026, 11, 1, 23, 49, 0, tzinfo=UTC), 60.0, True),
        (datetime(2026, 11, 1, 23, 48, 59, tzinfo=UTC), 60.0, False),
        (NOW, None, False),
    ):
        stamp = f"/Date({int(changed.timestamp() * 1000)}+0000)/"
        result = judge([record(**BARE, UpdatedDateUTC=stamp)], sent_seconds_ago=age)
        assert (result.state == "pushed") == ours, (changed, age)


def settled(number: int, xero_id: UUID | None, state: str = "pushed") -> Settled:
    return Settled(UUID(int=number), 1, f"bill B-{number}", Result(state, xero_id))


def test_a_record_that_was_found_for_two_is_neither_s() -> None:
    three = [settled(1, FIRST), settled(2, FIRST), settled(3, SECOND), settled(4, None), settled(5, None)]
    judged = reject_ambiguous(three, [0, 1, 2, 3, 4])
    assert [one.id for one in judged] == [one.id for one in three]
    assert [one.result.state for one in judged] == ["failed", "failed", "pushed", "pushed", "pushed"]
    for one in judged[:2]:
        assert one.result.error == (
            "QicWorks has another document just like it, and Xero has only one of them: check in Xero"
        )
    assert judged[2:] == three[2:]


def test_what_xero_itself_answered_stays_and_what_was_only_found_does_not() -> None:
    judged = reject_ambiguous([settled(1, FIRST), settled(2, FIRST)], [1])
    assert [one.result.state for one in judged] == ["pushed", "failed"]


@pytest.mark.parametrize(
    ("result", "look"),
    [
        (Result(None), True),
        (refusal("The Contact is archived", "Invoice # MUST BE UNIQUE."), True),
        (refusal("Invoice not of valid status for modification"), True),
        (refusal("The Contact is archived"), False),
        (Result(PushState.FAILED), False),
        (Result(PushState.PUSHED), False),
        (Result(PushState.FAILED, error="QicWorks says: must be unique"), False),
        (Result(PushState.READY), False),
    ],
)
def test_what_is_looked_for_after_an_answer(result: Result, look: bool) -> None:
    assert must_search(result) is look


def test_of_a_document_with_an_odd_status_nothing_is_sent() -> None:
    """Only what may still be edited in Xero is changed there."""
    closed = replace(BILLS, editable=frozenset[str]())
    assert judge([record(Date="2026-11-02")], of=closed).state == "pushed"
