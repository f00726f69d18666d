"""Writes the invoices that QicWorks pushed before: those of the sandbox with QicWorks' numbers, with all their parts.

Their contacts, accounts, tax codes and tracking options must be pulled first.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from demo.colleagues import Colleagues
from demo.place import Place

OURS = "IV-"  # how QicWorks' numbers begin
GONE = ("VOIDED", "DELETED")

CONNECTIONS = "SELECT id, organisation_id, tenant_id FROM xero_sync.connection WHERE state <> 'deleted'"
KNOWN = """
    SELECT 'Contact' AS kind, xero_id::text AS key, id FROM qicworks.contact WHERE connection_id = %(id)s
     UNION ALL SELECT 'Account', xero_id::text, id FROM qicworks.account WHERE connection_id = %(id)s
     UNION ALL SELECT 'Tax', tax_type, id FROM qicworks.tax_code WHERE connection_id = %(id)s
     UNION ALL SELECT 'Tracking', xero_id::text, id FROM qicworks.tracking_option WHERE connection_id = %(id)s
"""
# Ready only within the transaction: the parts of a pushed invoice cannot be written without making it ready.
INVOICE = """
    INSERT INTO qicworks.invoice AS held (
           organisation_id, number, reference, contact_id, issue_date, due_date, currency, line_amount_types, sub_total,
           total_tax, total, balance, status, push_state, xero_id, xero_status, pushed_at)
    VALUES (%(organisation_id)s, %(InvoiceNumber)s, %(Reference)s, %(contact_id)s, %(issued)s, %(due)s,
           %(CurrencyCode)s, %(LineAmountTypes)s, %(SubTotal)s, %(TotalTax)s, %(Total)s, %(Total)s, 'Un-paid',
           'ready', %(InvoiceID)s, %(xero_status)s, %(pushed_at)s)
        ON CONFLICT (organisation_id, xero_id) DO UPDATE SET
           number = excluded.number, reference = excluded.reference, contact_id = excluded.contact_id,
           issue_date = excluded.issue_date, due_date = excluded.due_date, currency = excluded.currency,
           line_amount_types = excluded.line_amount_types, sub_total = excluded.sub_total,
           total_tax = excluded.total_tax, total = excluded.total, push_state = excluded.push_state
     WHERE %(recreate)s
 RETURNING id
"""
DELETE_LINES = "DELETE FROM qicworks.document_line WHERE parent_type = 'invoice' AND parent_id = %s"
LINE = """
    INSERT INTO qicworks.document_line (
           parent_type, parent_id, line_number, description, quantity, unit, unit_price, line_total, tax_amount,
           account_id, tax_code_id, tracking_option_id, second_tracking_option_id, xero_line_id)
    VALUES ('invoice', %(parent_id)s, %(line_number)s, %(Description)s, %(Quantity)s, 'ea', %(UnitAmount)s,
           %(LineAmount)s, %(TaxAmount)s, %(account_id)s, %(tax_code_id)s, %(tracking_option_id)s,
           %(second_tracking_option_id)s, %(LineItemID)s)
"""
# This project did not push them, so they have no seal: the owner of the tables vouches for their ids in Xero.
PUSHED = """
      WITH pushed AS (
           UPDATE qicworks.invoice SET push_state = %(push_state)s WHERE id = %(id)s
        RETURNING id, xero_id, push_version)
    INSERT INTO xero_sync.link_before_seals (document_id, tenant_id, xero_id, version)
    SELECT id, %(tenant)s, xero_id, push_version FROM pushed
        ON CONFLICT (document_id) DO UPDATE SET
           tenant_id = excluded.tenant_id, xero_id = excluded.xero_id, version = excluded.version, vouched_at = now()
"""

Connection = psycopg.Connection[dict[str, Any]]
Known = Mapping[tuple[str, str], UUID]  # (what it is, its id in Xero) → its id in QicWorks


def add(place: Place, *, recreate: bool) -> None:
    """Writes them for every connected organisation. Existing ones stay, unless `recreate`."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as xero:
        write_all(connection, xero, recreate=recreate)


def write_all(connection: Connection, xero: Colleagues, *, recreate: bool) -> None:
    """Leaves out an invoice of which QicWorks does not know a part: its organisation was not pulled, for instance."""
    for organisation in connection.execute(CONNECTIONS).fetchall():
        rows = connection.execute(KNOWN, organisation)
        known = {(row["kind"], row["key"]): row["id"] for row in rows}
        for invoice in xero.ask(f"/{organisation['tenant_id']}/Invoices"):
            if is_ours(invoice) and set(parts(invoice)) <= known.keys():
                write(connection, organisation, known, invoice, recreate)


def is_ours(invoice: Mapping[str, Any]) -> bool:
    return invoice["Type"] == "ACCREC" and str(invoice.get("InvoiceNumber")).startswith(OURS)


def parts(invoice: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What QicWorks must know to have this invoice."""
    yield "Contact", invoice["Contact"]["ContactID"]
    for line in invoice["LineItems"]:
        yield "Account", line["AccountID"]
        yield "Tax", line["TaxType"]
        for option in line["Tracking"]:
            yield "Tracking", option["TrackingOptionID"]


def write(
    connection: Connection,
    organisation: Mapping[str, Any],
    known: Known,
    invoice: Mapping[str, Any],
    recreate: bool,
) -> None:
    """Writes one as it was pushed; what happened to it since, the pulls bring. One that is voided or deleted in Xero
    was set to skipped in QicWorks."""
    is_gone, issued = invoice["Status"] in GONE, instant(invoice["Date"])
    columns = {
        "organisation_id": organisation["organisation_id"],
        "contact_id": known["Contact", invoice["Contact"]["ContactID"]],
        "issued": issued.date(),
        "due": instant(invoice["DueDate"]).date() if invoice.get("DueDate") else None,
        "xero_status": invoice["Status"] if is_gone else "DRAFT",
        "pushed_at": issued,
        "recreate": recreate,
    }
    row = connection.execute(INVOICE, {"Reference": None, **exact(invoice), **columns}).fetchone()
    if row is None:
        return
    connection.execute(DELETE_LINES, [row["id"]])
    for line_number, line in enumerate(invoice["LineItems"], 1):
        departments = [known["Tracking", option["TrackingOptionID"]] for option in line["Tracking"]] + [None, None]
        of_line = {
            "parent_id": row["id"],
            "line_number": line_number,
            "account_id": known["Account", line["AccountID"]],
            "tax_code_id": known["Tax", line["TaxType"]],
            "tracking_option_id": departments[0],
            "second_tracking_option_id": departments[1],
        }
        connection.execute(LINE, {**exact(line), **of_line})
    push_state = "skipped" if is_gone else "pushed"
    connection.execute(PUSHED, {"id": row["id"], "tenant": organisation["tenant_id"], "push_state": push_state})


def exact(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without floats, as which its amounts came with the JSON."""
    return {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in record.items()}


def instant(date: str) -> datetime:
    """Parses a `/Date(ms+0000)/`."""
    return datetime.fromtimestamp(int(date[6:].split("+")[0].rstrip(")/")) / 1000, UTC)
