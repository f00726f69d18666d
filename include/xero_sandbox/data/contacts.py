"""Contacts: customers and suppliers of a trades firm, with archived, merged, empty and awkward ones among them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.data.dice import Dice
from xero_sandbox.data.words import (
    AWKWARD_NAMES,
    FIRM_ENDS,
    FIRM_WORDS,
    FIRST_NAMES,
    LAST_NAMES,
    PLACES,
    STREET_KINDS,
    STREETS,
    TRADES,
)

TWO_YEARS_MS = 730 * 86_400_000
TERMS = ("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH")
WHO_PAYS = ("Bills", "Sales")
AWKWARD_START = 2  # the first contacts are ordinary ones, so that the smallest organisation has some


def update_times(dice: Dice, count: int, same_second: int) -> list[int]:
    """`count` moments over two years, oldest first; the `same_second` in the middle share one second."""
    times = sorted(DATA_UNTIL_MS - dice.randrange(TWO_YEARS_MS) for _ in range(count))
    same = min(same_second, count)
    if same:
        first = (count - same) // 2
        second = times[first] // 1000 * 1000
        times[first : first + same] = [second + rank * 1000 // same for rank in range(same)]
        times[:first] = [min(time, second - 1) for time in times[:first]]
        times[first + same :] = [max(time, second + 1000) for time in times[first + same :]]
    return times


def contacts(seed: int, organisation: str, count: int, same_second: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """(UpdatedDateUTC in ms, contact). About 6% are archived, a sixth of those merged into an earlier one."""
    dice = Dice(seed, organisation, "contacts")
    times = update_times(Dice(seed, organisation, "contact times"), count, same_second)
    dice.shuffle(times)
    names: set[str] = set()
    active: list[str] = []
    for number, updated_ms in enumerate(times):
        contact = _contact(dice, number, names)
        if number > 4 and (number in (6, 9) or dice.chance(0.06)):
            contact["ContactStatus"] = "ARCHIVED"
            if number == 9 or dice.chance(0.17):
                contact["MergedToContactID"] = dice.choice(active)
        else:
            active.append(contact["ContactID"])
        yield updated_ms, contact


def _name(dice: Dice, number: int, names: set[str]) -> tuple[str, str, str]:
    """A name that no other contact has, and the person's first and last name."""
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    if number >= AWKWARD_START and number - AWKWARD_START < len(AWKWARD_NAMES):
        name = AWKWARD_NAMES[number - AWKWARD_START]
    elif dice.chance(0.45):
        name = f"{first} {last}"
    else:
        name = f"{dice.choice((last, dice.choice(FIRM_WORDS)))} {dice.choice(TRADES)} {dice.choice(FIRM_ENDS)}"
    if name in names:
        name = f"{name} ({dice.choice(PLACES)[0]} {number})"
    names.add(name)
    return name, first, last


def _contact(dice: Dice, number: int, names: set[str]) -> dict[str, Any]:
    name, first, last = _name(dice, number, names)
    sparse = dice.chance(0.1)  # a user typed only a name
    supplier, customer = dice.chance(0.3), dice.chance(0.75)
    contact: dict[str, Any] = {
        "ContactID": dice.uuid(),
        "ContactStatus": "ACTIVE",
        "Name": name,
        "FirstName": "" if sparse else first,
        "LastName": "" if sparse else last,
        "EmailAddress": "" if sparse or dice.chance(0.1) else _email(first, last, number),
        "BankAccountDetails": "" if sparse or dice.chance(0.7) else f"{dice.digits(6)} {dice.digits(8)}",
        "TaxNumber": "" if sparse or dice.chance(0.4) else dice.digits(11),
        "Addresses": _addresses(dice, sparse),
        "Phones": _phones(dice, sparse),
        "ContactGroups": [],
        "IsSupplier": supplier,
        "IsCustomer": customer,
        "ContactPersons": [],
        "HasAttachments": False,
        "HasValidationErrors": False,
    }
    if sparse:
        return contact
    if dice.chance(0.5):
        contact["ContactNumber"] = f"QW-{number:06d}"
    if dice.chance(0.3):
        contact["AccountNumber"] = f"{last[:3].upper()}{dice.digits(4)}"
    if dice.chance(0.2):
        contact["CompanyNumber"] = dice.digits(9)
    if dice.chance(0.15):
        contact["Website"] = "https://www.example.com.au"
    if dice.chance(0.5):
        contact["DefaultCurrency"] = "AUD"
    if supplier:
        contact |= {"AccountsPayableTaxType": "INPUT", "PurchasesDefaultAccountCode": "310"}
    if customer:
        contact |= {"AccountsReceivableTaxType": "OUTPUT", "SalesDefaultAccountCode": "200"}
        contact |= {"SalesDefaultLineAmountType": "EXCLUSIVE", "PurchasesDefaultLineAmountType": "INCLUSIVE"}
    if dice.chance(0.4):
        contact["PaymentTerms"] = {
            who: {"Day": dice.choice((7, 14, 20)), "Type": dice.choice(TERMS)} for who in WHO_PAYS
        }
    if dice.chance(0.5):
        owed, owing = _balance(dice, customer), _balance(dice, supplier)
        contact["Balances"] = {"AccountsReceivable": owed, "AccountsPayable": owing}
    if dice.chance(0.1):
        person = {"FirstName": dice.choice(FIRST_NAMES), "LastName": dice.choice(LAST_NAMES)}
        contact["ContactPersons"] = [
            {**person, "EmailAddress": f"person{number}@example.com.au", "IncludeInEmails": dice.chance(0.5)}
        ]
    return contact


def _email(first: str, last: str, number: int) -> str:
    plain = f"{first}.{last}{number}".lower().replace("'", "").encode("ascii", "ignore").decode()
    return f"{plain.strip('.')}@example.com.au"


def _balance(dice: Dice, owes: bool) -> dict[str, Decimal]:
    cents = dice.randrange(2_000_000) if owes else 0
    return {"Outstanding": Decimal(cents).scaleb(-2), "Overdue": Decimal(cents // 3).scaleb(-2)}


def _addresses(dice: Dice, empty: bool) -> list[dict[str, str]]:
    blank = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
    if empty:
        return [{"AddressType": "STREET", **blank}, {"AddressType": "POBOX", **blank}]
    city, region, code = dice.choice(PLACES)
    place = {"City": city, "Region": region, "PostalCode": code, "Country": dice.choice(("Australia", "", "AU"))}
    street = f"{dice.randrange(1, 400)} {dice.choice(STREETS)} {dice.choice(STREET_KINDS)}"
    box = {"AddressLine1": f"PO Box {dice.randrange(1, 9999)}", **place} if dice.chance(0.4) else blank
    second = "Unit 2" if dice.chance(0.1) else ""
    return [
        {"AddressType": "STREET", "AddressLine1": street, "AddressLine2": second, **place, "AttentionTo": ""},
        {"AddressType": "POBOX", **box},
    ]


def _phones(dice: Dice, empty: bool) -> list[dict[str, str]]:
    def phone(kind: str, number: str = "", area: str = "", country: str = "") -> dict[str, str]:
        return {"PhoneType": kind, "PhoneNumber": number, "PhoneAreaCode": area, "PhoneCountryCode": country}

    if empty:
        return [phone("DDI"), phone("DEFAULT"), phone("FAX"), phone("MOBILE")]
    area, country = dice.choice(("02", "03", "07", "08")), dice.choice(("61", ""))
    mobile = f"04{dice.digits(2)} {dice.digits(3)} {dice.digits(3)}" if dice.chance(0.6) else ""
    office = phone("DEFAULT", f"9{dice.digits(3)} {dice.digits(4)}", area, country)
    return [phone("DDI"), office, phone("FAX"), phone("MOBILE", mobile)]
