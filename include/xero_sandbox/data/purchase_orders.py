"""Purchase orders, a few in each state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.collection import Record
from xero_sandbox.data.dice import Dice
from xero_sandbox.data.firms import Books
from xero_sandbox.data.invoices import PURCHASES, Material, material
from xero_sandbox.documents import day, priced

STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED")
DAY_MS = 86_400_000


def purchase_orders(books: Books) -> Iterator[tuple[int, Record]]:
    dice = books.dice("purchase orders")
    firm = material(books, dice)
    count = min(2 * len(STATUSES), books.sizes["invoices"]) if firm.contacts else 0
    for number in range(count):
        updated_ms = DATA_UNTIL_MS - (count - number) * 3 * DAY_MS - dice.randrange(DAY_MS)
        yield updated_ms, _order(dice, firm, number, updated_ms)


def _order(dice: Dice, firm: Material, number: int, raised_ms: int) -> Record:
    status, dated = STATUSES[number % len(STATUSES)], datetime.fromtimestamp(raised_ms / 1000, UTC).date()
    return {
        "Type": "PURCHASEORDER",
        "PurchaseOrderID": dice.uuid(),
        "PurchaseOrderNumber": f"PO-{number + 1:04d}",
        "Reference": dice.choice(("", f"Job {dice.digits(4)}")),
        "Contact": dice.choice(firm.contacts),
        "Date": day(dated),
        "DeliveryDate": day(dated + timedelta(days=7)),
        "Status": status,
        "CurrencyCode": "AUD",
        "CurrencyRate": Decimal("1.0"),
        "SentToContact": status == "BILLED",
        "IsDiscounted": False,
        "HasAttachments": False,
        "HasErrors": False,
        **priced([_line(dice, firm) for _ in range(dice.choice((1, 2, 3)))], "Exclusive"),
    }


def _line(dice: Dice, firm: Material) -> Record:
    account = dice.choice(firm.purchases)
    return {
        "LineItemID": dice.uuid(),
        "Description": dice.choice(PURCHASES),
        "Quantity": Decimal(dice.choice((1, 2, 10))),
        "UnitAmount": Decimal(dice.randrange(10_000, 9_000_000)).scaleb(-4),
        "AccountCode": account["Code"],
        "AccountID": account["AccountID"],
        "TaxType": account["TaxType"],
        "Tracking": [],
    }
