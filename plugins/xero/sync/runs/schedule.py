"""When a data set is due by the organisation's own clock: at the hour of its night, at midnight, or on pay dates."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.relativedelta import relativedelta

from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS
from xero.qicworks.connect.connections import HOME, Connection
from xero.qicworks.database import Session
from xero.qicworks.runs import schedule as due

# QicWorks knows the first three; Xero's calendars add the others, in capitals and without the underscore.
DAYS = {"weekly": 7, "fortnightly": 14, "fourweekly": 28}
MAX_PAUSE = timedelta(days=1)
MONTHS = {"monthly": 1, "quarterly": 3}
NIGHT_HOUR = 2  # unless the settings say otherwise
WORDS = {
    Timing.NIGHT: "{hour}:00 there on ",
    Timing.MIDNIGHT: "local midnight of ",
    Timing.PAY_DATE: "local midnight of the pay date ",
}


@dataclass(frozen=True)
class DueCheck:
    """Whether a data set of a connection is due now, with the reason in words.

    `moment` (UTC): since when it is due; None if it is not, or may be pulled at any time. `unsettled`: a setting has to
    be corrected before it can ever be due.
    """

    due: bool
    reason: str
    moment: datetime | None = None
    unsettled: bool = False


def check_due(session: Session, connection: Connection, data_set: str, timing: Timing, now: datetime) -> DueCheck:
    """Only checks. To start a run, use `claim_if_due`."""
    if timing is Timing.ANY:
        return DueCheck(True, "at any time")
    state = due.get_state(session, connection.id, data_set)
    time_zone = _time_zone(timing, state)
    series = (time_zone, state.pay_frequency, state.next_pay_date, state.night_hour)
    try:
        moment = latest(timing, now, *series)
        following = upcoming(timing, now, *series)
    except ValueError as error:
        return DueCheck(False, f"not due: {error}", unsettled=True)
    shown = partial(_shown, timing=timing, time_zone=time_zone, night_hour=state.night_hour)
    then = f"next at {shown(following)}" if following else "no later pay date is known"
    if timing is Timing.PAY_DATE and state.next_pay_date is None:
        return DueCheck(False, "not due: QicWorks has no pay date for it", unsettled=True)
    if moment is None:
        return DueCheck(False, f"not due: {then}")
    # A moment in the future cannot have been served: the clock was put back.
    if state.served_at is not None and moment <= state.served_at <= now:
        return DueCheck(False, f"not due: pulled since {shown(moment)}; {then}")
    if moment <= connection.first_connected_at <= now:
        return DueCheck(
            False, f"not due yet: first connected on {connection.first_connected_at:%Y-%m-%d %H:%M} UTC; {then}"
        )
    if state.not_before is not None and now < state.not_before <= now + MAX_PAUSE:
        again = f"tried {_times(state.attempts)}, next attempt at {state.not_before:%Y-%m-%d %H:%M} UTC"
        return DueCheck(False, f"overdue since {shown(moment)}; {again}")
    return DueCheck(True, f"due since {shown(moment)}", moment)


def claim_if_due(session: Session, connection: Connection, data_set: str, timing: Timing, now: datetime) -> DueCheck:
    """The same, and claims the run if it is due: no other run starts it for at least 30 minutes."""
    found = check_due(session, connection, data_set, timing, now)
    if found.moment and not due.claim(session, connection.id, data_set, now, found.moment):
        return DueCheck(False, "not due: another run has just claimed it")
    return found


def serve(session: Session, connection: Connection, data_set: str, timing: Timing, started_at: datetime) -> None:
    """Marks all that was due when a pull began as served, in the transaction of that pull, also of one by hand.

    By when it was started, because a pull may last beyond midnight.
    """
    if timing is Timing.ANY:
        return
    state = due.get_state(session, connection.id, data_set)
    try:
        series = (_time_zone(timing, state), state.pay_frequency, state.next_pay_date, state.night_hour)
        moment = latest(timing, started_at, *series)
    except ValueError:
        return  # reported by `check_due`; a pull by hand is still right
    if moment is not None:
        due.serve(session, connection.id, data_set, moment, started_at)


def find_missed_pay_dates(session: Session, connection_id: UUID, now: datetime) -> dict[str, date]:
    """Data set → its latest pay date that is over by the organisation's clock, if no pull succeeded on it or since.

    None are missed if the time zone or the pay frequency is not known, which `check_due` reports.
    """
    missed = {}
    for name in (name for name, dataset in DATASETS.items() if dataset.timing is Timing.PAY_DATE):
        state = due.get_state(session, connection_id, name)
        try:
            today = now.astimezone(zone(state.time_zone)).date()
            yesterday = _at(time(12), today - timedelta(days=1), state.time_zone)
            day, _ = _around(Timing.PAY_DATE, yesterday, state.time_zone, state.pay_frequency, state.next_pay_date)
        except ValueError:
            continue
        moment = _moment(day, Timing.PAY_DATE, state.time_zone)
        if day is None or moment is None or moment <= state.first_connected_at <= now:
            continue
        if state.served_at is None or not moment <= state.served_at <= now:
            missed[name] = day
    return missed


def latest(
    timing: Timing,
    now: datetime,
    time_zone: str | None,
    pay_frequency: str | None,
    next_pay_date: date | None,
    night_hour: int = NIGHT_HOUR,
) -> datetime | None:
    """Returns the latest moment up to `now` (UTC) at which it was due; None if there is none.

    Args:
        next_pay_date: Any date of the series, past or future. Without a frequency it is the only one.

    Raises:
        ValueError: The time zone or the frequency is not known; the message is for an operator.
    """
    day = _around(timing, now, time_zone, pay_frequency, next_pay_date, night_hour)[0]
    return _moment(day, timing, time_zone, night_hour)


def upcoming(
    timing: Timing,
    now: datetime,
    time_zone: str | None,
    pay_frequency: str | None,
    next_pay_date: date | None,
    night_hour: int = NIGHT_HOUR,
) -> datetime | None:
    """The first such moment after `now`."""
    day = _around(timing, now, time_zone, pay_frequency, next_pay_date, night_hour)[1]
    return _moment(day, timing, time_zone, night_hour)


def _around(
    timing: Timing,
    now: datetime,
    time_zone: str | None,
    pay_frequency: str | None,
    anchor: date | None,
    night_hour: int = NIGHT_HOUR,
) -> tuple[date | None, date | None]:
    """The last date of the series whose moment is not after `now`, and the first one after it."""
    today = now.astimezone(zone(time_zone)).date()
    if timing is Timing.NIGHT:
        last = today if _at(time(night_hour), today, time_zone) <= now else today - timedelta(days=1)
        return last, last + timedelta(days=1)
    if timing is Timing.MIDNIGHT:
        return today, today + timedelta(days=1)
    if timing is Timing.ANY or anchor is None:
        return None, None
    frequency = "".join(filter(str.isalnum, pay_frequency or "")).lower()
    if not frequency:
        return (anchor, None) if anchor <= today else (None, anchor)
    if days := DAYS.get(frequency):
        last = today - timedelta(days=(today - anchor).days % days)
        return last, last + timedelta(days=days)
    if months := MONTHS.get(frequency):
        # Counted from the anchor each time: the 31st is the 31st again after a short month.
        count = ((today.year - anchor.year) * 12 + today.month - anchor.month) // months
        if anchor + relativedelta(months=count * months) > today:
            count -= 1
        return anchor + relativedelta(months=count * months), anchor + relativedelta(months=(count + 1) * months)
    raise ValueError(
        f"the pay frequency '{pay_frequency}' is not known;"
        " set it to weekly, fortnightly, four_weekly, monthly or quarterly in QicWorks"
    )


def zone(time_zone: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(time_zone or HOME)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as "Australia"
        raise ValueError(
            f"the time zone '{time_zone}' is not known; set it to an IANA name such as {HOME} in QicWorks"
        ) from None


def _time_zone(timing: Timing, state: due.ScheduleState) -> str | None:
    """The time zone. None, for the home zone, if it is unknown and only the hour depends on it, not the day."""
    try:
        zone(state.time_zone)
    except ValueError:
        return state.time_zone if timing.of_a_day else None
    return state.time_zone


def _moment(day: date | None, timing: Timing, time_zone: str | None, night_hour: int = NIGHT_HOUR) -> datetime | None:
    """The midnight that begins that day, or the hour of its night, in UTC."""
    return _at(time(night_hour) if timing is Timing.NIGHT else time(), day, time_zone) if day else None


def _at(hour: time, day: date, time_zone: str | None) -> datetime:
    """That hour of that day, in UTC.

    If clocks go forward over that hour, it is the moment at which they do. If they go back over it, the first
    of the two counts. Both is what fold=0 means.
    """
    return datetime.combine(day, hour, zone(time_zone)).astimezone(UTC)


def _shown(moment: datetime, timing: Timing, time_zone: str | None, night_hour: int) -> str:
    """In UTC, as logs are read, and as the local date it begins."""
    doubt = "" if time_zone else f", by {HOME}: its time zone is not known"
    words = WORDS[timing].format(hour=night_hour)
    return f"{moment:%Y-%m-%d %H:%M} UTC ({words}{moment.astimezone(zone(time_zone)):%Y-%m-%d}{doubt})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
