"""When a data set is due: known nights of Australia, and what holds in any zone and for any series of pay dates."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xero.datasets.declaration import Timing
from xero.sync.runs.schedule import latest, upcoming

NIGHT, MIDNIGHT, PAY_DATE = Timing.NIGHT, Timing.MIDNIGHT, Timing.PAY_DATE
SYDNEY, ADELAIDE, PERTH = "Australia/Sydney", "Australia/Adelaide", "Australia/Perth"
LORD_HOWE = "Australia/Lord_Howe"
ZONES = sorted(zone for zone in available_timezones() if not zone.startswith(("posix", "right", "localtime")))
DAYS = {"weekly": 7, "fortnightly": 14, "four_weekly": 28}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def pay_dates(zone: str, frequency: str, anchor: date, first: date, last: date) -> list[date]:
    """Each local date between, on whose noon the latest moment is that day's."""
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    found = []
    for day in days:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
        moment = latest(PAY_DATE, noon, zone, frequency, anchor)
        if moment and moment.astimezone(ZoneInfo(zone)).date() == day:
            found.append(day)
    return found


@pytest.mark.parametrize(
    ("zone", "now", "midnight"),
    [
        (SYDNEY, "2026-07-15 13:59:59", "2026-07-14 14:00"),
        (SYDNEY, "2026-07-15 14:00:00", "2026-07-15 14:00"),
        (ADELAIDE, "2026-07-15 14:29:59", "2026-07-14 14:30"),
        (ADELAIDE, "2026-07-15 14:30:00", "2026-07-15 14:30"),
        (ADELAIDE, "2026-12-15 13:30:00", "2026-12-15 13:30"),
        (PERTH, "2026-07-15 16:00:00", "2026-07-15 16:00"),
        (PERTH, "2026-12-15 15:59:59", "2026-12-14 16:00"),
        (LORD_HOWE, "2026-07-15 13:30:00", "2026-07-15 13:30"),
        (LORD_HOWE, "2026-12-15 13:00:00", "2026-12-15 13:00"),
        # Daylight saving ends on 5 April: that day still begins by summer's clock, the next one does not.
        (SYDNEY, "2026-04-05 13:59:59", "2026-04-04 13:00"),
        (SYDNEY, "2026-04-05 14:00:00", "2026-04-05 14:00"),
        (ADELAIDE, "2026-04-05 14:29:59", "2026-04-04 13:30"),
        (ADELAIDE, "2026-04-05 14:30:00", "2026-04-05 14:30"),
        (LORD_HOWE, "2026-04-05 13:29:59", "2026-04-04 13:00"),
        (LORD_HOWE, "2026-04-05 13:30:00", "2026-04-05 13:30"),
        (PERTH, "2026-04-05 15:59:59", "2026-04-04 16:00"),
        # It begins on 4 October.
        (SYDNEY, "2026-10-04 12:59:59", "2026-10-03 14:00"),
        (SYDNEY, "2026-10-04 13:00:00", "2026-10-04 13:00"),
        (ADELAIDE, "2026-10-04 13:29:59", "2026-10-03 14:30"),
        (LORD_HOWE, "2026-10-04 12:59:59", "2026-10-03 13:30"),
        (PERTH, "2026-10-04 16:00:00", "2026-10-04 16:00"),
        # A zone that is not known counts as Sydney.
        (None, "2026-10-04 13:00:00", "2026-10-04 13:00"),
        # Days without a midnight, as clocks go forward then: they begin at one.
        ("Asia/Beirut", "2026-03-28 22:00:00", "2026-03-28 22:00"),
        ("Africa/Cairo", "2026-04-24 03:00:00", "2026-04-23 22:00"),
        ("America/Asuncion", "2023-10-01 04:00:00", "2023-10-01 04:00"),
        # A day that begins twice, as clocks go back at one: the first time counts.
        ("America/Havana", "2026-11-01 05:30:00", "2026-11-01 04:00"),
    ],
)
def test_known_midnights(zone: str | None, now: str, midnight: str) -> None:
    assert latest(MIDNIGHT, at(now), zone, None, None) == at(midnight)


@pytest.mark.parametrize(
    ("zone", "now", "two"),
    [
        (SYDNEY, "2026-07-15 15:59:59", "2026-07-14 16:00"),
        (SYDNEY, "2026-07-15 16:00:00", "2026-07-15 16:00"),
        (SYDNEY, "2026-12-15 15:00:00", "2026-12-15 15:00"),
        (ADELAIDE, "2026-07-15 16:29:59", "2026-07-14 16:30"),
        (PERTH, "2026-12-15 18:00:00", "2026-12-15 18:00"),
        (None, "2026-07-15 16:00:00", "2026-07-15 16:00"),
        # Clocks go forward from 2:00 to 3:00 (Lord Howe: to 2:30): that moment is this night's.
        (SYDNEY, "2026-10-03 15:59:59", "2026-10-02 16:00"),
        (SYDNEY, "2026-10-03 16:00:00", "2026-10-03 16:00"),
        (LORD_HOWE, "2026-10-03 15:30:00", "2026-10-03 15:30"),
        (SYDNEY, "2026-10-04 15:00:00", "2026-10-04 15:00"),
        # They go back from 3:00 to 2:00: the first of the two, and once only.
        (SYDNEY, "2026-04-04 15:00:00", "2026-04-04 15:00"),
        (SYDNEY, "2026-04-04 16:30:00", "2026-04-04 15:00"),
        (LORD_HOWE, "2026-04-04 15:29:59", "2026-04-03 15:00"),  # from 2:00 to 1:30: 2:00 comes once
        # West of Greenwich the local day is another one than UTC's.
        ("America/Chicago", "2026-03-08 08:00:00", "2026-03-08 08:00"),
        ("Pacific/Honolulu", "2026-07-15 11:59:59", "2026-07-14 12:00"),
    ],
)
def test_known_nights(zone: str | None, now: str, two: str) -> None:
    assert latest(NIGHT, at(now), zone, None, None) == at(two)


def test_midnight_of_the_pay_date() -> None:
    def fortnightly(now: str, anchor: date = date(2026, 10, 4), zone: str = ADELAIDE) -> datetime | None:
        return latest(PAY_DATE, at(now), zone, "fortnightly", anchor)

    assert fortnightly("2026-10-03 14:29:59") == at("2026-09-19 14:30")
    assert fortnightly("2026-10-03 14:30:00") == at("2026-10-03 14:30")
    assert fortnightly("2026-10-17 13:29:59") == at("2026-10-03 14:30")
    assert fortnightly("2026-10-17 13:30:00") == at("2026-10-17 13:30"), "summer by then"
    rolled = date(2026, 10, 18)
    assert fortnightly("2026-10-03 20:00:00", rolled) == at("2026-10-03 14:30"), "a missed night is found behind it"
    assert fortnightly("2026-10-03 15:00:00", zone=PERTH) == at("2026-09-19 16:00"), "not yet that date there"


def test_months_end_clips_and_does_not_drift() -> None:
    def in_2028(frequency: str, anchor: date) -> list[str]:
        dates = pay_dates(SYDNEY, frequency, anchor, date(2027, 12, 1), date(2028, 6, 30))
        return [f"{day:%m-%d}" for day in dates]

    ends = ["12-31", "01-31", "02-29", "03-31", "04-30", "05-31", "06-30"]
    assert in_2028("monthly", date(2028, 1, 31)) == ends
    assert in_2028("monthly", date(2025, 8, 31)) == ends
    assert in_2028("MONTHLY", date(2031, 10, 31)) == ends
    assert in_2028("monthly", date(2028, 1, 30)) == ["12-30", "01-30", "02-29", "03-30", "04-30", "05-30", "06-30"]
    assert in_2028("quarterly", date(2027, 11, 30)) == ["02-29", "05-30"]
    assert pay_dates(PERTH, "monthly", date(2026, 12, 31), date(2027, 2, 1), date(2027, 3, 30)) == [date(2027, 2, 28)]
    assert pay_dates(PERTH, "weekly", date(2028, 2, 22), date(2028, 2, 20), date(2028, 3, 8)) == [
        date(2028, 2, 22),
        date(2028, 2, 29),
        date(2028, 3, 7),
    ]


def test_frequencies_as_either_side_writes_them() -> None:
    now, anchor = at("2026-10-20 00:00"), date(2026, 10, 4)
    for names in (["four_weekly", "FOURWEEKLY", "Four-weekly"], ["weekly", "WEEKLY"], ["fortnightly", "Fortnightly"]):
        assert len({latest(PAY_DATE, now, PERTH, name, anchor) for name in names}) == 1
    with pytest.raises(ValueError, match="'TWICEMONTHLY' is not known; set it to weekly, fortnightly"):
        latest(PAY_DATE, now, PERTH, "TWICEMONTHLY", anchor)
    for zone in ("Perth", "Australia", "AUSEASTERNSTANDARDTIME", "../Perth"):
        with pytest.raises(ValueError, match=f"time zone '{zone}' is not known; set it to an IANA name"):
            latest(MIDNIGHT, now, zone, None, None)


def test_without_a_pay_date_never_and_without_a_frequency_once() -> None:
    now = at("2026-10-20 00:00")
    assert latest(PAY_DATE, now, PERTH, "weekly", None) is None
    assert upcoming(PAY_DATE, now, PERTH, "weekly", None) is None
    assert latest(PAY_DATE, now, PERTH, None, date(2026, 10, 4)) == at("2026-10-03 16:00")
    assert upcoming(PAY_DATE, now, PERTH, None, date(2026, 10, 4)) is None
    assert latest(PAY_DATE, now, PERTH, "", date(2026, 10, 24)) is None
    assert upcoming(PAY_DATE, now, PERTH, "", date(2026, 10, 24)) == at("2026-10-23 16:00")


instants = st.timedeltas(timedelta(0), timedelta(days=28 * 365)).map(lambda since: at("2012-01-01") + since)
anchors = st.dates(date(2010, 1, 1), date(2042, 1, 1))
zones = st.sampled_from(ZONES)


@settings(max_examples=300)
@given(
    timing=st.sampled_from([MIDNIGHT, PAY_DATE]),
    now=instants,
    zone=zones,
    frequency=st.sampled_from([*DAYS, "monthly", "quarterly"]),
    anchor=anchors,
)
def test_now_lies_between_two_local_midnights(
    timing: Timing, now: datetime, zone: str, frequency: str, anchor: date
) -> None:
    series = (zone, frequency, anchor)
    moment, following = latest(timing, now, *series), upcoming(timing, now, *series)
    assert moment is not None
    assert following is not None
    assert moment <= now < following
    assert (moment.tzinfo, following.tzinfo) == (UTC, UTC)
    for midnight in (moment, following):
        day, before = (
            instant.astimezone(ZoneInfo(zone)).date() for instant in (midnight, midnight - timedelta(microseconds=1))
        )
        assert day > before, "a day's first moment"
        assert latest(timing, midnight, *series) == midnight
    # Between the two there is none: both sides of the gap agree on it.
    assert upcoming(timing, moment, *series) == following
    assert latest(timing, following - timedelta(microseconds=1), *series) == moment
    if timing is PAY_DATE:
        own = datetime(anchor.year, anchor.month, anchor.day, 12, tzinfo=ZoneInfo(zone))
        on_its_date = latest(timing, own, *series)
        assert on_its_date is not None
        assert on_its_date.astimezone(ZoneInfo(zone)).date() == anchor, "the anchor is one of its dates"


@settings(max_examples=300)
@given(now=instants, zone=zones)
def test_each_local_day_has_one_2_am(now: datetime, zone: str) -> None:
    moment, following = (find(NIGHT, now, zone, None, None) for find in (latest, upcoming))
    assert moment is not None
    assert following is not None
    assert moment <= now < following
    assert timedelta(0) < following - moment < timedelta(hours=49), "Samoa left a day out"
    # The first moment at which the day's clock shows two or more.
    assert moment.astimezone(ZoneInfo(zone)).hour >= 2
    instant_before = (moment - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert instant_before.hour < 2 or instant_before.date() < moment.astimezone(ZoneInfo(zone)).date()
    assert latest(NIGHT, following - timedelta(microseconds=1), zone, None, None) == moment
    assert upcoming(NIGHT, moment, zone, None, None) == following


@settings(max_examples=200)
@given(now=instants, zone=zones, frequency=st.sampled_from([*DAYS]), anchor=anchors, steps=st.integers(-300, 300))
def test_any_date_of_a_series_of_days_may_be_its_anchor(
    now: datetime, zone: str, frequency: str, anchor: date, steps: int
) -> None:
    step = timedelta(days=DAYS[frequency])
    moment = latest(PAY_DATE, now, zone, frequency, anchor)
    assert latest(PAY_DATE, now, zone, frequency, anchor + steps * step) == moment
    following = upcoming(PAY_DATE, now, zone, frequency, anchor)
    assert moment is not None
    assert following is not None
    local = ZoneInfo(zone)
    assert following.astimezone(local).date() - moment.astimezone(local).date() == step


@settings(max_examples=200)
@given(
    now=instants,
    frequency=st.sampled_from(["monthly", "quarterly"]),
    anchor=anchors,
    steps=st.integers(-60, 60),
)
def test_any_unclipped_date_of_a_series_of_months_may_be_its_anchor(
    now: datetime, frequency: str, anchor: date, steps: int
) -> None:
    number = anchor.year * 12 + anchor.month - 1 + steps * (1 if frequency == "monthly" else 3)
    try:
        other = date(number // 12, number % 12 + 1, anchor.day)
    except ValueError:
        return  # that month is too short: the date there no longer tells which day is meant
    assert latest(PAY_DATE, now, ADELAIDE, frequency, other) == latest(PAY_DATE, now, ADELAIDE, frequency, anchor)
