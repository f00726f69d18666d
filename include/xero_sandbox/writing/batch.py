"""A call that writes documents: all of them or none, or each for itself with summarizeErrors=false."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xero_sandbox.collection import Record
from xero_sandbox.endpoints.calling import Call, envelope
from xero_sandbox.problems import Problem
from xero_sandbox.wire import Reply, encode, json_reply
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.drafting import draft
from xero_sandbox.writing.finding import find, next_number
from xero_sandbox.writing.forms import Form
from xero_sandbox.writing.reading import elements, typed

NO_ID = "00000000-0000-0000-0000-000000000000"
Shown = Callable[[Call, Record], Record]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one element: as it is answered, and whether it was refused."""

    body: Record
    refused: bool


def write(call: Call, form: Form, shown: Shown, key: str = "") -> Reply:
    """PUT creates only, POST creates or changes, POST with a key changes that one. `shown` is the document as its GET
    shows it."""
    sent = [typed(element, form.dates) for element in elements(call, form.kind.plural)]
    if key:
        sent = [{**element, form.kind.key: key} for element in sent[:1]]
    desk = Desk(call.organisation, call.world.settings, call.world.clock, call.params.get("unitdp") == "4")
    try:
        written = [_write_one(call, desk, form, shown, element) for element in sent]
    except Problem:
        desk.undo()
        raise
    each = not key and call.params.get("summarizeErrors", "").lower() == "false"
    refused = [one.body for one in written if one.refused]
    if refused and not each:
        desk.undo()
        raise validation_failed(refused)
    bodies = [encode(one.body) for one in _in_order(desk, written)]
    return envelope(call, form.kind.plural, bodies)


def validation_failed(bodies: list[Record]) -> Problem:
    """The 400 of refused elements."""
    head = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
    return Problem(json_reply({**head, "Elements": bodies}, 400))


def _write_one(call: Call, desk: Desk, form: Form, shown: Shown, sent: Record) -> Written:
    found = Findings()
    old = find(desk, form, sent, call.method == "PUT", found)
    record: Record = {}
    if not found.errors:
        record = draft(desk, form, sent, old, found)
    warnings = {"Warnings": _messages(found.warnings)} if found.warnings else {}
    if found.errors:
        echo = {form.kind.key: NO_ID, **sent, "StatusAttributeString": "ERROR", "HasErrors": True}
        return Written({**echo, "ValidationErrors": _messages(found.errors), **warnings}, refused=True)
    for save in found.saves:
        save()
    if not record[form.number] and form.numbered(record["Type"]):
        record[form.number] = next_number(desk, form)
    collection = desk.collection(form.kind.plural)
    fields = {name: value for name, value in record.items() if name != "UpdatedDateUTC"}
    saved = desk.change(collection, old.key, fields, whole=True) if old else desk.add(collection, fields)
    state = "WARNING" if warnings else "OK"
    body = {**shown(call, saved), "StatusAttributeString": state, "HasErrors": False, "ValidationErrors": []}
    return Written(body | warnings, refused=False)


def _messages(texts: list[str]) -> list[Record]:
    return [{"Message": text} for text in texts]


def _in_order(desk: Desk, written: list[Written]) -> list[Written]:
    """As they were sent, unless the switch says otherwise."""
    match desk.settings.element_order:
        case "reversed":
            return written[::-1]
        case "errors_last":
            return sorted(written, key=lambda one: one.refused)
    return written
