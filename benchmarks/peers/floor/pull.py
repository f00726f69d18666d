"""The floor: a bare script that loads Xero's contacts into a table, as the lower bound.

Uses requests, json, COPY and one upsert per page of 1,000, gzip, and If-Modified-Since from the second run on. It
checks nothing, logs nothing, knows no limits, retries nothing, and reads by page number in the server's default order.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import requests

COLUMNS = {
    "contact_id": "ContactID",
    "name": "Name",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "EmailAddress",
    "contact_number": "ContactNumber",
    "account_number": "AccountNumber",
    "company_number": "CompanyNumber",
    "tax_number": "TaxNumber",
    "is_customer": "IsCustomer",
    "is_supplier": "IsSupplier",
    "currency": "DefaultCurrency",
    "sales_account_code": "SalesDefaultAccountCode",
    "purchases_account_code": "PurchasesDefaultAccountCode",
    "sales_tax_type": "AccountsReceivableTaxType",
    "purchases_tax_type": "AccountsPayableTaxType",
    "status": "ContactStatus",
    "updated": "UpdatedDateUTC",
}
ADDRESS = ("AddressLine1", "AddressLine2", "City", "Region", "PostalCode", "Country")
NAMES = [*COLUMNS, "phone", *(f"address_{name.lower()}" for name in ADDRESS)]
TYPES = {"contact_id": "uuid PRIMARY KEY", "is_customer": "boolean", "is_supplier": "boolean"}
UPSERT = f"""
    INSERT INTO contact SELECT * FROM page
    ON CONFLICT (contact_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in NAMES[1:])}
"""  # noqa: S608


def row(contact: dict) -> list:
    phone = next((one.get("PhoneNumber") for one in contact.get("Phones", ()) if one["PhoneType"] == "DEFAULT"), None)
    street = next((one for one in contact.get("Addresses", ()) if one["AddressType"] == "STREET"), {})
    return [*(contact.get(field) for field in COLUMNS.values()), phone, *(street.get(name) for name in ADDRESS)]


def main() -> None:
    xero, began = os.environ["XERO_URL"], datetime.now(UTC)
    session = requests.Session()
    session.trust_env = False
    client = (os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    token = session.post(f"{xero}/connect/token", data={"grant_type": "client_credentials"}, auth=client).json()
    headers = {"Authorization": f"Bearer {token['access_token']}", "xero-tenant-id": os.environ["TENANT_ID"]}
    headers["Accept"] = "application/json"
    state = Path(os.environ["STATE"]) / "since"
    if state.exists():
        headers["If-Modified-Since"] = state.read_text()
    columns = ", ".join(f"{name} {TYPES.get(name, 'text')}" for name in NAMES)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS contact ({columns})")
        number, pages = 1, 1
        while number <= pages:
            params = {"page": number, "pageSize": 1000, "includeArchived": "true"}
            answer = session.get(f"{xero}/api.xro/2.0/Contacts", params=params, headers=headers)
            answer.raise_for_status()
            page = json.loads(answer.content)
            connection.execute("CREATE TEMP TABLE page (LIKE contact) ON COMMIT DROP")
            with connection.cursor().copy(f"COPY page ({', '.join(NAMES)}) FROM STDIN") as copy:
                for contact in page["Contacts"]:
                    copy.write_row(row(contact))
            connection.execute(UPSERT)
            connection.commit()
            number, pages = number + 1, page["pagination"]["pageCount"]
    state.write_text(f"{began - timedelta(minutes=2):%Y-%m-%dT%H:%M:%S}")


main()
