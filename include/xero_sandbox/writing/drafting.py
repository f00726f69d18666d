"""One document from what was sent and what was there before: its rules, in Xero's words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

from xero_sandbox.collection import Record, Row
from xero_sandbox.data.currencies import rate_of_the_day, rounded
from xero_sandbox.documents import CREDIT_NOTES, CREDITS, INVOICES, day, figures, settle, settle_credit
from xero_sandbox.wire import read_ms_date
from xero_sandbox.writing.contacts import contact_of
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.forms import Form
from xero_sandbox.writing.lines import KEPT, Terms, written_lines
from xero_sandbox.writing.modifying import may_change
from xero_sandbox.writing.reading import malformed, objects, read_number, read_text

AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}
NOT_SENT = "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."
LIMIT = "You have reached the limit of invoices you can approve"
BOUND = ("SUBMITTED", "AUTHORISED", "BILLED")
LOCKS = (("EndOfYearLockDate", "end of year"), ("PeriodLockDate", "period"))


def draft(desk: Desk, form: Form, sent: Record, old: Row | None, found: Findings) -> Record:
    """The document as it would be saved. What is wrong with it is in `found`."""
    record = old.record if old else _blank(desk, form, sent, found)
    for name in form.lists:
        record.setdefault(name, [])
    if old and not may_change(form, record, sent, found, desk.by_hand):
        return record
    before = dict(record)
    record["Status"] = _status(form, record, sent, found)
    if record["Status"] in form.enders:
        _complete(desk, form, record, before, found)
        return _settled(form, record)
    if "Contact" in sent or not old:
        record["Contact"] = contact_of(desk, form, sent.get("Contact"), found)
    _plain(desk, form, record, sent, found)
    record.setdefault("Date", day(date.fromisoformat(desk.today())))
    _lines(desk, form, record, sent, found)
    _complete(desk, form, record, before if old else None, found)
    if found.errors:
        return record
    return _settled(form, record)


def _blank(desk: Desk, form: Form, sent: Record, found: Findings) -> Record:
    kind = read_text(sent.get("Type", "")) if len(form.types) > 1 else form.types[0]
    if kind not in form.types:
        found.error(f"The Type must be one of {', '.join(form.types)}")
    record: Record = {
        "Type": kind,
        form.kind.key: str(uuid4()),
        form.number: "",
        "Status": "",
        "Reference": "",
        "CurrencyCode": desk.organisation.record.get("BaseCurrency"),
        "CurrencyRate": Decimal("1.0"),
        "SentToContact": False,
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
    }
    if form.kind is INVOICES:
        record |= {"Payments": [], **{kind.plural: [] for kind in CREDITS}}
        if kind == "ACCPAY":
            del record["Reference"]
    elif form.kind is CREDIT_NOTES:
        record |= {"Allocations": [], "Payments": []}
    return record


def _status(form: Form, record: Record, sent: Record, found: Findings) -> str:
    old = str(record["Status"])
    if old and "Status" not in sent:
        return old
    new = read_text(sent.get("Status", old or "DRAFT"))
    if not old and new not in form.created:
        found.error(form.not_creatable)
    if old and new not in form.turns.get(old, ()):
        found.error(form.not_modifiable)
    return new


def _plain(desk: Desk, form: Form, record: Record, sent: Record, found: Findings) -> None:
    """Texts, dates, currency, and whether it was sent to the contact."""
    for name, longest in form.texts.items():
        if name in sent and not (name == "Reference" and record["Type"] == "ACCPAY"):
            text = read_text(sent[name])
            if len(text) > longest:
                found.error(f"{name} must not be longer than {longest} characters.")
            record[name] = text
    record |= {name: sent[name] for name in form.dates if sent.get(name) is not None}
    for name in form.dates if desk.empties_dates else ():
        if name in sent and sent[name] is None and name != "Date":
            record[name] = None
    if "xero" in record.get("Url", "").lower():
        found.error("Url must not contain 'xero'.")
    if not desk.settings.urls_kept or not record.get("Url"):
        record.pop("Url", None)
    _currency(desk, record, sent, found)
    if "SentToContact" in sent:
        ready = record["Status"] in ("AUTHORISED", "BILLED")
        if sent["SentToContact"] is True and not ready and not form.posts:
            found.warnings.append(NOT_SENT)
        record["SentToContact"] = sent["SentToContact"] is True and ready


def _currency(desk: Desk, record: Record, sent: Record, found: Findings) -> None:
    """One that the organisation has. A rate that is not sent stays, or is that of the day; that of the own currency is
    always one."""
    base, before = desk.organisation.record.get("BaseCurrency"), record["CurrencyCode"]
    code = read_text(sent.get("CurrencyCode", "")).upper() or before
    if code not in (base, before) and code not in desk.collection("Currencies").rows:
        found.error(f"Organisation is not subscribed to currency {code}")
        return
    rate = record["CurrencyRate"] if code == before else rate_of_the_day(code, base)
    if "CurrencyRate" in sent and code != base:
        rate = rounded(read_number(sent["CurrencyRate"]))
        if rate <= 0:
            found.error("CurrencyRate must be greater than zero")
    record |= {"CurrencyCode": code, "CurrencyRate": rate}


def _lines(desk: Desk, form: Form, record: Record, sent: Record, found: Findings) -> None:
    """The lines and what they come to. Lines that are not sent stay, with the tax that they have."""
    before, old = record.get("LineAmountTypes"), record.get("LineItems", [])
    text = read_text(sent.get("LineAmountTypes", before or "Exclusive"))
    if text.lower() not in AMOUNT_TYPES:
        raise malformed(f"Error converting value \"{text}\" to type 'LineAmountTypes'.")
    types, places = AMOUNT_TYPES[text.lower()], 4 if form.always4 or desk.four_places else 2
    lines = objects(sent.get("LineItems", []), "LineItems")
    if "LineItems" not in sent:
        kept = ("LineItemID", "LineAmount", *KEPT, *(("TaxAmount",) if types == before else ()))
        lines, places = [{name: line[name] for name in kept if name in line} for line in old], 4
    bound = record["Status"] in BOUND
    if not lines and (bound or not form.posts):
        found.error("One or more line items must be specified")
    sale, kept = form.kind is INVOICES and form.sells(record), "LineItems" not in sent
    terms = Terms(types, bound, sale, places, kept, keeps_sums=desk.by_hand and types == before)
    record |= figures(written_lines(desk, terms, lines, old, found), types)
    discounted = [line for line in record["LineItems"] if "DiscountRate" in line]
    record["IsDiscounted"] = bool(discounted)
    if record["Total"] < 0:
        found.error("The Total for this document must be greater than or equal to zero.")


def _complete(desk: Desk, form: Form, record: Record, before: Record | None, found: Findings) -> None:
    """What a document must have once it is approved, and the days that are closed."""
    status, was = record["Status"], before and before["Status"]
    if form.kind is INVOICES and form.sells(record) and status == "AUTHORISED" and not record.get("DueDate"):
        found.error("Due date cannot be empty.")
    limit = desk.settings.approval_limit
    if form.kind is INVOICES and status == "AUTHORISED" != was:
        if limit is not None and desk.organisation.approved >= limit:
            found.error(LIMIT)
        found.saves.append(lambda: _count_approval(desk))
    if not form.posts:
        return
    drafts_too = desk.settings.lock_dates_bind_drafts
    locked = _locked(desk, before) if before and (was == "AUTHORISED" or drafts_too) else None
    if locked:
        found.error(f"The document cannot be edited as it is currently dated before the {locked[0]} lock date")
        return
    locked = _locked(desk, record) if status == "AUTHORISED" or (drafts_too and status in form.created) else None
    if locked:
        found.error("The document date cannot be before the {} lock date, currently set at {}".format(*locked))


def _count_approval(desk: Desk) -> None:
    desk.organisation.approved += 1


def _locked(desk: Desk, record: Record) -> tuple[str, str] | None:
    """Which lock date the document's day falls under, and that date; None when it is free."""
    dated = read_ms_date(record.get("Date")) or 0
    for name, words in LOCKS:
        lock = read_ms_date(desk.organisation.record.get(name))
        if lock is not None and dated <= lock:
            until = datetime.fromtimestamp(lock / 1000, UTC)
            return words, f"{until.day} {until:%B %Y}"
    return None


def _settled(form: Form, record: Record) -> Record:
    if form.kind is INVOICES:
        return settle(record)
    return settle_credit(record) if form.kind is CREDIT_NOTES else record
