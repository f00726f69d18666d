"""Sales invoices and bills, as they were raised: a third of the sales invoices by QicWorks, the rest by others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import islice

from xero_sandbox.collection import Record
from xero_sandbox.data.dice import Dice
from xero_sandbox.data.firms import Books
from xero_sandbox.documents import CREDITS, day, priced, settle
from xero_sandbox.ledger import Ledger

QICWORKS_URL = "https://app.qicworks.example/invoices/"
CONTACTS_IN_USE = 150  # of a firm with many, most are never invoiced

# fmt: off
SALES = (
    "Call-out and first hour", "Hot water system, supply & install", "Switchboard upgrade", "Blocked drain 🔧",
    "Quarterly maintenance – café", "Split system 7.1 kW", "Solar inverter, 5 kW", "Labour\n2 tradies, 1 apprentice",
    'Pipe 20 mm × 6 m "Type B"', "Travel (Broome → Derby)", "Gas compliance certificate", "Progress claim 2 of 4",
)
PURCHASES = (
    "Copper pipe 15 mm", "Cable 2.5 mm² twin & earth", "Skip hire", "Diesel", "Subcontract labour", "Crane hire ½ day",
    "Workwear", "Phone & internet", "Tool repair", "Tip fees", "Stationery", "Advertising – local paper",
)
# fmt: on


@dataclass
class Material:
    """What a firm's documents are made of: its own contacts, accounts and tracking."""

    contacts: list[Record]
    sales: list[Record]
    purchases: list[Record]
    banks: list[Record]
    tracking: list[list[Record]]
    theme: str


def material(books: Books, dice: Dice) -> Material:
    accounts = [row.record for row in books.collection("Accounts").rows.values() if row.status == "ACTIVE"]
    contacts = (row.record for row in books.collection("Contacts").rows.values() if row.status == "ACTIVE")
    categories = [row.record for row in books.collection("TrackingCategories").rows.values() if row.status == "ACTIVE"]
    paid_through = [a for a in accounts if a["Type"] == "BANK" or a["EnablePaymentsToAccount"]]
    return Material(
        contacts=[{"ContactID": c["ContactID"], "Name": c["Name"]} for c in islice(contacts, CONTACTS_IN_USE)],
        sales=[account for account in accounts if account["TaxType"] == "OUTPUT"],
        purchases=[account for account in accounts if account["TaxType"] == "INPUT"],
        banks=[{name: a[name] for name in ("AccountID", "Code", "Name") if name in a} for a in paid_through],
        tracking=[_choices(category) for category in categories],
        theme=dice.uuid(),
    )


def _choices(category: Record) -> list[Record]:
    named = {"Name": category["Name"], "TrackingCategoryID": category["TrackingCategoryID"]}
    options = [option for option in category["Options"] if option["Status"] == "ACTIVE"]
    return [{**named, "TrackingOptionID": option["TrackingOptionID"], "Option": option["Name"]} for option in options]


def invoice(ledger: Ledger, dice: Dice, firm: Material, number: int, status: str, contact: Record | None) -> Record:
    """The invoice of that number, dated today. Three in ten are bills; every third of the others is by QicWorks."""
    sale = number % 10 not in (1, 4, 8)
    dated = ledger.today()
    amount_types = dice.choices(("Exclusive", "Inclusive", "NoTax"), (70, 25, 5))[0]
    taxed = amount_types != "NoTax"
    lines = [_line(dice, firm, sale, taxed) for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 5, 9)))]
    record: Record = {
        "Type": "ACCREC" if sale else "ACCPAY",
        "InvoiceID": dice.uuid(),
        "Contact": contact or dice.choice(firm.contacts),
        "Date": day(dated),
        "DueDate": day(dated + timedelta(days=dice.choice((7, 14, 14, 30)))),
        "Status": status,
        "CurrencyCode": "AUD",
        "CurrencyRate": Decimal("1.0"),
        "BrandingThemeID": firm.theme,
        "SentToContact": sale and status == "AUTHORISED",
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        "Payments": [],
        **{kind.plural: [] for kind in CREDITS},
        **(_sale(dice, number) if sale else _bill(dice)),
        **priced(lines, amount_types),
    }
    return settle(record)


def _sale(dice: Dice, number: int) -> Record:
    rank = number - (number + 8) // 10 - (number + 5) // 10 - (number + 1) // 10  # among the sales
    reference = dice.choice(("", f"Job {dice.digits(4)}", f"PO {dice.digits(6)}", "Qté 3 – “urgent”"))
    if rank % 3 == 0:
        url = QICWORKS_URL + dice.uuid()
        return {"InvoiceNumber": f"IV-{100 + rank // 3:05d}", "Reference": reference, "Url": url}
    return {"InvoiceNumber": f"INV-{rank:04d}", "Reference": reference}


def _bill(dice: Dice) -> Record:
    """Bills carry their suppliers' numbers, which need not differ, or none; and no reference."""
    return {
        "InvoiceNumber": dice.choice(("", "INV-0001", dice.digits(5), f"TI{dice.digits(6)}", f"A/{dice.digits(3)}"))
    }


def _line(dice: Dice, firm: Material, sale: bool, taxed: bool) -> Record:
    account = dice.choice(firm.sales if sale else firm.purchases)
    unit = dice.randrange(1_000, 90_000_00) * (100 if dice.chance(0.8) else 1)  # one in five: to the 1/100 of a cent
    tax_type = account["TaxType"]
    if account["Code"] == "449" and dice.chance(0.5):
        tax_type = "TAX002"
    elif dice.chance(0.12):
        tax_type = "EXEMPTOUTPUT" if sale else "EXEMPTEXPENSES"
    return {
        "LineItemID": dice.uuid(),
        "Description": dice.choice(SALES if sale else PURCHASES),
        "Quantity": Decimal(dice.choice((10_000, 10_000, 20_000, 30_000, 7_500, 12_345))).scaleb(-4),
        "UnitAmount": Decimal(min(unit, 400_000_00)).scaleb(-4),
        "AccountCode": account["Code"],
        "AccountID": account["AccountID"],
        "TaxType": tax_type if taxed else "BASEXCLUDED",
        "Tracking": [dice.choice(options) for options in firm.tracking if options and dice.chance(0.4)],
    }
