"""What a bookkeeper changes on a document in Xero's own pages.

All of it while nothing was paid or allocated, else what leaves the amounts as they are: as Xero's help says in "Edit an
invoice, bill or credit note". The rules for lines, contacts, numbers and lock dates are those of the API.
"""

from __future__ import annotations

import re
from typing import Any

from xero_sandbox.collection import Record
from xero_sandbox.data.currencies import rate_of_the_day, rounded
from xero_sandbox.ledger import Ledger
from xero_sandbox.problems import Problem
from xero_sandbox.wire import decode
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.drafting import draft
from xero_sandbox.writing.finding import find
from xero_sandbox.writing.forms import FORMS, Form
from xero_sandbox.writing.modifying import ALLOCATED
from xero_sandbox.writing.reading import read_number, read_text, typed

CURRENCY = ("CurrencyCode", "CurrencyRate")
OTHERS = ("Contact", "LineAmountTypes", "LineItems", "SentToContact", *CURRENCY)
AMOUNTS = ("SubTotal", "TotalTax", "Total", *CURRENCY)
DATE_FIXED = "Date cannot be changed on an invoice that has payment or credit notes allocated to it"


def edit(ledger: Ledger, fields: dict[str, Any], **document: str) -> None:
    """Sets these fields, by Xero's names; None or "" empties a text or a date.

    LineItems are all lines of the document, in their order: one with its LineItemID keeps what it does not name, one
    without is new, one that is not there goes. An organisation has every currency here."""
    kind, before = ledger.named(document)
    form = next(form for form in FORMS if form.kind is kind)
    found = Findings()
    try:
        record = _edited(ledger, form, before, fields, found)
    except Problem as problem:
        raise ValueError(decode(problem.reply.body)["Message"]) from problem
    if not found.errors and any(before.get(name) for name in form.lists):
        found.error(*_against_paid(before, record))
    if found.errors or found.warnings:
        raise ValueError(" ".join([*found.errors, *found.warnings]))
    for save in found.saves:
        save()
    ledger.write(kind, record)


def _edited(ledger: Ledger, form: Form, before: Record, fields: dict[str, Any], found: Findings) -> Record:
    if not isinstance(fields, dict) or not fields:
        raise TypeError("fields must be an object of what is changed")
    if unknown := fields.keys() - _known(form, before):
        raise ValueError(f"{', '.join(sorted(unknown))} of this document cannot be edited")
    desk = Desk(ledger.organisation, ledger.settings, ledger.clock, four_places=True, by_hand=True)
    changes = {name: value for name, value in fields.items() if name not in CURRENCY}
    changes |= {name: changes[name] or None for name in form.dates if name in changes}
    changes |= {name: "" for name in form.texts if name in changes and changes[name] is None}
    sent = typed({**changes, form.kind.key: before[form.kind.key]}, form.dates)
    row = find(desk, form, sent, False, found)
    record = draft(desk, form, sent, row, found)
    if fields.keys() & set(CURRENCY):
        record |= _currency(fields, before, ledger.organisation.record.get("BaseCurrency"))
    return record


def _known(form: Form, record: Record) -> set[str]:
    """The fields that a bookkeeper sees on such a document. A bill shows its number as its reference."""
    hidden = {"Reference"} if record["Type"] == "ACCPAY" else set()
    return {*form.texts, *form.dates, *OTHERS} - hidden


def _currency(fields: Record, before: Record, base: object) -> Record:
    """A currency that is changed without a rate has the one of the day."""
    code = read_text(fields.get("CurrencyCode", before.get("CurrencyCode"))).upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError(f"{code} is not a currency")
    is_same = code == before.get("CurrencyCode") and "CurrencyRate" in before
    kept = before["CurrencyRate"] if is_same else rate_of_the_day(code, base)
    return {"CurrencyCode": code, "CurrencyRate": rounded(read_number(fields.get("CurrencyRate", kept)))}


def _against_paid(before: Record, record: Record) -> list[str]:
    """The words against changes of what was paid, credited or allocated."""
    if record["Date"] != before.get("Date"):
        return [DATE_FIXED]
    return [ALLOCATED] if any(record.get(name) != before.get(name) for name in AMOUNTS) else []
