"""Fields and enum values that no specification names, for clients that must not mind them."""

from __future__ import annotations

from xero_sandbox.collection import Kind
from xero_sandbox.wire import decode, encode


def add(kind: Kind, body: bytes) -> bytes:
    """The record with new fields, and a new value in an enum that says nothing about its status."""
    record = decode(body)
    record["SandboxFlag"] = True
    record["SandboxDetails"] = {"Level": "EXTREME", "Numbers": [1, 2.5, None]}
    if isinstance(record.get("Addresses"), list):
        record["Addresses"].append({"AddressType": "DRONEPAD", "City": "Nowhere", "Altitude": 30})
    if isinstance(record.get("Phones"), list):
        record["Phones"].append({"PhoneType": "SATELLITE", "PhoneNumber": "000", "Orbit": "LEO"})
    if kind.plural == "Accounts":
        record["BankAccountType"] = "NEOBANK"
    if kind.plural == "TaxRates":
        record["ReportTaxType"] = "CARBONOUTPUT"
    return encode(record)
