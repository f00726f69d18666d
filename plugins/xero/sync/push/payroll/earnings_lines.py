"""Plans a pay template: sets or empties QicWorks' earnings lines, and keeps everything else exactly as it was read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.documents.declaration import CheckResult, Json, Record, Then
from xero.documents.odd_values import OutOfRange
from xero.documents.payroll import SALARY, Pay
from xero.documents.pricing import plain
from xero.qicworks.push.owned_earnings_lines import OwnedEarningsLine

EARNINGS = "EarningsLines"
#: Every list of a pay template, by what it is called in messages. One that is not sent may be emptied.
LISTS = {
    EARNINGS: "earnings",
    "DeductionLines": "deductions",
    "SuperLines": "superannuation",
    "ReimbursementLines": "reimbursements",
    "LeaveLines": "leave",
}
#: What their lines are called once they are pulled.
KINDS = dict(zip(("EARNINGS", "DEDUCTION", "SUPER", "REIMBURSEMENT", "LEAVE"), LISTS, strict=True))
USE_RATE, ENTER_RATE = "USEEARNINGSRATE", "ENTEREARNINGSRATE"
QUANTITIES = ("NormalNumberOfUnits", "FixedAmount")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Plan:
    """The template as it should be, and which of its lines are QicWorks'; `new`: those that were not before."""

    template: Json
    owned: tuple[OwnedEarningsLine, ...]
    new: tuple[UUID, ...]
    taken_over: tuple[str, ...] = ()  # names of lines that paid something before they were QicWorks'

    @property
    def ours(self) -> frozenset[str]:
        return frozenset(str(one.earnings_rate) for one in self.owned)


def plan(template: Record, pays: Sequence[Pay], owned: Sequence[OwnedEarningsLine]) -> Plan | list[CheckResult]:
    """Plans what to write, or returns why nothing can be written."""
    if unreadable := [said for name, said in LISTS.items() if not _is_list(template.get(name))]:
        return [CheckResult(f"the pay template's {', '.join(unreadable)} cannot be read", "Contact QicWorks support.")]
    lines = [dict(line) for line in template.get(EARNINGS) or ()]
    before = {one.earnings_rate: one for one in owned}
    findings = list(_find_conflicts(lines, pays, before))
    if findings:
        return findings
    kept: list[OwnedEarningsLine] = []
    taken_over = tuple(pay.name for pay in pays if pay.earnings_rate not in before and _already_pays(lines, pay))
    for pay in pays:
        places = _at(lines, pay.earnings_rate)
        if not places and pay.quantity:
            places = [len(lines)]
            lines.append({"EarningsRateID": str(pay.earnings_rate), "CalculationType": USE_RATE})
        for place in places:
            lines[place], mine = _set(lines[place], pay, before.get(pay.earnings_rate))
            kept.append(mine)
    for one in _left_over(lines, pays, before):
        for place in _at(lines, one.earnings_rate):
            lines[place] = _emptied(lines[place], one)
    # Also those whose line a user removed in Xero, or made a salary there.
    kept += [replace(one, empty=True, rates=(), before=None) for one in _without(pays, before)]
    shown = {name: value for name, value in template.items() if name not in LISTS or value is not None}
    whole = {**shown, EARNINGS: lines}  # a list that Xero does not show is not sent, so it is not emptied
    new = tuple(one.earnings_rate for one in kept if one.earnings_rate not in before)
    return Plan(whole, tuple(kept), new, taken_over)


def check_lists(template: Any, pulled: Collection[str], owned: Sequence[OwnedEarningsLine]) -> Iterator[CheckResult]:
    """Refuses a template without lists that it must have. `pulled`: the kinds of lines that the last pull found."""
    advice: tuple[str, Then] = ("Open the employee's pay template in Xero, and pull staff ({pull_staff}).", "retry")
    if not isinstance(template, dict):
        yield CheckResult("Xero does not show the pay template: nothing was sent", *advice)
        return
    there = [KINDS[kind] for kind in pulled if kind in KINDS] + [EARNINGS] * any(not one.empty for one in owned)
    if missing := [said for name, said in LISTS.items() if template.get(name) is None and name in there]:
        lists = ", ".join(missing)
        yield CheckResult(f"Xero shows the pay template without its lines of {lists}: nothing was sent", *advice)


def check_text(template: Any) -> Iterator[CheckResult]:
    """Refuses text that no request can carry: lines that are not QicWorks' go back as Xero sent them."""
    try:
        json.dumps(template, default=str, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        yield CheckResult(
            "Xero's pay template contains characters that cannot be sent back",
            "Open the employee's pay template in Xero and save it again.",
            "retry",
        )


def check_owned_lines(owned: Sequence[OwnedEarningsLine]) -> Iterator[CheckResult]:
    """Refuses lines whose earlier rate or whose period can no longer be read."""
    for one in owned:
        numbers = all(isinstance(rate, Decimal) and rate.is_finite() for rate in one.rates)
        dated = not isinstance(one.period_start, OutOfRange)
        if not numbers or not dated or not (one.before is None or _is_line(one.before)):
            yield CheckResult(
                f"QicWorks can no longer read the earlier rate or the period of the pay template's line '{one.name}'",
                "Enter this pay in Xero by hand, and contact QicWorks support.",
            )


def _is_line(before: Any) -> bool:
    if not isinstance(before, dict) or not all(isinstance(value, str) for value in before.values()):
        return False
    return "RatePerUnit" not in before or _number(before["RatePerUnit"]) is not None


def _is_list(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(line, dict) for line in value))


def _at(lines: Sequence[Record], earnings_rate: UUID) -> list[int]:
    """Returns the positions of the lines of an earnings rate."""
    wanted = str(earnings_rate)
    return [at for at, line in enumerate(lines) if str(line.get("EarningsRateID")).lower() == wanted]


def _already_pays(lines: Sequence[Record], pay: Pay) -> bool:
    """True if the template already has a line of this rate that pays something. Ordinary hours do not count."""
    found = [lines[at].get(name) for at in _at(lines, pay.earnings_rate) for name in QUANTITIES]
    return not pay.ordinary and any(_number(value) not in (None, NOTHING) for value in found)


def _find_conflicts(
    lines: Sequence[Record], pays: Sequence[Pay], before: Mapping[UUID, OwnedEarningsLine]
) -> Iterator[CheckResult]:
    """Yields what in the template prevents the pay from being written."""
    salary = any(line.get("CalculationType") == SALARY for line in lines)
    named = [(pay.earnings_rate, pay.name) for pay in pays]
    named += [(one.earnings_rate, one.name) for one in _left_over(lines, pays, before)]
    for earnings_rate, name in named:
        if len(at := _at(lines, earnings_rate)) > 1:
            yield CheckResult(
                f"the pay template has {len(at)} lines of '{name}'", "Keep only one of them in Xero.", "retry"
            )
    for pay in pays:
        paid = any(lines[at].get("CalculationType") == SALARY for at in _at(lines, pay.earnings_rate))
        if paid or (salary and pay.ordinary and pay.quantity):
            yield CheckResult(
                f"the employee's annual salary in Xero already pays '{pay.name}': it would be paid twice",
                "Remove the line from the {document} in QicWorks, or the salary from the pay template in Xero.",
                "approve",
            )


def _without(pays: Sequence[Pay], before: Mapping[UUID, OwnedEarningsLine]) -> list[OwnedEarningsLine]:
    """QicWorks' lines that this period does not use."""
    paid = {pay.earnings_rate for pay in pays}
    return [one for one in before.values() if one.earnings_rate not in paid]


def _left_over(
    lines: Sequence[Record], pays: Sequence[Pay], before: Mapping[UUID, OwnedEarningsLine]
) -> list[OwnedEarningsLine]:
    """Of those, the ones to empty. A line that a user has made a salary in Xero is no longer QicWorks'."""

    def is_salary(one: OwnedEarningsLine) -> bool:
        return any(lines[at].get("CalculationType") == SALARY for at in _at(lines, one.earnings_rate))

    return [one for one in _without(pays, before) if not is_salary(one)]


def _set(line: Record, pay: Pay, owned: OwnedEarningsLine | None) -> tuple[Json, OwnedEarningsLine]:
    """The line with this pay, and what QicWorks records about it."""
    mine = OwnedEarningsLine(pay.earnings_rate, pay.name, pay.fixed, empty=not pay.quantity)
    if pay.fixed:
        return {**line, "CalculationType": ENTER_RATE, "FixedAmount": plain(pay.quantity)}, mine
    units = {"NormalNumberOfUnits": plain(pay.quantity)}
    if pay.rate is None:
        return {**_with_its_own_rate(line, owned), **units}, mine
    calculated = {name: line[name] for name in ("CalculationType", "RatePerUnit") if line.get(name) is not None}
    if owned and owned.before and _has_our_rate(line, owned):
        calculated = owned.before
    made = {**line, "CalculationType": ENTER_RATE, "RatePerUnit": plain(pay.rate), **units}
    return made, replace(mine, rates=(pay.rate,), before=calculated)


def _emptied(line: Record, owned: OwnedEarningsLine) -> Json:
    names = {"FixedAmount" if owned.fixed else "NormalNumberOfUnits"}
    names |= {name for name in ("FixedAmount", "NormalNumberOfUnits") if line.get(name) is not None}
    return {**_with_its_own_rate(line, owned), **dict.fromkeys(sorted(names), NOTHING)}


def _has_our_rate(line: Record, owned: OwnedEarningsLine) -> bool:
    return line.get("CalculationType") == ENTER_RATE and _number(line.get("RatePerUnit")) in owned.rates


def _with_its_own_rate(line: Record, owned: OwnedEarningsLine | None) -> Json:
    """The line without the rate that QicWorks gave it; a rate that a user entered in Xero since stays."""
    if not owned or not owned.before or not _has_our_rate(line, owned):
        return dict(line)
    made = {name: value for name, value in line.items() if name != "RatePerUnit"}
    made["CalculationType"] = owned.before.get("CalculationType", USE_RATE)
    if "RatePerUnit" in owned.before:
        made["RatePerUnit"] = wire.number(str(owned.before["RatePerUnit"]))
    return made


# -- comparing


def differences(wanted: Record, found: Record, ours: frozenset[str]) -> list[str]:
    """The lists that differ from what was wanted. `ours`: the earnings rates of QicWorks' lines."""
    return [
        said
        for name, said in LISTS.items()
        if not _is_list(found.get(name)) or not _same(wanted.get(name) or [], found.get(name) or [], ours)
    ]


def _same(wanted: Sequence[Record], found: Sequence[Record], ours: frozenset[str]) -> bool:
    def split_by_owner(lines: Sequence[Record]) -> tuple[dict[str, Record], Counter[Hashable]]:
        mine = {rate: line for line in lines if (rate := str(line.get("EarningsRateID")).lower()) in ours}
        others = [line for line in lines if str(line.get("EarningsRateID")).lower() not in ours]
        return mine, Counter(map(_exact, others))

    (our_lines, others), (found_lines, found_others) = split_by_owner(wanted), split_by_owner(found)
    if len(wanted) != len(found) or others != found_others or our_lines.keys() != found_lines.keys():
        return False
    return all(_pays_the_same(line, found_lines[rate]) for rate, line in our_lines.items())


def _pays_the_same(wanted: Record, found: Record) -> bool:
    """True if no field that was sent differs; Xero may add others. None and zero are the same."""
    names = set(wanted)
    if wanted.get("CalculationType") == USE_RATE:
        names.discard("RatePerUnit")  # it has no effect
    zero = _exact(NOTHING)
    return all(
        _exact(wanted[name]) == _exact(found.get(name)) or (_exact(wanted[name]) == zero and found.get(name) is None)
        for name in names
    )


def _exact(value: Any, levels: int = 20) -> Hashable:
    """The value, to be compared: numbers by their value, fields that are null like those that are not there."""
    if isinstance(value, Mapping | list) and levels == 0:
        return "deeper than any line"
    if isinstance(value, Mapping):
        return frozenset((name, _exact(one, levels - 1)) for name, one in value.items() if one is not None)
    if isinstance(value, list):
        return tuple(_exact(one, levels - 1) for one in value)
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return ("number", Decimal(value))
    return str(value)  # true, false or null


def _number(value: Any) -> Decimal | None:
    try:
        return wire.number(value)
    except ValueError:
        return None
