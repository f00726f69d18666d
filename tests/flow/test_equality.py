"""After a pull QicWorks holds what Xero holds, field by field. The comparison owes the code nothing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.flow.conftest import World

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


def whole(records: list[Record]) -> list[Record]:
    return records


EQUAL = [
    ("contacts", "Contacts", "contact", whole, contact),
    ("chart_of_accounts", "Accounts", "account", whole, account),
    ("tax_codes", "TaxRates", "tax_code", whole, tax_code),
    ("tracking_categories", "TrackingCategories", "tracking_category", whole, category),
    ("tracking_categories", "TrackingCategories", "tracking_option", options, option),
]


def assert_equal(world: World, organisation: int) -> None:
    for _, collection, table, find, translate in EQUAL:
        expected = [translate(record) for record in find(world.sandbox.truth(collection, organisation))]
        held = world.rows(table, organisation)
        assert len(held) == len(expected) > 0
        for row in expected:
            key = "tax_type" if table == "tax_code" else "xero_id"
            found = held[str(row[key])]
            # Empty text and no text mean the same to Xero.
            assert {
                name: str(found[name]) if name.endswith("xero_id") and found[name] else found[name] for name in row
            } == {name: None if value == "" else value for name, value in row.items()}


@pytest.mark.parametrize("profile", ["small", "demo"])
def test_what_lies_in_qicworks_equals_what_xero_holds(unconnected: World, profile: str) -> None:
    world = unconnected
    world.sandbox.reset(profile=profile)
    assert world.connect() == 0
    world.calls()
    for organisation in range(len(world.names())):
        for name, *_ in EQUAL:
            world.pull(name, organisation)
        assert_equal(world, organisation)
    for table, status in [("contact", "ARCHIVED"), ("account", "ARCHIVED"), ("tax_code", "DELETED")]:
        found = world.query(f"SELECT is_active, status FROM qicworks.{table} WHERE status = %s", status)
        assert found, f"the sandbox holds no {status} {table}: this would prove nothing"
        assert not any(row["is_active"] for row in found)
    if profile == "demo":
        assert world.query("SELECT 1 FROM qicworks.contact WHERE merged_to_xero_id IS NOT NULL AND NOT is_active")
        assert world.query("SELECT 1 FROM qicworks.account WHERE code IS NULL")
        assert world.query("SELECT 1 FROM qicworks.contact WHERE name = %s", "Robert'); DROP TABLE contact;--")

    # Once more: nothing is written, and one call each is enough.
    world.calls()
    before = {table: world.rows(table) for _, _, table, _, _ in EQUAL}
    for organisation in range(len(world.names())):
        for name in ("contacts", "chart_of_accounts", "tax_codes", "tracking_categories"):
            outcome = world.pull(name, organisation)
            assert (outcome.status, outcome.changed, outcome.counts.calls) == ("success", False, 1)
    assert len(world.calls()) == 4 * len(world.names())
    assert {table: world.rows(table) for _, _, table, _, _ in EQUAL} == before


def test_what_changes_in_xero_changes_here(world: World) -> None:
    for name, *_ in EQUAL:
        world.pull(name)
    contacts = [row for row in world.sandbox.truth("Contacts") if row["ContactStatus"] == "ACTIVE"]
    renamed, archived, merged, restored = (contact["ContactID"] for contact in contacts[:4])
    world.sandbox.change("Contacts", renamed, Name="東京 Drilling 🛠 Pty Ltd")
    world.sandbox.change("Contacts", archived, ContactStatus="ARCHIVED")
    world.sandbox.change("Contacts", merged, ContactStatus="ARCHIVED", MergedToContactID=renamed)
    world.sandbox.change("Contacts", restored, ContactStatus="ARCHIVED")
    tax = world.sandbox.truth("TaxRates")[0]["TaxType"]
    world.sandbox.change("TaxRates", tax, Status="ARCHIVED", Name="Old GST")
    tracking = next(row for row in world.sandbox.truth("TrackingCategories") if row["Status"] == "ACTIVE")
    world.sandbox.change("TrackingCategories", tracking["TrackingCategoryID"], Status="ARCHIVED")
    code = world.sandbox.truth("Accounts")[3]["AccountID"]
    world.sandbox.change("Accounts", code, Code="99999", Status="ARCHIVED")

    assert world.pull("contacts").counts.deactivated == 3
    assert world.pull("tax_codes").counts.deactivated == 1
    assert world.pull("chart_of_accounts").changed
    assert world.pull("tracking_categories").counts.deactivated > 1
    assert_equal(world, 0)

    world.sandbox.change("Contacts", restored, ContactStatus="ACTIVE")
    assert world.pull("contacts").counts.updated == 1
    assert_equal(world, 0)


def test_only_what_changed_is_written(world: World) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 1_000})
    world.connect()
    world.pull("contacts")
    before = world.rows("contact")
    collection = f"organisations/{world.sandbox.tenant()}/Contacts"
    touched = set(world.sandbox.control("POST", f"{collection}/touch", {"share": 0.01})["touched"])
    outcome = world.pull("contacts")
    assert (len(touched), outcome.counts.updated, outcome.counts.inserted) == (10, 10, 0)
    after = world.rows("contact")
    assert {key for key, row in after.items() if row["row_version"] != before[key]["row_version"]} == touched


def test_what_is_gone_from_xero_becomes_inactive_and_comes_back(world: World) -> None:
    world.pull("tax_codes")
    world.pull("contacts")
    rate = world.sandbox.truth("TaxRates")[1]
    gone = world.sandbox.truth("Contacts")[5]
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/TaxRates/{rate['TaxType']}")
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/Contacts/{gone['ContactID']}")

    assert world.pull("tax_codes").counts.deactivated == 1
    held = world.rows("tax_code")[rate["TaxType"]]
    assert (held["is_active"], held["missing_since"] is None) == (False, False)
    world.pull("contacts")
    assert world.rows("contact")[gone["ContactID"]]["missing_since"] is None, "absence from what changed says nothing"
    world.pull("contacts", full=True)
    held = world.rows("contact")[gone["ContactID"]]
    assert (held["is_active"], held["missing_since"] is None) == (False, False)

    world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/TaxRates", rate)
    assert world.pull("tax_codes").counts.updated == 1
    held = world.rows("tax_code")[rate["TaxType"]]
    assert (held["is_active"], held["missing_since"]) == (True, None)


def test_unknown_fields_and_values_change_nothing_else(world: World) -> None:
    world.sandbox.settings(unknown_fields=True)
    for name, *_ in EQUAL:
        assert world.pull(name).counts.rejected == 0
    world.sandbox.settings(unknown_fields=False)
    held = world.rows("contact")
    assert len(held) == len(world.sandbox.truth("Contacts"))
