"""The organisations of each profile."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xero_sandbox.collection import Collection
from xero_sandbox.data.accounts import accounts
from xero_sandbox.data.contacts import contacts
from xero_sandbox.data.dice import Dice
from xero_sandbox.data.settings_lists import tax_rates, tracking_categories
from xero_sandbox.organisation import ACCOUNTS, CONTACTS, TAX_RATES, TRACKING_CATEGORIES, Organisation
from xero_sandbox.wire import ms_date


@dataclass(frozen=True)
class Firm:
    name: str
    timezone: str
    city: str
    region: str
    basis: str
    accounts: int  # beyond the standard chart
    options: int  # beyond the standard tracking options


FIRMS = (
    Firm("Harbour & Sons Plumbing Pty Ltd", "AUSEASTERNSTANDARDTIME", "Sydney", "NSW", "ACCRUALS", 60, 40),
    Firm("Barossa Electrical Co-operative", "CENAUSTRALIASTANDARDTIME", "Tanunda", "SA", "CASH", 8, 3),
    Firm("Kimberley Air & Solar – Broome", "WAUSTRALIASTANDARDTIME", "Broome", "WA", "CASH", 0, 0),
)

#: contacts per firm
PROFILES = {"demo": (5_412, 483, 61), "small": (30, 12, 5), "big": (50_000, 5_412, 483)}


def organisations(
    seed: int, profile: str, counts: dict[str, int] | None = None, same_second: int | str = 0
) -> list[Organisation]:
    """The profile's organisations; `counts` sets the contacts of an organisation by its name, `same_second` says how
    many (or "all") of them share one second. ValueError for an unknown profile or name."""
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}")
    unknown = set(counts or ()) - {firm.name for firm in FIRMS}
    if unknown:
        raise ValueError(f"no organisation is called {', '.join(sorted(unknown))}")
    sizes = {firm.name: size for firm, size in zip(FIRMS, PROFILES[profile], strict=True)} | (counts or {})
    gc.disable()  # many short-lived dicts, no cycles: collecting in between only costs
    try:
        return [_organisation(seed, firm, sizes[firm.name], profile != "small", same_second) for firm in FIRMS]
    finally:
        gc.enable()


def _organisation(seed: int, firm: Firm, count: int, extras: bool, same_second: int | str) -> Organisation:
    same = count if same_second == "all" else int(same_second)
    dice = Dice(seed, firm.name, "organisation")
    collections = (
        Collection(CONTACTS, contacts(seed, firm.name, count, same)),
        Collection(ACCOUNTS, accounts(seed, firm.name, firm.accounts if extras else 0)),
        Collection(TAX_RATES, tax_rates(seed, firm.name)),
        Collection(TRACKING_CATEGORIES, tracking_categories(seed, firm.name, firm.options if extras else 0)),
    )
    tenant_id = dice.uuid()
    return Organisation(tenant_id, _record(dice, firm, tenant_id), {c.kind.plural: c for c in collections})


def _record(dice: Dice, firm: Firm, tenant_id: str) -> dict[str, Any]:
    return {
        "APIKey": dice.digits(12),
        "Name": firm.name,
        "LegalName": firm.name,
        "PaysTax": True,
        "Version": "AU",
        "OrganisationType": "COMPANY",
        "BaseCurrency": "AUD",
        "CountryCode": "AU",
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "RegistrationNumber": dice.digits(9),
        "TaxNumber": dice.digits(11),
        "FinancialYearEndDay": 30,
        "FinancialYearEndMonth": 6,
        "SalesTaxBasis": firm.basis,
        "SalesTaxPeriod": "QUARTERLY1",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Inclusive",
        "PeriodLockDate": ms_date(int(datetime(2026, 6, 30, tzinfo=UTC).timestamp() * 1000)),
        "EndOfYearLockDate": ms_date(int(datetime(2025, 6, 30, tzinfo=UTC).timestamp() * 1000)),
        "CreatedDateUTC": ms_date(int(datetime(2019, 3, 4, 1, 30, tzinfo=UTC).timestamp() * 1000), ""),
        "OrganisationEntityType": "COMPANY",
        "Timezone": firm.timezone,
        "ShortCode": f"!{dice.digits(5)}",
        "OrganisationID": tenant_id,
        "Edition": "BUSINESS",
        "Class": "GROW",
        "LineOfBusiness": "Trade services",
        "Addresses": [
            {
                "AddressType": "STREET",
                "AddressLine1": "1 Wharf Road",
                "City": firm.city,
                "Region": firm.region,
                "PostalCode": "",
                "Country": "Australia",
                "AttentionTo": "",
            }
        ],
        "Phones": [
            {"PhoneType": "OFFICE", "PhoneNumber": "9555 0100", "PhoneAreaCode": "02", "PhoneCountryCode": "61"}
        ],
        "ExternalLinks": [{"LinkType": "Website", "Url": "https://www.example.com.au"}],
        "PaymentTerms": {
            "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
            "Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"},
        },
    }
