"""Compares the documents in Xero with those in QicWorks, field by field. Shares no code with the push."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from demo.colleagues import Colleagues
from demo.documents import Connection, Placed
from demo.place import Place

#: table → collection, id field and number field in Xero
XERO_FIELDS = {
    "invoice": ("Invoices", "InvoiceID", "InvoiceNumber"),
    "bill": ("Invoices", "InvoiceID", "InvoiceNumber"),
    "expense": ("Invoices", "InvoiceID", "InvoiceNumber"),
    "credit_note": ("CreditNotes", "CreditNoteID", "CreditNoteNumber"),
    "purchase_order": ("PurchaseOrders", "PurchaseOrderID", "PurchaseOrderNumber"),
}
TYPES = {"invoice": "ACCREC", "bill": "ACCPAY", "expense": "ACCPAY"}
SIDES = {"customer": "ACCRECCREDIT", "supplier": "ACCPAYCREDIT"}

DOCUMENT = SQL(
    """
    SELECT document.*, contact.xero_id AS contact_xero_id
      FROM qicworks.{table} AS document LEFT JOIN qicworks.contact ON contact.id = document.contact_id
     WHERE document.id = %(id)s
    """
)
LINES = SQL(
    """
    SELECT line.description, line.quantity, line.unit_price, line.line_total, line.tax_amount,
           account.code, tax.tax_type,
           array_remove(ARRAY[one_category.name || ': ' || one.name, other_category.name || ': ' || other.name], NULL)
               AS departments
      FROM qicworks.document_line AS line
      LEFT JOIN qicworks.account ON account.id = line.account_id
      LEFT JOIN qicworks.tax_code AS tax ON tax.id = line.tax_code_id
      LEFT JOIN qicworks.tracking_option AS one ON one.id = line.tracking_option_id
      LEFT JOIN qicworks.tracking_category AS one_category ON one_category.id = one.tracking_category_id
      LEFT JOIN qicworks.tracking_option AS other ON other.id = line.second_tracking_option_id
      LEFT JOIN qicworks.tracking_category AS other_category ON other_category.id = other.tracking_category_id
     WHERE line.parent_type = %(table)s AND line.parent_id = %(id)s ORDER BY line.line_number
    """
)
INVOICES = """
    SELECT invoice.*, organisation.name AS organisation, connection.tenant_id
      FROM qicworks.invoice JOIN qicworks.organisation ON organisation.id = invoice.organisation_id
      JOIN xero_sync.connection ON connection.organisation_id = organisation.id
     WHERE invoice.xero_id IS NOT NULL AND connection.state <> 'deleted'
"""
FILES = SQL("SELECT * FROM qicworks.attachment WHERE parent_type = %(table)s AND parent_id = %(id)s")


def differences(place: Place, placed: list[Placed]) -> list[str]:
    """Lists what differs from the samples: valid documents not in Xero as expected, faulty ones that did not fail."""
    assert placed, "nothing to compare proves nothing"
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as xero:
        books = Books(connection, xero)
        return [f"{one.organisation}, {one.name}: {says}" for one in placed for says in books.wrong(one)]


def unbalanced(place: Place) -> list[str]:
    """Lists invoices whose paid, credited or due amounts differ between QicWorks and Xero."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as xero:
        invoices = connection.execute(INVOICES).fetchall()
        tenants = {invoice["tenant_id"] for invoice in invoices}
        assert tenants, "no invoice was pushed: this proves nothing"
        there = {record["InvoiceID"]: record for tenant in tenants for record in xero.ask(f"/{tenant}/Invoices")}
    amounts = {"paid_to_date": "AmountPaid", "credited": "AmountCredited", "balance": "AmountDue"}
    return [
        f"{invoice['organisation']}, invoice {invoice['number']}: {column} is {invoice[column]}, in Xero "
        f"{there[str(invoice['xero_id'])][field]}"
        for invoice in invoices
        for column, field in amounts.items()
        if not _same(invoice[column], there[str(invoice["xero_id"])][field])
    ]


class Books:
    """The documents of both sides."""

    def __init__(self, connection: Connection, xero: Colleagues) -> None:
        self.connection = connection
        self.xero = xero
        self._known: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def wrong(self, placed: Placed) -> Iterator[str]:
        sample = placed.sample
        row = self._one(DOCUMENT.format(table=Identifier(sample.table)), placed)
        found = self._in_xero(placed, row)
        if sample.error:
            yield from failed(row, sample.error, sample.correction or "")
            if row["xero_id"]:
                yield f"it failed, and exists in Xero as {row['xero_id']}"
        elif row["push_state"] == sample.push_state == "draft":
            if found:
                yield f"it is a draft in QicWorks, and exists in Xero {len(found)} times"
        elif row["push_state"] != "pushed":
            yield f"it is {row['push_state']}: {row['push_error']} {row['push_correction']}"
        elif len(found) != 1:
            yield f"it exists in Xero {len(found)} times"
        else:
            yield from self._unlike(placed, row, found[0])

    def _in_xero(self, placed: Placed, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every record in Xero with its number, contact and type."""
        collection, _, number = XERO_FIELDS[placed.sample.table]
        return [
            record
            for record in self._records(placed.tenant, collection)
            if record.get(number) == row["number"]
            and record["Contact"]["ContactID"] == str(row["contact_xero_id"])
            and record.get("Type") in (_type(placed, row), "PURCHASEORDER")
        ]

    def _unlike(self, placed: Placed, row: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
        table = placed.sample.table
        expected = {
            XERO_FIELDS[table][1]: str(row["xero_id"]),
            "Status": "DRAFT",
            "Date": row["issue_date"],
            "CurrencyCode": row["currency"],
            "LineAmountTypes": row["line_amount_types"],
            "SubTotal": row["sub_total"],
            "TotalTax": row["total_tax"],
            "Total": row["total"],
        }
        if table in TYPES:
            expected["DueDate"] = row["due_date"]
        if table in ("invoice", "purchase_order") or row.get("side") == "customer":
            expected["Reference"] = row["reference"] or (row["job_number"] if table != "credit_note" else None)
        if table == "purchase_order":
            delivery = ("DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions")
            columns = ("delivery_address", "attention_to", "telephone", "delivery_instructions")
            expected |= {field: row[column] for field, column in zip(delivery, columns, strict=True)}
            expected["DeliveryDate"] = row["delivery_date"]
        for field, ours in expected.items():
            theirs = record.get(field)
            if not _same(ours, theirs):
                yield f"{field} is {theirs!r} in Xero, {ours!r} in QicWorks"
        yield from self._unlike_lines(placed, row, record)
        yield from self._unlike_files(placed, row)

    def _unlike_lines(self, placed: Placed, row: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[str]:
        ours, theirs = self._all(LINES, placed), record["LineItems"]
        if len(ours) != len(theirs):
            yield f"{len(theirs)} lines in Xero, {len(ours)} in QicWorks"
            return
        for at, (line, item) in enumerate(zip(ours, theirs, strict=True), 1):
            pairs = {
                "Description": (line["description"], item.get("Description")),
                "Quantity": (line["quantity"], item.get("Quantity")),
                "UnitAmount": (line["unit_price"], item.get("UnitAmount")),
                "LineAmount": (line["line_total"], item.get("LineAmount")),
                "TaxAmount": (line["tax_amount"], item.get("TaxAmount")),
                "AccountCode": (line["code"], item.get("AccountCode")),
                "TaxType": (line["tax_type"], item.get("TaxType")),
            }
            for field, (one, other) in pairs.items():
                if not _same(one, other):
                    yield f"line {at}: {field} is {other!r} in Xero, {one!r} in QicWorks"
            tracked = [f"{choice['Name']}: {choice['Option']}" for choice in item.get("Tracking", ())]
            if sorted(tracked) != sorted(line["departments"]):
                yield f"line {at}: {tracked} in Xero, {line['departments']} in QicWorks"

    def _unlike_files(self, placed: Placed, row: Mapping[str, Any]) -> Iterator[str]:
        """Compares the attachments byte for byte."""
        ours = {
            file["file_name"]: (file["mime_type"], hashlib.sha256(file["content"]).hexdigest())
            for file in self._all(FILES, placed)
        }
        theirs = {
            file["FileName"]: (file["MimeType"], file["sha256"])
            for file in self.xero.ask(f"/{placed.tenant}/attachments/{row['xero_id']}")
        }
        if ours != theirs:
            yield f"attachments {sorted(theirs)} in Xero, {sorted(ours)} in QicWorks, or not the same bytes"

    def _records(self, tenant: str, collection: str) -> list[dict[str, Any]]:
        """All records of the sandbox, fetched once."""
        if (tenant, collection) not in self._known:
            self._known[tenant, collection] = self.xero.ask(f"/{tenant}/{collection}")
        return self._known[tenant, collection]

    def _all(self, query: Any, placed: Placed) -> list[dict[str, Any]]:
        return self.connection.execute(query, {"id": placed.id, "table": placed.sample.table}).fetchall()

    def _one(self, query: Any, placed: Placed) -> dict[str, Any]:
        [row] = self._all(query, placed)
        return row


def failed(row: Mapping[str, Any], error: str, correction: str) -> Iterator[str]:
    if row["push_state"] != "failed":
        yield f"it was to fail ({error}), and is {row['push_state']}"
    elif error not in row["push_error"]:
        yield f"it failed for another reason: {row['push_error']}"
    elif correction not in row["push_correction"]:
        yield f"the correction is not the one for {error}: {row['push_correction']}"


def _type(placed: Placed, row: Mapping[str, Any]) -> str | None:
    return TYPES.get(placed.sample.table) or SIDES.get(row.get("side") or "")


def _same(ours: Any, theirs: Any) -> bool:
    """Compares numbers by value and dates by day; None equals an empty text."""
    if isinstance(ours, Decimal):
        return theirs is not None and Decimal(str(theirs)) == ours
    if hasattr(ours, "isoformat"):
        return day(theirs) == ours.isoformat()
    return (ours or None) == (theirs or None)


def day(date: str | None) -> str | None:
    """The day of a `/Date(ms+0000)/`."""
    if not date:
        return None
    return datetime.fromtimestamp(int(date[6:].split("+")[0].rstrip(")/")) / 1000, UTC).date().isoformat()
