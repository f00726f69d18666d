"""Writes what QicWorks has before its first pull: some of its staff, invoices pushed earlier, and organisations that
are not connected to Xero yet."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import requests

from demo.place import Place

STAFF = """
    INSERT INTO qicworks.staff (organisation_id, first_name, last_name, account_email, match_state)
    SELECT connection.organisation_id, %(FirstName)s, %(LastName)s, %(Email)s::text, 'none'
      FROM xero_sync.connection
     WHERE connection.tenant_id = %(tenant)s
       AND NOT EXISTS (SELECT FROM qicworks.staff AS held
                        WHERE held.organisation_id = connection.organisation_id
                          AND held.account_email = %(Email)s::text)
"""
# This project did not push them, so they have no seal: the owner of the tables vouches for their ids in Xero.
INVOICE = """
      WITH raised AS (
           INSERT INTO qicworks.invoice (organisation_id, number, reference, issue_date, due_date, currency, sub_total,
                                         total_tax, total, balance, status, push_state, xero_id, xero_status, pushed_at)
           SELECT organisation_id, %(InvoiceNumber)s, %(Reference)s, %(issued)s, %(due)s, %(CurrencyCode)s,
                  %(SubTotal)s, %(TotalTax)s, %(Total)s, %(Total)s, 'Un-paid', 'pushed', %(InvoiceID)s, 'DRAFT',
                  %(issued)s
             FROM xero_sync.connection WHERE tenant_id = %(tenant)s
               ON CONFLICT DO NOTHING
        RETURNING id, xero_id, push_version)
    INSERT INTO xero_sync.link_before_seals (document_id, tenant_id, xero_id, version)
    SELECT id, %(tenant)s, xero_id, push_version FROM raised
"""
# For the Xero organisations that a user may connect: one has the same name, the other has to be matched by hand.
ORGANISATION = """
    INSERT INTO qicworks.organisation (name)
    SELECT %(name)s::text WHERE NOT EXISTS (SELECT FROM qicworks.organisation WHERE name = %(name)s::text)
"""
# A restarted sandbox knows no earlier sign-in.
MARK_TO_RECONNECT = """
      WITH forgotten AS (
           UPDATE xero_sync.token SET state = 'broken', broken_reason = %(reason)s
            WHERE airflow_conn_id = 'xero_app' AND state = 'ok' RETURNING id)
    UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = %(reason)s
      FROM forgotten WHERE connection.token_id = forgotten.id AND connection.state = 'connected'
"""
REASON = "The sandbox was restarted and has forgotten earlier sign-ins. Connect to Xero again."
UNCONNECTED = ("Huon Valley Refrigeration Pty Ltd", "TEPTC Darwin Depot")


def add(place: Place) -> None:
    """Writes them; safe to run again. Employees and invoices with QicWorks' numbers come from the sandbox."""
    with requests.Session() as session, psycopg.connect(f"{place.postgres}/qicworks") as connection:
        session.trust_env = False

        def ask(path: str) -> Any:
            response = session.get(f"{place.sandbox}/sandbox/organisations{path}", timeout=60)
            response.raise_for_status()
            return response.json()

        for name in UNCONNECTED:
            connection.execute(ORGANISATION, {"name": name})
        for organisation in ask(""):
            tenant = organisation["tenant"]
            for employee in some_of(ask(f"/{tenant}/Employees")):
                connection.execute(STAFF, {**employee, "tenant": tenant})
            for invoice in ask(f"/{tenant}/Invoices"):
                if invoice["Type"] == "ACCREC" and str(invoice.get("InvoiceNumber")).startswith("IV-"):
                    dates = {"issued": day(invoice["Date"]), "due": day(invoice.get("DueDate"))}
                    connection.execute(INVOICE, {"Reference": None, **invoice, **dates, "tenant": tenant})


def forget_consents(place: Place) -> None:
    """Marks the connections that users made as needing to be reconnected."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        connection.execute(MARK_TO_RECONNECT, {"reason": REASON})


def some_of(employees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Three with a unique email: QicWorks knows them already, so the pull links them."""
    emails = [employee.get("Email") for employee in employees]
    return [one for one in employees if one.get("Email") and emails.count(one["Email"]) == 1][:3]


def day(date: str | None) -> datetime | None:
    """Parses a `/Date(ms+0000)/`."""
    return datetime.fromtimestamp(int(date[6:].split("+")[0].rstrip(")/")) / 1000, UTC) if date else None
