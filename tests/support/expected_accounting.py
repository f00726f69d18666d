"""What QicWorks' tables should hold of Xero's contacts, accounts and other settings, from the sandbox's truth."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.world import KEYS, World

Record = dict[str, Any]


def instant(said: str | None) -> datetime | None:
    if said is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(said[6:].split("+")[0].rstrip(")/")))


def number(said: object) -> Decimal | None:
    return None if said is None else Decimal(str(said))


def nested(record: Record, *path: str) -> Any:
    for name in path:
        record = (record or {}).get(name)  # type: ignore[assignment]
    return record


def contact(xero: Record) -> Record:
    phones = [phone for phone in xero.get("Phones", []) if phone.get("PhoneNumber")]
    chosen = next((phone for phone in phones if phone["PhoneType"] == "DEFAULT"), phones[0] if phones else {})
    parts = [chosen.get("PhoneCountryCode"), chosen.get("PhoneAreaCode"), chosen.get("PhoneNumber")]
    addresses = {address["AddressType"]: address for address in xero.get("Addresses", [])}
    address = addresses.get("STREET") or addresses.get("POBOX") or {}
    postal = addresses.get("POBOX") or {}
    return {
        "xero_id": xero["ContactID"],
        "name": xero["Name"],
        "first_name": xero.get("FirstName"),
        "last_name": xero.get("LastName"),
        "email": xero.get("EmailAddress"),
        "phone": " ".join(part for part in parts if part),
        "contact_number": xero.get("ContactNumber"),
        "account_number": xero.get("AccountNumber"),
        "company_number": xero.get("CompanyNumber"),
        "tax_number": xero.get("TaxNumber"),
        "is_customer": xero.get("IsCustomer"),
        "is_supplier": xero.get("IsSupplier"),
        "address_line1": address.get("AddressLine1"),
        "address_line2": address.get("AddressLine2"),
        "city": address.get("City"),
        "region": address.get("Region"),
        "postal_code": address.get("PostalCode"),
        "country": address.get("Country"),
        "po_address_line1": postal.get("AddressLine1"),
        "po_address_line2": postal.get("AddressLine2"),
        "po_city": postal.get("City"),
        "po_region": postal.get("Region"),
        "po_postal_code": postal.get("PostalCode"),
        "po_country": postal.get("Country"),
        "contact_persons": persons(xero),
        "currency": xero.get("DefaultCurrency"),
        "sales_account_code": xero.get("SalesDefaultAccountCode"),
        "purchases_account_code": xero.get("PurchasesDefaultAccountCode"),
        "sales_tax_type": xero.get("AccountsReceivableTaxType"),
        "purchases_tax_type": xero.get("AccountsPayableTaxType"),
        "sales_terms_day": number(nested(xero, "PaymentTerms", "Sales", "Day")),
        "sales_terms_type": nested(xero, "PaymentTerms", "Sales", "Type"),
        "purchases_terms_day": number(nested(xero, "PaymentTerms", "Bills", "Day")),
        "purchases_terms_type": nested(xero, "PaymentTerms", "Bills", "Type"),
        "merged_to_xero_id": xero.get("MergedToContactID"),
        "status": xero["ContactStatus"],
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": xero["ContactStatus"] == "ACTIVE",
    }


def persons(xero: Record) -> str | None:
    names = {"first_name": "FirstName", "last_name": "LastName", "email": "EmailAddress"}
    found = [
        {**{ours: one.get(theirs, "") for ours, theirs in names.items()}, "include_in_emails": one["IncludeInEmails"]}
        for one in xero.get("ContactPersons", [])
    ]
    return json.dumps(found, ensure_ascii=False) if found else None


def account(xero: Record) -> Record:
    return {
        "xero_id": xero["AccountID"],
        "code": xero.get("Code"),
        "name": xero["Name"],
        "type": xero["Type"],
        "class": xero.get("Class"),
        "description": xero.get("Description"),
        "default_tax_type": xero.get("TaxType"),
        "system_account": xero.get("SystemAccount"),
        "bank_account_type": xero.get("BankAccountType"),
        "currency": xero.get("CurrencyCode"),
        "enable_payments": xero.get("EnablePaymentsToAccount"),
        "show_in_expense_claims": xero.get("ShowInExpenseClaims"),
        "status": xero["Status"],
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": xero["Status"] == "ACTIVE",
    }


def tax_code(xero: Record) -> Record:
    applies = {word: xero[f"CanApplyTo{word}"] for word in ("Assets", "Equity", "Expenses", "Liabilities", "Revenue")}
    return {
        "tax_type": xero["TaxType"],
        "name": xero["Name"],
        "rate": number(xero["EffectiveRate"]),
        "display_rate": number(xero["DisplayTaxRate"]),
        "report_tax_type": xero.get("ReportTaxType"),
        **{f"applies_{word.lower()}": value for word, value in applies.items()},
        "status": xero["Status"],
        "is_active": xero["Status"] == "ACTIVE",
    }


def category(xero: Record) -> Record:
    return {
        "xero_id": xero["TrackingCategoryID"],
        "name": xero["Name"],
        "status": xero["Status"],
        "is_active": xero["Status"] == "ACTIVE",
    }


def option(xero: Record) -> Record:
    return {
        "xero_id": xero["TrackingOptionID"],
        "category_xero_id": xero["Category"]["TrackingCategoryID"],
        "name": xero["Name"],
        "status": xero["Status"],
        "is_active": xero["Status"] == xero["Category"]["Status"] == "ACTIVE",
    }


def options(categories: list[Record]) -> list[Record]:
    return [{**option, "Category": category} for category in categories for option in category["Options"]]


def currency(xero: Record) -> Record:
    return {"code": xero["Code"], "description": xero.get("Description"), "is_active": True}


def whole(records: list[Record]) -> list[Record]:
    return records


EQUAL = [
    ("contacts", "Contacts", "contact", whole, contact),
    ("chart_of_accounts", "Accounts", "account", whole, account),
    ("tax_codes", "TaxRates", "tax_code", whole, tax_code),
    ("currencies", "Currencies", "currency", whole, currency),
    ("tracking_categories", "TrackingCategories", "tracking_category", whole, category),
    ("tracking_categories", "TrackingCategories", "tracking_option", options, option),
]


def assert_equal(
    world: World, organisation: int, said: Callable[[str, Record], Record] = lambda collection, record: record
) -> None:
    """`said`: what Xero has answered instead of a record of that collection."""
    for _, collection, table, find, translate in EQUAL:
        truth = [said(collection, record) for record in world.sandbox.truth(collection, organisation)]
        expected = [translate(record) for record in find(truth)]
        held = world.rows(table, organisation)
        assert len(held) == len(expected) > 0
        for row in expected:
            key = KEYS.get(table, "xero_id")
            found = held[str(row[key])]
            # Empty text and no text mean the same to Xero.
            assert {
                name: str(found[name]) if name.endswith("xero_id") and found[name] else found[name] for name in row
            } == {name: None if value == "" else value for name, value in row.items()}
