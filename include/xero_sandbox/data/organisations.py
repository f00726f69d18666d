"""The organisations of each profile."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from typing import Any

from xero_sandbox.data.dice import Dice
from xero_sandbox.data.firms import PROFILES, Books, Firm, firms
from xero_sandbox.endpoints import makers
from xero_sandbox.organisation import Organisation
from xero_sandbox.wire import ms_date


def organisations(
    seed: int,
    profile: str,
    counts: dict[str, dict[str, int]] | None = None,
    same_second: int | str = 0,
    many: int = 0,
) -> list[Organisation]:
    """The profile's organisations (`many`: of the profile of that name); `counts` sets how many of
    something ("contacts") an organisation has by its name, `same_second` how many contacts (or "all") share one second.
    ValueError for an unknown profile, count or name."""
    of = firms(profile, many)
    unknown = {name for given in (counts or {}).values() for name in given} - {firm.name for firm in of}
    if unknown:
        raise ValueError(f"no organisation is called {', '.join(sorted(unknown))}")
    made = makers()
    gc.disable()  # many short-lived dicts, no cycles: collecting in between only costs
    try:
        return [
            _organisation(
                Books(firm, position, seed, profile, _sizes(firm, position, profile, counts or {}), made, same_second)
            )
            for position, firm in enumerate(of)
        ]
    finally:
        gc.enable()


def _sizes(firm: Firm, position: int, profile: str, counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """How many of what the firm at this position has."""
    sizes = PROFILES[profile].items()
    return {what: counts.get(what, {}).get(firm.name, of[position % len(of)]) for what, of in sizes}


def _organisation(books: Books) -> Organisation:
    dice = books.dice("organisation")
    tenant_id = dice.uuid()
    record = _record(dice, books.firm, tenant_id)
    return Organisation(
        tenant_id, record, books.collections(), payroll=books.sizes["staff"] > 0, custom=books.firm.connected
    )


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
