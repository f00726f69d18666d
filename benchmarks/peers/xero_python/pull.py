"""xero-python 15.2.0, Xero's own SDK, in the loop that its samples lead to: pulls contacts once.

get_contacts page by page (PAGE_SIZE, including archived ones), one upsert per contact with psycopg 3.3.9, one commit
per page. The start of the last completed run is stored and sent as If-Modified-Since. Nothing is patched: the host is
an argument of AccountingApi, the token is fetched outside the SDK (`connect.py`). The SDK does not request gzip. On a
429 its urllib3 silently retries, 4 times in total, and sleeps as long as Retry-After says, at most six hours
(https://github.com/XeroAPI/xero-python/issues/199).
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from connect import accounting
from xero_python.accounting import Contact
from xero_python.api_client.serializer import serialize

TABLE = """
CREATE TABLE IF NOT EXISTS contacts (
    contact_id text PRIMARY KEY, name text, first_name text, last_name text, email text, contact_number text,
    account_number text, company_number text, tax_number text, status text, is_customer boolean, is_supplier boolean,
    currency text, phones jsonb, addresses jsonb, updated_at timestamptz
)
"""
UPSERT = """
INSERT INTO contacts VALUES (
    %(contact_id)s, %(name)s, %(first_name)s, %(last_name)s, %(email)s, %(contact_number)s,
    %(account_number)s, %(company_number)s, %(tax_number)s, %(status)s, %(is_customer)s, %(is_supplier)s,
    %(currency)s, %(phones)s, %(addresses)s, %(updated_at)s
)
ON CONFLICT (contact_id) DO UPDATE SET
    name = excluded.name, first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email,
    contact_number = excluded.contact_number, account_number = excluded.account_number,
    company_number = excluded.company_number, tax_number = excluded.tax_number, status = excluded.status,
    is_customer = excluded.is_customer, is_supplier = excluded.is_supplier, currency = excluded.currency,
    phones = excluded.phones, addresses = excluded.addresses, updated_at = excluded.updated_at
"""


def row(contact: Contact) -> dict[str, Any]:
    return {
        "contact_id": contact.contact_id,
        "name": contact.name,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "email": contact.email_address,
        "contact_number": contact.contact_number,
        "account_number": contact.account_number,
        "company_number": contact.company_number,
        "tax_number": contact.tax_number,
        "status": contact.contact_status,
        "is_customer": contact.is_customer,
        "is_supplier": contact.is_supplier,
        "currency": contact.default_currency.value if contact.default_currency else None,
        "phones": json.dumps(serialize(contact.phones or [])),
        "addresses": json.dumps(serialize(contact.addresses or [])),
        "updated_at": contact.updated_date_utc,
    }


def pull(connection: psycopg.Connection[Any], changes: dict[str, Any]) -> None:
    """Loads all pages into the table. `changes`: the filter for changed contacts."""
    api, size, page = accounting(), int(os.environ["PAGE_SIZE"]), 1
    while True:
        contacts = api.get_contacts(
            os.environ["TENANT_ID"], page=page, page_size=size, include_archived=True, **changes
        ).contacts
        for contact in contacts:
            connection.execute(UPSERT, row(contact))
        connection.commit()
        if len(contacts) < size:
            return
        page += 1


if __name__ == "__main__":
    kept = Path(os.environ["STATE"]) / "last_run"
    started = datetime.now(UTC).replace(microsecond=0)
    since = {"if_modified_since": datetime.fromisoformat(kept.read_text())} if kept.exists() else {}
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(TABLE)
        pull(connection, since)
    kept.write_text(started.isoformat())
