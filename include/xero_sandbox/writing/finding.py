"""Which document an element means: by id, or by a number that only one can have."""

from __future__ import annotations

from xero_sandbox.collection import Record, Row
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.forms import Form
from xero_sandbox.writing.reading import read_text


def find(desk: Desk, form: Form, sent: Record, creates_only: bool, found: Findings) -> Row | None:
    """The document that is there already; None for a new one, and when it is refused."""
    rows, key = desk.collection(form.kind.plural).rows, read_text(sent.get(form.kind.key, "")).lower()
    if key and key.strip("0-"):
        row = rows.get(key)
        if row is None:
            found.error(form.unknown)
        elif creates_only:
            found.error(form.taken)
        elif form.number in sent:
            _taken_by_another(desk, form, sent, row, found)
        return row
    others = _of_number(desk, form, form.type_of(sent), sent.get(form.number))
    alive = next((row for row in others if row.status not in form.enders), None)
    if alive and creates_only:
        found.error(form.taken)
    if others and not alive and not desk.settings.deleted_numbers_reusable:
        found.error(form.not_modifiable)
    return alive


def _taken_by_another(desk: Desk, form: Form, sent: Record, row: Row, found: Findings) -> None:
    """Another number must be free."""
    others = _of_number(desk, form, form.type_of(row.record), sent[form.number])
    if any(other.key != row.key and other.status not in form.enders for other in others):
        found.error(form.taken)


def _of_number(desk: Desk, form: Form, type_: object, number: object) -> list[Row]:
    """The documents with that number, of a type whose numbers are unique."""
    if not number or not form.numbered(type_):
        return []
    rows = desk.collection(form.kind.plural).having(form.number, read_text(number))
    return [row for row in rows if form.type_of(row.record) == type_]


def next_number(desk: Desk, form: Form) -> str:
    """One more than the greatest number that looks as if it were made up."""
    prefix = form.prefix.lower()
    values = desk.collection(form.kind.plural).values(form.number)
    counts = [value[len(prefix) :] for value in values if value.startswith(prefix)]
    return f"{form.prefix}{max((int(count) for count in counts if count.isdecimal()), default=0) + 1:04d}"
