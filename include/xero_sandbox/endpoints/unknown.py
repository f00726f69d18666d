"""Fields and enum values that no specification names, for clients that must not mind them."""

from __future__ import annotations

from xero_sandbox.collection import Kind
from xero_sandbox.wire import decode, encode

NEW_VALUES = {
    "Accounts": {"BankAccountType": "NEOBANK"},
    "TaxRates": {"ReportTaxType": "CARBONOUTPUT"},
    "Employees": {"Gender": "Q"},
    "EarningsRates": {"AllowanceCategory": "HOVERBOARD"},
    "LeaveTypes": {"LeaveCategoryCode": "MOONLEAVE"},
}


def add(kind: Kind, body: bytes) -> bytes:
    """The record with new fields, and a new value in an enum that says nothing about its status."""
    record = decode(body)
    record["SandboxFlag"] = True
    record["SandboxDetails"] = {"Level": "EXTREME", "Numbers": [1, 2.5, None]}
    if isinstance(record.get("Addresses"), list):
        record["Addresses"].append({"AddressType": "DRONEPAD", "City": "Nowhere", "Altitude": 30})
    if isinstance(record.get("Phones"), list):
        record["Phones"].append({"PhoneType": "SATELLITE", "PhoneNumber": "000", "Orbit": "LEO"})
    record |= NEW_VALUES.get(kind.plural, {})
    return encode(record)
