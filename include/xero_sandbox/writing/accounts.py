"""The account and the tax type of a line."""

from __future__ import annotations

from xero_sandbox.collection import Record
from xero_sandbox.writing.desk import Desk, Findings
from xero_sandbox.writing.reading import read_text

APPLIES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


def account_of(desk: Desk, given: Record, bound: bool, found: Findings) -> Record:
    """AccountCode, AccountID, and what the tax depends on; empty for a draft's line without an account. An unknown code
    on a draft is dropped with a warning."""
    accounts = desk.collection("Accounts")
    code, key = read_text(given.get("AccountCode", "")), read_text(given.get("AccountID", "")).lower()
    if not code and not key:
        if bound:
            found.error("Account code must be specified")
        return {}
    row = next(iter(accounts.having("Code", code)), None) if code else accounts.rows.get(key)
    if row is None and not code:
        found.error("Account could not be found.")
    elif row is None and bound:
        found.error(f"Account code '{code}' is not a valid code for this document.")
    elif row is None:
        found.warnings.append(f"Account code '{code}' has been removed as it does not match a recognised account")
    if row is None:
        return {}
    record = row.record
    code = code or str(record.get("Code", ""))
    if row.status != "ACTIVE":
        found.error(
            f"Account code '{code}' has been archived, or has been deleted. Each line item must reference a valid "
            "account."
        )
    elif record.get("Type") == "BANK" or record.get("SystemAccount"):
        found.error(f"Account code '{code}' is not a valid code for this document.")
    codes = {"AccountCode": record["Code"]} if record.get("Code") else {}
    return {**codes, "AccountID": row.key, "TaxType": record.get("TaxType"), "Class": record.get("Class")}


def tax_type_of(desk: Desk, given: Record, account: Record, untaxed: bool, bound: bool, found: Findings) -> Record:
    """The tax type that was sent, else the account's own; no tax at all is BASEXCLUDED."""
    sent = read_text(given.get("TaxType", ""))
    name = sent or ("BASEXCLUDED" if untaxed and account else account.get("TaxType"))
    if not name:
        if bound and account:
            found.error("The TaxType field is mandatory")
        return {}
    row = desk.collection("TaxRates").rows.get(name)
    if row is None or row.status != "ACTIVE":
        found.error(f"The TaxType code {name} does not exist or cannot be used for this type of transaction.")
        return {}
    applies = APPLIES.get(str(account.get("Class")))
    if applies and not row.record.get(applies, True):
        found.error(f"The TaxType code '{name}' cannot be used with account code '{account.get('AccountCode', '')}'.")
    return {"TaxType": name}
