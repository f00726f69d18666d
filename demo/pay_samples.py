"""Sample pay and leave, to be pushed to the demo's organisations that have payroll.

Pay is for the period after the one that has a draft pay run in Xero. `error` and `correction` are the expected result.
"""

from dataclasses import dataclass
from decimal import Decimal

ORDINARY, OVERTIME, MEALS, TOOLS = "Ordinary Hours", "Overtime × 1.5", "Meal Allowance", "Tool Allowance"
ANNUAL, OUTDATED, IN_DAYS = "Annual Leave", "Annual Leave (before 2019)", "Rostered Day Off"


@dataclass(frozen=True)
class Hours:
    """A line of pay. `code` None: the line has no pay code."""

    code: str | None
    units: str | None = None
    amount: str | None = None
    source: str = "time"


@dataclass(frozen=True)
class Pay:
    """The pay of one employee: "hourly 0" is the first with one line of ordinary hours in the pay template."""

    who: str
    lines: tuple[Hours, ...]
    approved: bool = True
    now: bool = False  # for the period that has a draft pay run
    error: str | None = None
    correction: str | None = None


@dataclass(frozen=True)
class Leave:
    """A leave request. Days are counted from the first day of a period some months ahead."""

    who: str
    first_day: int
    last_day: int
    hours: str
    leave_type: str = ANNUAL
    status: str = "Approved"
    title: str | None = "Family holiday"
    error: str | None = None
    correction: str | None = None


PAYS = (
    Pay("hourly 0", (Hours(ORDINARY, "38"), Hours(ORDINARY, "30.4"), Hours(OVERTIME, "3.25"))),
    Pay(
        "hourly 1",
        (Hours(ORDINARY, "68.4"), Hours(MEALS, "2"), Hours(TOOLS, amount="21.5"), Hours(ANNUAL, "7.6", source="leave")),
    ),
    Pay("hourly 2", (Hours(None, "7.6"),), error="a line has no pay code", correction="Tick the pay code"),
    Pay("hourly 3", (Hours(ORDINARY, "76"),), approved=False, error="it is not approved", correction="Check the pay"),
    Pay("hourly 4", (Hours(ORDINARY, "-1"),), error="is less than zero", correction="Correct the pay"),
    Pay(
        "hourly 5",
        (Hours(MEALS, "1"),),
        now=True,
        error="already exists as a draft",
        correction="Delete the draft pay run",
    ),
    Pay(
        "salaried 0", (Hours(ORDINARY, "4"),), error="it would be paid twice", correction="Remove the line from the pay"
    ),
)
LEAVES = (
    Leave("hourly 0", 1, 2, "15.2"),
    Leave("hourly 1", -2, 3, "30.4", title=None),  # in two pay periods
    Leave(
        "hourly 0", 4, 4, "7.6", status="Requested", error="it is requested in QicWorks", correction="Check the leave"
    ),
    Leave("hourly 0", 5, 4, "7.6", error="it ends before it starts", correction="Correct the dates"),
    Leave("hourly 0", 6, 6, "0", error="it has no hours", correction="Enter the hours"),
    Leave("hourly 0", 7, 7, "7.6", OUTDATED, error="is not in use", correction="Make the leave type active"),
    Leave(
        "hourly 0", 8, 8, "7.6", IN_DAYS, error="is not measured in hours", correction="Enter the leave in Xero by hand"
    ),
)


def totals(pay: Pay) -> dict[str, Decimal]:
    """The expected quantity of each pay code in the pay template. Leave is not part of it."""
    found: dict[str, Decimal] = {}
    for line in pay.lines:
        if line.source != "leave" and line.code:
            found[line.code] = found.get(line.code, Decimal()) + Decimal(line.units or line.amount or 0)
    return found
