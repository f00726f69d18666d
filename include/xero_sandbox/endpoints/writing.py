"""PUT and POST of invoices and bills, credit notes and purchase orders."""

from __future__ import annotations

from collections.abc import Callable

from xero_sandbox.collection import Record
from xero_sandbox.documents import CREDIT_NOTES, INVOICES
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.credits import credit_body
from xero_sandbox.endpoints.invoices import invoice_body
from xero_sandbox.endpoints.purchase_orders import order_body
from xero_sandbox.wire import Reply
from xero_sandbox.writing.batch import write
from xero_sandbox.writing.forms import FORMS, Form

ROOT = "/api.xro/2.0/"
WRITE = ("accounting.invoices",)


def _shown(form: Form, call: Call, record: Record) -> Record:
    """As its GET by id shows it."""
    if form.kind is INVOICES:
        return invoice_body(call, record, whole_contact=True)
    if form.kind is CREDIT_NOTES:
        return credit_body(call, CREDIT_NOTES, record, whole=True)
    return order_body(call, record, whole=True)


def _writer(form: Form) -> Callable[[Call], Reply]:
    return lambda call: write(call, form, lambda call, record: _shown(form, call, record), call.parts.get("id", ""))


ENDPOINTS = tuple(
    Endpoint(method, ROOT + form.kind.plural + rest, _writer(form), WRITE)
    for form in FORMS
    for method, rest in (("PUT", ""), ("POST", ""), ("POST", "/{id}"))
)
