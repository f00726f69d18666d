"""Notes in the history of invoices, credit notes and purchase orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from xero_sandbox.collection import Record
from xero_sandbox.endpoints.calling import Call, Endpoint, envelope
from xero_sandbox.endpoints.invoices import READ
from xero_sandbox.problems import not_found
from xero_sandbox.wire import Reply, encode, ms_date
from xero_sandbox.writing.batch import validation_failed
from xero_sandbox.writing.forms import FORMS, NOT_FOUND, Form
from xero_sandbox.writing.reading import elements, read_text

LONGEST = 2500


def _notes(call: Call, form: Form) -> list[Record] | None:
    """What is noted of the document, None when there is no such document."""
    row = call.organisation.collections[form.kind.plural].rows.get(call.parts["id"].lower())
    return call.organisation.history.setdefault(row.key, []) if row else None


def _note(form: Form) -> Callable[[Call], Reply]:
    def note(call: Call) -> Reply:
        notes, texts = (
            _notes(call, form),
            [read_text(one.get("Details", "")) for one in elements(call, "HistoryRecords")],
        )
        wrong = None if notes is not None else NOT_FOUND
        if any(not text or len(text) > LONGEST for text in texts):
            wrong = f"Details must have between 1 and {LONGEST} characters."
        if wrong or notes is None:
            raise validation_failed([{"ValidationErrors": [{"Message": wrong}]}])
        now = call.world.clock.now_ms()
        said = f"{datetime.fromtimestamp(now / 1000, UTC):%Y-%m-%dT%H:%M:%S}"
        new: list[Record] = [
            {
                "Changes": "Note",
                "DateUTCString": said,
                "DateUTC": ms_date(now),
                "User": "System Generated",
                "Details": text,
            }
            for text in texts
        ]
        notes[:0] = new[::-1]
        return envelope(call, "HistoryRecords", [encode({**one, "ValidationErrors": []}) for one in new])

    return note


def _list(form: Form) -> Callable[[Call], Reply]:
    def history(call: Call) -> Reply:
        """The newest first."""
        notes = _notes(call, form)
        if notes is None:
            raise not_found()
        return envelope(call, "HistoryRecords", [encode(one) for one in notes])

    return history


ENDPOINTS = tuple(
    endpoint
    for form in FORMS
    for endpoint in (
        Endpoint("GET", f"/api.xro/2.0/{form.kind.plural}/{{id}}/History", _list(form), READ),
        Endpoint("PUT", f"/api.xro/2.0/{form.kind.plural}/{{id}}/History", _note(form), READ[:1]),
    )
)
