"""An organisation: its own record and its collections."""

from __future__ import annotations

from dataclasses import dataclass

from xero_sandbox.collection import Collection, Kind, Record

CONTACTS = Kind("Contacts", "ContactID", "ContactStatus")
ACCOUNTS = Kind("Accounts", "AccountID", "Status")
TAX_RATES = Kind("TaxRates", "TaxType", "Status", dated=False)
TRACKING_CATEGORIES = Kind("TrackingCategories", "TrackingCategoryID", "Status", dated=False)


@dataclass(slots=True)
class Organisation:
    tenant_id: str
    record: Record  # as GET /Organisation shows it
    collections: dict[str, Collection]  # by plural

    @property
    def name(self) -> str:
        return str(self.record["Name"])
