"""The chart of accounts: Xero's Australian default, bank accounts without codes, system and archived ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xero_sandbox.data.contacts import update_times
from xero_sandbox.data.dice import Dice

# fmt: off
CLASS_OF_TYPE = {
    "BANK": "ASSET", "CURRENT": "ASSET", "FIXED": "ASSET", "INVENTORY": "ASSET", "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET", "CURRLIAB": "LIABILITY", "LIABILITY": "LIABILITY", "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY", "EQUITY": "EQUITY",
    "REVENUE": "REVENUE", "SALES": "REVENUE", "OTHERINCOME": "REVENUE", "EXPENSE": "EXPENSE", "DIRECTCOSTS": "EXPENSE",
    "OVERHEADS": "EXPENSE", "DEPRECIATN": "EXPENSE",
}

#: code, name, type, tax type, then what is special: a system account's name, or ARCHIVED
CHART = (
    ("", "Everyday Business Account", "BANK", "BASEXCLUDED", ""),
    ("", "Business Visa", "BANK", "BASEXCLUDED", ""),
    ("091", "Business Savings", "BANK", "BASEXCLUDED", ""),
    ("", "Old Cheque Account", "BANK", "BASEXCLUDED", "ARCHIVED"),
    ("200", "Sales", "REVENUE", "OUTPUT", ""),
    ("210", "Call-out Fees", "SALES", "OUTPUT", ""),
    ("260", "Other Revenue", "OTHERINCOME", "OUTPUT", ""),
    ("270", "Interest Income", "OTHERINCOME", "INPUTTAXED", ""),
    ("290", "Hire of Plant (closed)", "SALES", "OUTPUT", "ARCHIVED"),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "INPUT", ""),
    ("315", "Subcontractors", "DIRECTCOSTS", "INPUT", ""),
    ("400", "Advertising", "EXPENSE", "INPUT", ""),
    ("404", "Bank Fees", "EXPENSE", "EXEMPTEXPENSES", ""),
    ("416", "Depreciation", "DEPRECIATN", "BASEXCLUDED", ""),
    ("420", "Entertainment – Café & Meals", "EXPENSE", "INPUT", ""),
    ("429", "General Expenses", "EXPENSE", "INPUT", ""),
    ("449", "Motor Vehicle Expenses", "OVERHEADS", "INPUT", ""),
    ("453", "Office Expenses", "EXPENSE", "INPUT", ""),
    ("469", "Rent", "OVERHEADS", "INPUT", ""),
    ("470", "Tools under $300 [discontinued]", "EXPENSE", "INPUT", "ARCHIVED"),
    ("477", "Wages and Salaries", "EXPENSE", "BASEXCLUDED", ""),
    ("478", "Superannuation", "EXPENSE", "BASEXCLUDED", ""),
    ("493", "Travel – National", "EXPENSE", "INPUT", ""),
    ("497", "Bank Revaluations", "EXPENSE", "BASEXCLUDED", "BANKCURRENCYGAIN"),
    ("498", "Unrealised Currency Gains", "EXPENSE", "BASEXCLUDED", "UNREALISEDCURRENCYGAIN"),
    ("499", "Realised Currency Gains", "EXPENSE", "BASEXCLUDED", "REALISEDCURRENCYGAIN"),
    ("610", "Accounts Receivable", "CURRENT", "BASEXCLUDED", "DEBTORS"),
    ("620", "Prepayments", "PREPAYMENT", "BASEXCLUDED", ""),
    ("630", "Inventory", "INVENTORY", "BASEXCLUDED", ""),
    ("710", "Office Equipment", "FIXED", "CAPEXINPUT", ""),
    ("720", "Vehicles", "FIXED", "CAPEXINPUT", ""),
    ("800", "Accounts Payable", "CURRLIAB", "BASEXCLUDED", "CREDITORS"),
    ("801", "Unpaid Expense Claims", "CURRLIAB", "BASEXCLUDED", "UNPAIDEXPCLM"),
    ("804", "Wages Payable - Payroll", "CURRLIAB", "BASEXCLUDED", "WAGEPAYABLES"),
    ("820", "GST", "CURRLIAB", "BASEXCLUDED", "GST"),
    ("825", "PAYG Withholdings Payable", "CURRLIAB", "BASEXCLUDED", ""),
    ("840", "Historical Adjustment", "CURRLIAB", "BASEXCLUDED", "HISTORICAL"),
    ("860", "Rounding", "CURRLIAB", "BASEXCLUDED", "ROUNDING"),
    ("877", "Tracking Transfers", "CURRLIAB", "BASEXCLUDED", "TRACKINGTRANSFERS"),
    ("900", "Equipment Loan", "TERMLIAB", "BASEXCLUDED", ""),
    ("960", "Retained Earnings", "EQUITY", "BASEXCLUDED", "RETAINEDEARNINGS"),
    ("970", "Owner A Share Capital", "EQUITY", "BASEXCLUDED", ""),
)
# fmt: on


def accounts(seed: int, organisation: str, extra: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """(UpdatedDateUTC in ms, account): the chart and `extra` job accounts."""
    dice = Dice(seed, organisation, "accounts")
    jobs = [(f"3{number:03d}", f"Job costs {number}", "DIRECTCOSTS", "INPUT", "") for number in range(extra)]
    rows = [*CHART, *jobs]
    for updated_ms, row in zip(update_times(dice, len(rows), 0), rows, strict=True):
        yield updated_ms, _account(dice, *row)


def _account(dice: Dice, code: str, name: str, kind: str, tax_type: str, special: str) -> dict[str, Any]:
    archived = special == "ARCHIVED"
    account: dict[str, Any] = {
        "AccountID": dice.uuid(),
        "Name": name,
        "Status": "ARCHIVED" if archived else "ACTIVE",
        "Type": kind,
        "TaxType": tax_type,
        "Class": CLASS_OF_TYPE[kind],
        "EnablePaymentsToAccount": code in ("091", "860", "970"),
        "ShowInExpenseClaims": kind == "EXPENSE",
        "ReportingCode": CLASS_OF_TYPE[kind][:3],
        "ReportingCodeName": CLASS_OF_TYPE[kind].title(),
        "HasAttachments": False,
        "AddToWatchlist": code == "200",
    }
    if code:
        account["Code"] = code
    if kind == "BANK":
        account |= {
            "BankAccountNumber": f"{dice.digits(6)}{dice.digits(8)}",
            "CurrencyCode": "AUD",
            "BankAccountType": "CREDITCARD" if "Visa" in name else "BANK",
        }
    else:
        account |= {"Description": dice.choice(("", f"{name}, as agreed with the accountant")), "BankAccountType": ""}
    if special and not archived:
        account["SystemAccount"] = special
    return account
