"""Pay templates as they are written: what becomes of the lines that stood there, and what Xero would refuse.

Known words of Xero are quoted; of the others only the sense is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xero_sandbox.collection import Collection, Record
from xero_sandbox.payroll_values import four_places

#: By list: the fields that tell one line from another, and the collection that has the first of them.
LISTS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "EarningsLines": (("EarningsRateID",), "EarningsRates"),
    "DeductionLines": (("DeductionTypeID",), "DeductionTypes"),
    "SuperLines": (("SuperMembershipID", "ContributionType"), None),
    "ReimbursementLines": (("ReimbursementTypeID",), "ReimbursementTypes"),
    "LeaveLines": (("LeaveTypeID",), "LeaveTypes"),
}
NUMBERS = frozenset(
    (
        *("AnnualSalary", "NumberOfUnitsPerWeek", "RatePerUnit", "NormalNumberOfUnits", "NumberOfUnits", "Amount"),
        *("FixedAmount", "Percentage", "MinimumMonthlyEarnings", "AnnualNumberOfUnits"),
        "FullTimeNumberOfUnitsPerPeriod",
    )
)
#: What an earnings line must have by its calculation: of a rate per unit or a multiple, and of a fixed amount.
NEEDED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "USEEARNINGSRATE": (("NormalNumberOfUnits",), ()),
    "ENTEREARNINGSRATE": (("RatePerUnit", "NormalNumberOfUnits"), ("FixedAmount",)),
    "ANNUALSALARY": (("AnnualSalary", "NumberOfUnitsPerWeek"), ("AnnualSalary", "NumberOfUnitsPerWeek")),
}
LONGEST_DESCRIPTION = 50

NO_EARNINGS_RATE, NO_PAY_ELEMENT = "Earnings rate does not exist", "Pay element not found"
NO_SUPER = "Superannuation guarantee contribution line missing in pay template"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a template is measured by: the organisation's collections, the employee's age and the switches."""

    collections: Mapping[str, Collection]
    adult: bool
    qualifying_earnings: bool

    def current(self, plural: str, key: object) -> Record | None:
        row = self.collections[plural].rows.get(str(key).lower())
        record = row.record if row else {}
        return record if record.get("CurrentRecord") else None


def written(old: Record, sent: Any, how: str) -> Record:
    """The template after `sent` was written over `old`; `how` is the switch pay_template_write. ValueError when what
    was sent is no template."""
    if not isinstance(sent, dict):
        raise ValueError("PayTemplate must be an object")
    lists = {name: _lines(name, sent[name]) for name in LISTS if sent.get(name) is not None}
    if how == "merge":
        lists = {name: _merged(old.get(name, []), lines, LISTS[name][0]) for name, lines in lists.items()}
    kept = {} if how == "replace" else old
    return {name: lists.get(name, kept.get(name, [])) for name in LISTS}


def _lines(name: str, sent: Any) -> list[Record]:
    if not isinstance(sent, list) or not all(isinstance(line, dict) for line in sent):
        raise ValueError(f"{name} must be an array of objects")
    return [
        {field: four_places(value) if field in NUMBERS else value for field, value in line.items() if value is not None}
        for line in sent
    ]


def _merged(old: list[Record], sent: list[Record], key: tuple[str, ...]) -> list[Record]:
    """The n-th sent line of a key replaces the n-th existing one, or is added."""
    lines, taken = [dict(line) for line in old], [False] * len(old)
    for line in sent:
        same = [n for n, free in enumerate(taken) if not free and _key(lines[n], key) == _key(line, key)]
        if same:
            lines[same[0]] |= line
            taken[same[0]] = True
        else:
            lines.append(line)
            taken.append(True)
    return lines


def _key(line: Record, key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(line.get(name, "")).lower() for name in key)


def faults(template: Record, sent: Mapping[str, Any], rules: Rules) -> Iterator[str]:
    """Xero's words against a template. Of the lists only those that were sent are looked at."""
    for name, (key, plural) in LISTS.items():
        for line in template[name] if name in sent else ():
            if plural and not rules.current(plural, line.get(key[0])):
                yield NO_EARNINGS_RATE if name == "EarningsLines" else NO_PAY_ELEMENT
            elif name == "EarningsLines":
                yield from _earnings_faults(line, rules)
            elif name == "LeaveLines" and rules.qualifying_earnings and "IsQualifyingEarnings" not in line:
                yield "IsQualifyingEarnings is required for a leave line"
            elif name == "ReimbursementLines" and len(str(line.get("Description", ""))) > LONGEST_DESCRIPTION:
                yield f"Reimbursement description cannot be longer than {LONGEST_DESCRIPTION} characters"
    if rules.adult and not any(line.get("ContributionType") == "SGC" for line in template["SuperLines"]):
        yield NO_SUPER


def _earnings_faults(line: Record, rules: Rules) -> Iterator[str]:
    calculation = line.get("CalculationType")
    if calculation not in NEEDED:
        yield f"CalculationType of an earnings line must be one of {', '.join(NEEDED)}"
        return
    rate = rules.current("EarningsRates", line["EarningsRateID"]) or {}
    for field in NEEDED[calculation][rate.get("RateType") == "FIXEDAMOUNT"]:
        if field not in line:
            yield f"{field} is required for an earnings line with {calculation}"
