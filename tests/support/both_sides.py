"""Documents as both sides have them, compared field by field: what must be open as a difference, by the tables and the
sandbox's whole truth alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.support.pushing import PRICED, Books, Row

GONE = ("VOIDED", "DELETED")
#: Column, field of Xero's, and what people call it.
TEXTS = (
    ("delivery_address", "DeliveryAddress", "delivery address"),
    ("attention_to", "AttentionTo", "attention"),
    ("telephone", "Telephone", "telephone"),
    ("delivery_instructions", "DeliveryInstructions", "delivery instructions"),
)
DATES = (
    ("issue_date", "Date", "date"),
    ("due_date", "DueDate", "due date"),
    ("delivery_date", "DeliveryDate", "delivery date"),
)
AMOUNTS = (("sub_total", "SubTotal", "net amount"), ("total_tax", "TotalTax", "tax"), ("total", "Total", "total"))
LINE = (
    ("description", "Description", "description"),
    ("quantity", "Quantity", "quantity"),
    ("unit_price", "UnitAmount", "unit price"),
    ("account_code", "AccountCode", "account"),
    ("tax_type", "TaxType", "tax code"),
)


def day(value: Any) -> date | None:
    if not value:
        return None
    if value.startswith("/Date("):
        return datetime.fromtimestamp(int(value[6:].split("+")[0].rstrip(")/")) / 1000, UTC).date()
    return date.fromisoformat(value[:10])


def reference(kind: str, row: Row) -> str | None:
    """What of a document becomes its reference in Xero."""
    match kind:
        case "invoices" | "purchase_orders":
            return row["reference"] or row["job_number"]
        case "credit_notes" if row["side"] == "customer":
            return str(row["reference"] or "") or None
    return None


def fields_that_differ(books: Books, kind: str, row: Row, record: Row) -> Iterator[str]:
    """The names of the fields in which a document of QicWorks' is not as its record in Xero."""
    [contact] = books.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", row["contact_id"])
    if row["number"] != record[PRICED[kind][3]]:
        yield "number"
    if str(contact["xero_id"]) != record["Contact"]["ContactID"]:
        yield "contact"
    if (reference(kind, row) or "") != (record.get("Reference") or "") and kind not in ("bills", "expenses"):
        yield "reference"
    for column, field, name in DATES:
        sent = column in row and (row[column] is not None or column == "delivery_date")
        if sent and (kind, column) != ("purchase_orders", "due_date") and row[column] != day(record.get(field)):
            yield name
    for column, field, name in TEXTS:
        if column in row and (row[column] or "") != (record.get(field) or ""):
            yield name
    for column, field, name in AMOUNTS:
        if row[column] != Decimal(str(record[field])):
            yield name
    yield from _lines(books.lines(kind, row["id"]), record["LineItems"])


def _lines(ours: list[Row], theirs: list[Row]) -> Iterator[str]:
    by_id = {line["LineItemID"]: line for line in theirs}
    known = [str(line["xero_line_id"]) for line in ours]
    if not set(known) & by_id.keys():
        known = [line["LineItemID"] for line in theirs[: len(ours)]]
        known += [""] * (len(ours) - len(known))
    for place, (line, id) in enumerate(zip(ours, known, strict=True), 1):
        if id not in by_id:
            yield f"line {place}"
            continue
        their = by_id[id]
        for column, field, name in LINE:
            if isinstance(line[column], Decimal):
                same = line[column] == Decimal(str(their[field]))
            else:  # Xero trims texts
                same = (line[column] or "").split() == (their[field] or "").split()
            if not same:
                yield f"line {place} {name}"
        option = [str(line["option_xero_id"])] if line["option_xero_id"] else []
        if option != [one["TrackingOptionID"] for one in their["Tracking"]]:
            yield f"line {place} departments"
    for place, line in enumerate(theirs, 1):
        if line["LineItemID"] not in known:
            yield f"line {place} in Xero"
