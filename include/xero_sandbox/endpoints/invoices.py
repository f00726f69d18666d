"""Invoices and bills, to read: lists (paged or not, or as summaries) and each one whole."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import quote

from xero_sandbox.collection import Kind, Record, Row
from xero_sandbox.data.firms import Collections
from xero_sandbox.data.payments import from_history
from xero_sandbox.documents import CREDITS, INVOICES, cents
from xero_sandbox.endpoints import unknown
from xero_sandbox.endpoints.calling import Call, Endpoint, envelope
from xero_sandbox.endpoints.listing import listed, page_of, select
from xero_sandbox.endpoints.where import field
from xero_sandbox.organisation import Attachment
from xero_sandbox.problems import not_found
from xero_sandbox.wire import Reply, encode, read_ms_date

PATH = "/api.xro/2.0/Invoices"
READ = ("accounting.invoices", "accounting.invoices.read")

NOT_IN_SUMMARY = frozenset(
    ("LineItems", "Payments", *(kind.plural for kind in CREDITS), "HasAttachments", "Attachments", "InvoiceAddresses")
)
#: What documents quoted inside others carry besides their ids.
EMPTY_INVOICE: Record = {
    "Payments": [],
    **{kind.plural: [] for kind in CREDITS},
    "HasErrors": False,
    "IsDiscounted": False,
    "LineItems": [],
}
EMPTY_CONTACT: Record = {name: [] for name in ("Addresses", "Phones", "ContactGroups", "ContactPersons")}
EMPTY_CONTACT["HasValidationErrors"] = False


def moment_text(value: object, form: str) -> str | None:
    """A `/Date(…)/` as text; None for what is none, and so not said twice."""
    milliseconds = read_ms_date(value)
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).strftime(form)


def with_text_dates(record: Record) -> Record:
    """The record with its dates also as text, and without FullyPaidOnDate while there is none."""
    texts = {f"{name}String": moment_text(record.get(name), "%Y-%m-%dT00:00:00") for name in ("Date", "DueDate")}
    texts["UpdatedDateUTCString"] = moment_text(record.get("UpdatedDateUTC"), "%Y-%m-%dT%H:%M:%SZ")
    shown = {name: value for name, value in record.items() if (name, value) != ("FullyPaidOnDate", None)}
    return shown | {name: text for name, text in texts.items() if text}


def with_lines(call: Call, record: Record, lines: bool = True) -> Record:
    """The record with its lines' unit amounts to 2 or, with unitdp=4, to 4 places; or with no lines."""
    if not lines:
        return {**record, "LineItems": []}
    if call.params.get("unitdp") != "4" and isinstance(record.get("LineItems"), list):
        for line in record["LineItems"]:
            if isinstance(line.get("UnitAmount"), Decimal):
                line["UnitAmount"] = cents(line["UnitAmount"])
    return record


def with_contact(call: Call, record: Record, whole: bool = False) -> Record:
    """The record with its contact as lists show it, or whole."""
    contact = record.get("Contact")
    if not isinstance(contact, dict):
        return record
    row = call.organisation.collections["Contacts"].rows.get(str(contact.get("ContactID"))) if whole else None
    return {**record, "Contact": row.record if row else {**contact, **EMPTY_CONTACT}}


def invoice_body(call: Call, record: Record, lines: bool = True, whole_contact: bool = False) -> Record:
    for kind in CREDITS:
        credits = record.get(kind.plural)
        if isinstance(credits, list):
            record[kind.plural] = [_applied(kind, credit) for credit in credits]
    return with_text_dates(with_contact(call, with_lines(call, record, lines), whole_contact))


def _applied(kind: Kind, credit: Record) -> Record:
    text = moment_text(credit.get("Date"), "%Y-%m-%dT00:00:00")
    return {**credit, "ID": credit[kind.key], "DateString": text, "HasErrors": False, "LineItems": []}


def _summary(record: Record) -> Record:
    return {name: value for name, value in with_text_dates(record).items() if name not in NOT_IN_SUMMARY}


def _asked(call: Call, name: str) -> frozenset[str]:
    return frozenset(part.strip().lower() for part in call.params.get(name, "").split(",")) - {""}


def invoices(call: Call) -> Reply:
    """Oldest change first, unless another order is asked for."""
    call.params.setdefault("order", "UpdatedDateUTC ASC")
    ids, statuses = _asked(call, "IDs"), _asked(call, "Statuses")
    numbers, contacts, ours = _asked(call, "InvoiceNumbers"), _asked(call, "ContactIDs"), call.flag("createdByMyApp")

    def keep(row: Row) -> bool:
        if (ids and row.key not in ids) or (statuses and row.status.lower() not in statuses):
            return False
        record = row.record if numbers or contacts or ours else {}
        return (
            (not numbers or str(record.get("InvoiceNumber")).lower() in numbers)
            and (not contacts or str(field(record, "Contact.ContactID")) in contacts)
            and (not ours or "Url" in record)
        )

    collection = call.organisation.collections[INVOICES.plural]
    chosen = (ids, statuses, numbers, contacts, ours)
    rows = select(call, collection, keep if any(chosen) else None, chosen)
    if call.flag("summaryOnly"):
        page, pagination = page_of(call, rows)
        return listed(call, collection, [encode(_summary(row.record)) for row in page], pagination)
    if "page" not in call.params and "pageSize" not in call.params:
        return listed(call, collection, [encode(invoice_body(call, row.record, lines=False)) for row in rows])
    page, pagination = page_of(call, rows)
    return listed(call, collection, [encode(invoice_body(call, row.record)) for row in page], pagination)


def attachment_body(path: str, attachment: Attachment) -> Record:
    return {
        "AttachmentID": attachment.id,
        "FileName": attachment.name,
        "Url": f"https://api.xero.com/api.xro/2.0/{path}/Attachments/{quote(attachment.name)}",
        "MimeType": attachment.mime_type,
        "ContentLength": len(attachment.content),
        "IncludeOnline": attachment.online,
    }


def answer_one(call: Call, kind: Kind, record: Record) -> Reply:
    attached = call.organisation.attachments.get(record[kind.key])
    if attached:
        path = f"{kind.plural}/{record[kind.key]}"
        record = {**record, "Attachments": [attachment_body(path, one) for one in attached]}
    body = encode(record)
    return envelope(call, kind.plural, [unknown.add(kind, body) if call.world.settings.unknown_fields else body])


def invoice(call: Call) -> Reply:
    """By id or number; among several of one number the sales invoice, then the one that was changed last."""
    collection, name = call.organisation.collections[INVOICES.plural], call.parts["id"]
    row = collection.rows.get(name.lower())
    if row is None:
        named = collection.having("InvoiceNumber", name)
        if not named:
            raise not_found()
        row = max(named, key=lambda row: (row.record.get("Type") == "ACCREC", row.place))
    return answer_one(call, INVOICES, invoice_body(call, row.record, whole_contact=True))


ENDPOINTS = (Endpoint("GET", PATH, invoices, READ), Endpoint("GET", PATH + "/{id}", invoice, READ))
COLLECTIONS: Collections = ((INVOICES, from_history(INVOICES)),)
