"""What a push puts into one request, and which changes it does not send at all."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.support.documents import priced
from xero.documents.declaration import PricedDocument, PricedKind
from xero.documents.registry import KINDS
from xero.sync.push.plan import Standing, plan

LARGEST = 3_500_000  # bytes that Xero accepts in one request


def kind_of(weight: int = 0) -> PricedKind:
    """Bills without checks, each of them so many bytes."""
    kind = KINDS["bills"]
    assert isinstance(kind, PricedKind)
    return replace(kind, checks=(), payload=lambda _: {"Reference": "x" * weight, "LineItems": []})


def document(xero_id: UUID | None = None) -> PricedDocument:
    return priced({"id": uuid4(), "number": "B-1", "push_version": 1, "xero_id": xero_id})


@pytest.mark.parametrize(("weight", "requests"), [(1_000, 1), (1_200_000, 3), (2_900_000, 5)])
def test_no_request_is_larger_than_xero_accepts(weight: int, requests: int) -> None:
    kind, documents = kind_of(weight), [document() for _ in range(5)]
    plans = plan(kind, documents, {}, {}).requests
    assert [one.id for planned in plans for one in planned.documents] == [one.id for one in documents]
    assert len(plans) == requests
    assert max(len(planned.body(kind).encode()) for planned in plans) < LARGEST


def test_a_document_that_failed_in_a_large_request_goes_with_fewer_next_time() -> None:
    documents = [document() for _ in range(6)]
    troubled = {one.id: 1 for one in documents[:2]}
    plans = plan(kind_of(), documents, {}, troubled).requests
    assert sorted(len(planned.documents) for planned in plans) == [1, 1, 4]
    alone = {planned.documents[0].id for planned in plans if len(planned.documents) == 1}
    assert alone == set(troubled)


@pytest.mark.parametrize("status", ["SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED", None])
def test_only_a_draft_is_changed_in_xero(status: str | None) -> None:
    pushed = document(uuid4())
    record = {"Status": status, "InvoiceNumber": "B-1", "Reference": "otherwise"} if status else None
    made = plan(kind_of(), [pushed], {pushed.id: Standing(record)}, {})
    [settled] = made.settled
    assert (settled.result.state, made.requests) == ("failed", [])
    assert settled.result.correction
    made = plan(kind_of(), [pushed], {pushed.id: Standing({"Status": "DRAFT", "InvoiceNumber": "B-1"})}, {})
    [planned] = made.requests
    assert (made.settled, planned.method, planned.documents) == ([], "POST", (pushed,))
