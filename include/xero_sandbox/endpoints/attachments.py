"""Attachments of invoices, credit notes and purchase orders: raw bytes under their file name."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from xero_sandbox.collection import Record
from xero_sandbox.documents import PURCHASE_ORDERS
from xero_sandbox.endpoints.calling import Call, Endpoint, envelope
from xero_sandbox.endpoints.invoices import attachment_body
from xero_sandbox.organisation import Attachment
from xero_sandbox.problems import Problem, not_found, not_implemented
from xero_sandbox.wire import Reply, encode
from xero_sandbox.writing.batch import validation_failed
from xero_sandbox.writing.forms import FORMS, NOT_FOUND, Form

ROOT = "/api.xro/2.0/"
WRITE = ("accounting.attachments",)
READ = (*WRITE, "accounting.attachments.read")
MOST, LARGEST = 10, 10 * 1024 * 1024
FORBIDDEN = frozenset('<>:"/\\|?*\0+')


def _document(call: Call, form: Form) -> Record:
    row = call.organisation.collections[form.kind.plural].rows.get(call.parts["id"].lower())
    if row is None:
        raise not_found() if call.method == "GET" else _invalid(NOT_FOUND)
    if form.kind is PURCHASE_ORDERS and not call.world.settings.purchase_order_attachments:
        raise not_implemented()
    return row.record


def _invalid(message: str) -> Problem:
    return validation_failed([{"ValidationErrors": [{"Message": message}]}])


def _answer(call: Call, form: Form, attachments: list[Attachment]) -> Reply:
    path = f"{form.kind.plural}/{call.parts['id']}"
    return envelope(call, "Attachments", [encode(attachment_body(path, one)) for one in attachments])


def _attach(form: Form) -> Callable[[Call], Reply]:
    def attach(call: Call) -> Reply:
        document = _document(call, form)
        kept = call.organisation.attachments.setdefault(document[form.kind.key], [])
        new = _checked(call, form, document, kept)
        same = next((place for place, one in enumerate(kept) if one.name == new.name), len(kept))
        kept[same : same + 1] = [new]
        collection = call.organisation.collections[form.kind.plural]
        collection.change(document[form.kind.key], {"HasAttachments": True}, call.world.clock, touch=False)
        return _answer(call, form, [new])

    return attach


def _checked(call: Call, form: Form, document: Record, kept: list[Attachment]) -> Attachment:
    """The new attachment. It replaces one with the same name and keeps its id."""
    name, online = call.parts["name"], call.flag("IncludeOnline") or call.flag("includeOnline")
    same = next((one for one in kept if one.name == name), None)
    if FORBIDDEN.intersection(name):
        raise _invalid(f"The file name {name} contains characters that are not allowed.")
    if online and not form.sells(document):
        raise _invalid("IncludeOnline can only be set on sales invoices and sales credit notes.")
    if not call.body or len(call.body) > LARGEST:
        raise _invalid("The file must not be empty, and not larger than 10 MB.")
    if same is None and len(kept) >= MOST:
        raise _invalid(f"A document cannot have more than {MOST} attachments.")
    mime_type = call.headers.get("content-type", "application/octet-stream")
    return Attachment(same.id if same else str(uuid4()), name, mime_type, call.body, online)


def _list(form: Form) -> Callable[[Call], Reply]:
    def attachments(call: Call) -> Reply:
        document = _document(call, form)
        return _answer(call, form, call.organisation.attachments.get(document[form.kind.key], []))

    return attachments


def _content(form: Form) -> Callable[[Call], Reply]:
    def content(call: Call) -> Reply:
        """By id or file name."""
        document, name = _document(call, form), call.parts["name"]
        for one in call.organisation.attachments.get(document[form.kind.key], []):
            if name in (one.id, one.name):
                return Reply(200, one.content, one.mime_type)
        raise not_found()

    return content


def _endpoints(form: Form) -> tuple[Endpoint, ...]:
    path = ROOT + form.kind.plural + "/{id}/Attachments"
    named = path + "/(?P<name>.+?)"
    return (
        Endpoint("GET", path, _list(form), READ),
        Endpoint("GET", named, _content(form), READ),
        *(Endpoint(method, named, _attach(form), WRITE) for method in ("PUT", "POST")),
    )


ENDPOINTS = tuple(endpoint for form in FORMS for endpoint in _endpoints(form))
