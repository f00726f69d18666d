"""Credit notes, overpayments and prepayments, to read: three lists of one shape."""

from __future__ import annotations

from collections.abc import Callable

from xero_sandbox.collection import Kind, Record
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.payments import from_history
from xero_sandbox.documents import CREDIT_NOTES, CREDITS, OVERPAYMENTS, PREPAYMENTS
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.invoices import (
    EMPTY_INVOICE,
    READ,
    answer_one,
    with_contact,
    with_lines,
    with_text_dates,
)
from xero_sandbox.endpoints.listing import listed, page_of, select
from xero_sandbox.endpoints.payments import READ as READ_PAYMENTS
from xero_sandbox.problems import not_found
from xero_sandbox.wire import Reply, encode

ROOT = "/api.xro/2.0/"
SCOPES = {CREDIT_NOTES: READ, OVERPAYMENTS: READ_PAYMENTS, PREPAYMENTS: READ_PAYMENTS}


def credit_body(call: Call, kind: Kind, credit: Record, lines: bool = True, whole: bool = False) -> Record:
    shown = with_text_dates(with_contact(call, with_lines(call, credit, lines), whole))
    uses = [{**use, "Invoice": {**use["Invoice"], **EMPTY_INVOICE}} for use in shown["Allocations"]]
    return {**shown, "ID": shown[kind.key], "Allocations": uses}


def _list(kind: Kind) -> Callable[[Call], Reply]:
    def credits(call: Call) -> Reply:
        collection = call.organisation.collections[kind.plural]
        rows, paged = select(call, collection), bool({"page", "pageSize"} & set(call.params))
        page, pagination = page_of(call, rows) if paged else (rows, None)
        return listed(
            call, collection, [encode(credit_body(call, kind, row.record, paged)) for row in page], pagination
        )

    return credits


def _one(kind: Kind) -> Callable[[Call], Reply]:
    def credit(call: Call) -> Reply:
        row = call.organisation.collections[kind.plural].rows.get(call.parts["id"].lower())
        if row is None:
            raise not_found()
        return answer_one(call, kind, credit_body(call, kind, row.record, whole=True))

    return credit


ENDPOINTS = tuple(
    endpoint
    for kind in CREDITS
    for endpoint in (
        Endpoint("GET", ROOT + kind.plural, _list(kind), SCOPES[kind]),
        Endpoint("GET", ROOT + kind.plural + "/{id}", _one(kind), SCOPES[kind]),
    )
)
COLLECTIONS: Collections = tuple((kind, from_history(kind)) for kind in CREDITS)
