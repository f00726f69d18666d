"""Tax rates and tracking categories."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from xero_sandbox.clock import DATA_UNTIL_MS
from xero_sandbox.data.dice import Dice

#: tax type, report tax type, name, rate, what it can apply to (Assets, Equity, eXpenses, Liabilities, Revenue), status
# fmt: off
RATES = (
    ("OUTPUT", "OUTPUT", "GST on Income", "10", "AELR", "ACTIVE"),
    ("INPUT", "INPUT", "GST on Expenses", "10", "AEXL", "ACTIVE"),
    ("EXEMPTOUTPUT", "EXEMPTOUTPUT", "GST Free Income", "0", "AELR", "ACTIVE"),
    ("EXEMPTEXPENSES", "EXEMPTEXPENSES", "GST Free Expenses", "0", "AEXL", "ACTIVE"),
    ("BASEXCLUDED", "BASEXCLUDED", "BAS Excluded", "0", "AEXLR", "ACTIVE"),
    ("INPUTTAXED", "INPUTTAXED", "Input Taxed", "0", "AEXLR", "ACTIVE"),
    ("CAPEXINPUT", "CAPEXINPUT", "GST on Capital", "10", "AEXL", "ACTIVE"),
    ("EXEMPTCAPITAL", "EXEMPTCAPITAL", "GST Free Capital", "0", "AEXL", "ACTIVE"),
    ("EXEMPTEXPORT", "EXEMPTEXPORT", "GST Free Exports", "0", "AELR", "ACTIVE"),
    ("GSTONIMPORTS", "GSTONIMPORTS", "GST on Imports", "0", "AEXL", "ACTIVE"),
    ("GSTONCAPIMPORTS", "GSTONCAPIMPORTS", "GST on Capital Imports", "0", "AEXL", "ACTIVE"),
    ("TAX001", "OUTPUT", "Luxury Car – GST & LCT", "33.3333", "ALR", "ACTIVE"),
    ("TAX002", "INPUT", "GST on Fuel (6.15% claim)", "6.15", "X", "ACTIVE"),
    ("TAX003", "INPUT", "Old Wine Equalisation Tax", "29", "AEXL", "ARCHIVED"),
    ("TAX004", "OUTPUT", "Set up by mistake", "12.5", "R", "DELETED"),
    ("TAX005", "OUTPUT", "GST from next July", "12", "AELR", "PENDING"),
)
# fmt: on
APPLIES = {"Assets": "A", "Equity": "E", "Expenses": "X", "Liabilities": "L", "Revenue": "R"}

#: name, status, options with their status
# fmt: off
TRACKING = (
    ("Region", "ACTIVE", (("North", "ACTIVE"), ("South", "ACTIVE"), ("Eyre & Mallee", "ACTIVE"),
                          ("Île-de-Bruny", "ACTIVE"), ("Old depot", "ARCHIVED"))),
    ("Job type", "ACTIVE", (("Installation", "ACTIVE"), ("Repair 🔧", "ACTIVE"), ("Warranty", "ACTIVE"),
                            ("Quote", "ARCHIVED"))),
    ("Salesperson (before 2024)", "ARCHIVED", (("Siobhán", "ACTIVE"), ("Arjun", "ARCHIVED"))),
)
# fmt: on


def tax_rates(seed: int, organisation: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for tax_type, report_type, name, rate, applies, status in RATES:
        percent = Decimal(rate).quantize(Decimal("0.0001"))
        yield (
            DATA_UNTIL_MS,
            {
                "Name": name,
                "TaxType": tax_type,
                "ReportTaxType": report_type,
                **{f"CanApplyTo{what}": letter in applies for what, letter in APPLIES.items()},
                "DisplayTaxRate": percent,
                "EffectiveRate": percent,
                "Status": status,
                "TaxComponents": [{"Name": "GST", "Rate": percent, "IsCompound": False, "IsNonRecoverable": False}],
            },
        )


def tracking_categories(seed: int, organisation: str, extra_options: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    dice = Dice(seed, organisation, "tracking")
    for position, (name, status, options) in enumerate(TRACKING):
        crews = [(f"Crew {number}", "ACTIVE") for number in range(1, extra_options + 1)] if position == 0 else []
        yield (
            DATA_UNTIL_MS,
            {
                "Name": name,
                "Status": status,
                "TrackingCategoryID": dice.uuid(),
                "Options": [
                    {
                        "TrackingOptionID": dice.uuid(),
                        "Name": option,
                        "Status": state,
                        "HasValidationErrors": False,
                        "IsDeleted": False,
                        "IsArchived": state == "ARCHIVED",
                        "IsActive": state == "ACTIVE",
                    }
                    for option, state in [*options, *crews]
                ],
            },
        )
