"""Pay periods of every calendar, and leave shared among them."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from xero.documents.pay.pay_periods import LENGTHS, Share, beginning, shared, touched

DAY = timedelta(1)
DATES = some.dates(date(2020, 1, 1), date(2032, 12, 31))
HOURS = some.decimals(Decimal("0.0001"), Decimal("9999"), places=4)


@given(kind=some.sampled_from(sorted(LENGTHS)), known=DATES, first=DATES, days=some.integers(0, 400), hours=HOURS)
def test_periods_cover_the_leave_and_hold_its_hours(
    kind: str, known: date, first: date, days: int, hours: Decimal
) -> None:
    last = first + DAY * days
    shares = shared(kind, known, first, last, hours)
    assert shares[0].start <= first <= shares[0].end
    assert shares[-1].start <= last <= shares[-1].end
    assert all(one.end + DAY == two.start for one, two in pairwise(shares))
    assert sum(share.units for share in shares) == hours
    assert all(share.units >= 0 and share.units == round(share.units, 4) for share in shares)
    # Whoever asks for less or more of it meets the same periods.
    periods = [(share.start, share.end) for share in shares]
    assert list(touched(kind, known, first, first)) == periods[:1]
    around = list(touched(kind, known, first - DAY * 100, last + DAY * 100))
    assert around[around.index(periods[0]) :][: len(periods)] == periods
    assert known in {start for start, _ in touched(kind, known, known - DAY * 100, known + DAY * 100)}


@pytest.mark.parametrize(
    ("kind", "known", "first", "last", "hours", "expected"),
    [
        # Thursday to Tuesday over the end of a week: two weekdays in each.
        ("WEEKLY", "2026-11-02", "2026-11-12", "2026-11-17", "30.4", [("2026-11-09", "15.2"), ("2026-11-16", "15.2")]),
        # The calendar stands in the future; the weekend at the end has no hours, and is sent.
        ("FORTNIGHTLY", "2027-01-02", "2026-11-06", "2026-11-07", "7.6", [("2026-10-24", "7.6"), ("2026-11-07", "0")]),
        # A Saturday's leave is of that day.
        ("FOURWEEKLY", "2026-11-02", "2026-11-07", "2026-11-07", "4", [("2026-11-02", "4")]),
        ("MONTHLY", "2026-01-31", "2026-02-27", "2026-03-02", "15.2", [("2026-01-31", "7.6"), ("2026-02-28", "7.6")]),
        ("QUARTERLY", "2026-07-01", "2026-12-31", "2027-01-01", "1", [("2026-10-01", "0.5"), ("2027-01-01", "0.5")]),
        (
            "TWICEMONTHLY",
            "2026-10-16",
            "2026-02-13",
            "2026-03-02",
            "10",
            [("2026-02-01", "0.8333"), ("2026-02-16", "8.3334"), ("2026-03-01", "0.8333")],
        ),
    ],
)
def test_shares(kind: str, known: str, first: str, last: str, hours: str, expected: list[tuple[str, str]]) -> None:
    days = date.fromisoformat(known), date.fromisoformat(first), date.fromisoformat(last)
    shares: list[Share] = shared(kind, *days, Decimal(hours))
    assert [(str(share.start), share.units) for share in shares] == [(day, Decimal(units)) for day, units in expected]


@pytest.mark.parametrize(
    ("kind", "known", "expected"),
    [
        ("WEEKLY", "2026-11-02", {-1: "2026-10-26", 1: "2026-11-09", 52: "2027-11-01"}),
        ("FORTNIGHTLY", "2026-11-02", {-1: "2026-10-19", 1: "2026-11-16", 26: "2027-11-01"}),
        ("FOURWEEKLY", "2026-11-02", {-1: "2026-10-05", 1: "2026-11-30", 13: "2027-11-01"}),
        ("MONTHLY", "2026-11-30", {-1: "2026-10-30", 1: "2026-12-30", 3: "2027-02-28", 4: "2027-03-30"}),
        ("QUARTERLY", "2026-11-30", {-1: "2026-08-30", 1: "2027-02-28", 2: "2027-05-30"}),
        ("TWICEMONTHLY", "2026-11-01", {-1: "2026-10-16", 1: "2026-11-16", 2: "2026-12-01", 3: "2026-12-16"}),
        ("TWICEMONTHLY", "2026-11-16", {-1: "2026-11-01", 1: "2026-12-01", 2: "2026-12-16", 4: "2027-01-16"}),
        ("TWICEMONTHLY", "2026-11-15", {-1: "2026-10-30", 1: "2026-11-30", 2: "2026-12-15"}),
    ],
)
def test_when_a_period_begins(kind: str, known: str, expected: dict[int, str]) -> None:
    """Number 0 begins on the known day, the others on either side of it."""
    first = date.fromisoformat(known)
    found = {number: beginning(kind, first, number).isoformat() for number in expected}
    assert (beginning(kind, first, 0), found) == (first, expected)
    for number, start in expected.items():
        touching = list(touched(kind, first, date.fromisoformat(start), date.fromisoformat(start)))
        assert touching == [(date.fromisoformat(start), beginning(kind, first, number + 1) - DAY)]


@pytest.mark.parametrize("kind", sorted(LENGTHS))
def test_a_calendar_ends_with_the_last_day_that_there_is(kind: str) -> None:
    """And begins with the first one. A date that nobody meant, 9999-12-31 say, is no reason to stop, or never to."""
    known = date(2026, 11, 2)
    for number in (10**6, 10**12):
        assert (beginning(kind, known, number), beginning(kind, known, -number)) == (date.max, date.min)
    for last in (date.max - DAY, date.max):
        assert (beginning(kind, last, 0), beginning(kind, last, 1)) == (last, date.max)
        assert beginning(kind, date.min, -1) == date.min
    periods = list(islice(touched(kind, known, date.max - DAY * 200, date.max), 40))
    assert len(periods) < 40
    assert periods[0][0] <= date.max - DAY * 200
    assert periods[-1][1] == date.max - DAY
    assert all(end + DAY == start for (_, end), (start, _) in pairwise(periods))


def test_leave_on_a_weekend_is_shared_among_the_periods_that_meet_in_it() -> None:
    """It has no weekday: each of its days counts."""
    sunday = date(2026, 11, 1)
    shares = shared("WEEKLY", sunday, date(2026, 11, 7), date(2026, 11, 8), Decimal("7.6"))
    assert [(share.start, share.units) for share in shares] == [
        (sunday, Decimal("3.8")), (date(2026, 11, 8), Decimal("3.8")),
    ]  # fmt: skip


def test_the_shares_are_together_what_was_asked_for_to_its_last_decimal() -> None:
    monday = date(2026, 11, 2)
    for units in (Decimal("1.00005"), Decimal("0.00001")):
        assert sum(share.units for share in shared("WEEKLY", monday, monday, monday + DAY * 10, units)) == units
        assert [share.units for share in shared("WEEKLY", monday, monday, monday, units)] == [units]
