"""Which record in Xero is the document that was sent. A wrong guess links somebody else's record, or sends twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.qicworks.push.outbox import PushState, Result
from xero.sync.push.identify import reject_ambiguous
from xero.sync.push.lookup import LookupResult, candidates, lookalikes
from xero.sync.push.verdicts import Settled

NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
AGE = 120.0  # seconds since the document was sent
ADDRESS = "https://app.qicworks.com/bills/5b1f1f0c-9b1a-4d8e-8f63-1d6a3c1b7a10"
IDENTITY = {
    "Type": "ACCPAY",
    "InvoiceNumber": "B-1",
    "Date": "2026-10-05",
    "Url": ADDRESS,
    "ContactID": "c",
    "Totals": ["110.00"],
}


def bills() -> PricedKind:
    kind = KINDS["bills"]
    assert isinstance(kind, PricedKind)
    return kind


def record(changed_at: datetime | None = NOW, **fields: Any) -> dict[str, Any]:
    """A bill of the same number and contact that does not show our address, as Xero returns it."""
    milliseconds = int(changed_at.timestamp() * 1000) if changed_at else None
    return {
        "InvoiceID": str(uuid4()),
        "Type": "ACCPAY",
        "InvoiceNumber": "B-1",
        "Contact": {"ContactID": "c"},
        "Date": "2026-10-05",
        "Total": 110,
        "Status": "DRAFT",
        "UpdatedDateUTC": f"/Date({milliseconds}+0000)/" if milliseconds else "soon",
        **fields,
    }


def found(*records: dict[str, Any], at: datetime | None = NOW) -> LookupResult:
    return LookupResult(records, at)


BEFORE = NOW - timedelta(seconds=AGE + 601)  # Xero's clock may be ten minutes behind


@pytest.mark.parametrize(
    ("there", "age", "at", "ours"),
    [
        (record(), AGE, NOW, True),
        (record(BEFORE + timedelta(seconds=1)), AGE, NOW, True),
        (record(BEFORE), AGE, NOW, False),
        (record(None), AGE, NOW, False),
        (record(), None, NOW, False),
        (record(), AGE, None, False),
        (record(Date="2026-10-06"), AGE, NOW, False),
        (record(Total=110.01), AGE, NOW, False),
        (record(Total="n/a"), AGE, NOW, False),
        (record(Contact={"ContactID": "d"}), AGE, NOW, False),
        (record(Type="ACCREC"), AGE, NOW, False),
        (record(Url=ADDRESS.replace("5b1f", "5b2f")), AGE, NOW, False),
    ],
    ids=[
        *("alike", "changed since it was sent", "older than the request", "of no readable time", "never sent"),
        *("no server time", "another day", "another amount", "no amount", "another contact", "another type"),
        "another document's address",
    ],
)
def test_a_record_without_our_address_is_ours_only_if_everything_agrees(
    there: dict[str, Any], age: float | None, at: datetime | None, ours: bool
) -> None:
    assert candidates(bills(), IDENTITY, found(there, at=at), age) == ([there] if ours else [])


def test_a_record_with_our_address_is_ours_whatever_else_it_says() -> None:
    there = record(BEFORE, Url=ADDRESS, Date="2026-10-06", Total=1)
    assert candidates(bills(), IDENTITY, found(record(), there), None) == [there]


def test_a_record_that_may_be_ours_is_for_a_person_to_decide() -> None:
    """Unless Xero deleted it, or its day or amount differ."""
    may_be = record(BEFORE)
    stray = record(Url=ADDRESS.replace("5b1f", "5b2f"))
    others = [record(Status="DELETED"), record(Date="2026-10-06"), record(Total=1)]
    assert lookalikes(bills(), IDENTITY, found(may_be, stray, *others)) == [may_be, stray]


def test_one_record_is_never_linked_to_two_documents() -> None:
    shared, own = Result(PushState.PUSHED, uuid4()), Result(PushState.PUSHED, uuid4())
    results = [Settled(uuid4(), 1, f"bill {n}", result) for n, result in enumerate([shared, shared, own])]
    one, two, three = (settled.result for settled in reject_ambiguous(results, [0, 1, 2]))
    assert (one.state, two.state, three) == ("failed", "failed", own)
    assert "check in Xero" in str(one.error)
    known = replace(results[1], result=own)
    assert reject_ambiguous([results[0], known], [0, 1]) == [results[0], known]
