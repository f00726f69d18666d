"""Declares contacts: customers and suppliers. Archived and merged ones are kept as inactive.

Xero's response also has bank account details, which are not needed here, and balances, which change without the
contact's `UpdatedDateUTC`. Neither is read.
"""

import json

from xero.datasets.declaration import (
    UPDATED,
    Column,
    ColumnType,
    Dataset,
    Follows,
    Part,
    Reading,
    Record,
    Rule,
    Source,
    Table,
    known_status,
    status_column,
)
from xero.documents.contacts import address, phone, postal


def persons(record: Record) -> str | None:
    """Further persons of the contact, as JSON; None if there are none."""
    found = [
        {
            "first_name": person.get("FirstName") or "",
            "last_name": person.get("LastName") or "",
            "email": person.get("EmailAddress") or "",
            "include_in_emails": person.get("IncludeInEmails") is True,
        }
        for person in record.get("ContactPersons") or ()
    ]
    return json.dumps(found, ensure_ascii=False) if found else None


def in_use(record: Record) -> bool:
    merged = record.get("MergedToContactID")
    return record.get("ContactStatus") == "ACTIVE" and (not merged or not str(merged).strip("0-"))


CONTACT = Table(
    "contact",
    columns=(
        Column("xero_id", "ContactID", ColumnType.UUID, required=True),
        Column("name", "Name", required=True, max_length=255),
        Column("first_name", "FirstName", max_length=255),
        Column("last_name", "LastName", max_length=255),
        Column("email", "EmailAddress", max_length=255),
        Column("phone", phone, max_length=100),
        Column("contact_number", "ContactNumber", max_length=50),
        Column("account_number", "AccountNumber", max_length=50),
        Column("company_number", "CompanyNumber", max_length=50),
        Column("tax_number", "TaxNumber", max_length=50),
        Column("is_customer", "IsCustomer", ColumnType.BOOLEAN),
        Column("is_supplier", "IsSupplier", ColumnType.BOOLEAN),
        Column("address_line1", Part(address, "AddressLine1"), max_length=500),
        Column("address_line2", Part(address, "AddressLine2"), max_length=500),
        Column("city", Part(address, "City"), max_length=255),
        Column("region", Part(address, "Region"), max_length=255),
        Column("postal_code", Part(address, "PostalCode"), max_length=50),
        Column("country", Part(address, "Country"), max_length=50),
        Column("po_address_line1", Part(postal, "AddressLine1"), max_length=500),
        Column("po_address_line2", Part(postal, "AddressLine2"), max_length=500),
        Column("po_city", Part(postal, "City"), max_length=255),
        Column("po_region", Part(postal, "Region"), max_length=255),
        Column("po_postal_code", Part(postal, "PostalCode"), max_length=50),
        Column("po_country", Part(postal, "Country"), max_length=50),
        Column("contact_persons", persons),
        Column("currency", "DefaultCurrency", max_length=3),
        Column("sales_account_code", "SalesDefaultAccountCode", max_length=50),
        Column("purchases_account_code", "PurchasesDefaultAccountCode", max_length=50),
        Column("sales_tax_type", "AccountsReceivableTaxType", max_length=50),
        Column("purchases_tax_type", "AccountsPayableTaxType", max_length=50),
        Column("sales_terms_day", "PaymentTerms.Sales.Day", ColumnType.NUMBER, digits=(4, 0)),
        Column("sales_terms_type", "PaymentTerms.Sales.Type", max_length=50),
        Column("purchases_terms_day", "PaymentTerms.Bills.Day", ColumnType.NUMBER, digits=(4, 0)),
        Column("purchases_terms_type", "PaymentTerms.Bills.Type", max_length=50),
        Column("merged_to_xero_id", "MergedToContactID", ColumnType.UUID),
        status_column("ContactStatus"),
        UPDATED,
    ),
    active=in_use,
    statements="contacts",
    rules=(
        *known_status("ACTIVE", "ARCHIVED", "GDPRREQUEST"),
        Rule(
            "ExpectColumnValuesToMatchRegex",
            "email",
            "the email address looks wrong",
            "warn",
            {"regex": r"^[^@\s]+@[^@\s]+\.[^@\s]+$"},
        ),
    ),
    is_person=True,
)

CONTACTS = Dataset(
    name="contacts",
    title="Contacts",
    help="Customers and suppliers, archived and merged ones as inactive.",
    scope="accounting.contacts.read",
    sources=(
        Source(
            path="/api.xro/2.0/Contacts",
            envelope="Contacts",
            reading=Reading.PAGED,
            tables=(CONTACT,),
            params={"includeArchived": "true"},
        ),
    ),
    follows=Follows.CONTACTS,
)
