"""When it is time, by the organisation's own clock: at 2 am, at midnight, or at midnight of its pay dates."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.relativedelta import relativedelta

from xero.datasets.declaration import Timing
from xero.qicworks.connect.connections import HOME, Connection
from xero.qicworks.database import Session
from xero.qicworks.runs import schedule as due

# QicWorks knows the first three; Xero's calendars add the others, in capitals and without the underscore.
DAYS = {"weekly": 7, "fortnightly": 14, "fourweekly": 28}
LONGEST_PAUSE = timedelta(days=1)
MONTHS = {"monthly": 1, "quarterly": 3}
NIGHT = time(2)
WORDS = {
    Timing.NIGHT: "2 am there on ",
    Timing.MIDNIGHT: "local midnight of ",
    Timing.PAY_DATE: "local midnight of the pay date ",
}


@dataclass(frozen=True)
class Turn:
    """Whether a data set of a connection is to be pulled now, and why, in words.

    `moment` (UTC): since when it is due; None where it is not, or may be pulled at any time. `unsettled`: someone has
    to set something right before it ever is.
    """

    due: bool
    reason: str
    moment: datetime | None = None
    unsettled: bool = False


def turn(session: Session, connection: Connection, data_set: str, timing: Timing, now: datetime) -> Turn:
    """Looks only; `take` is for whoever starts a run."""
    if timing is Timing.ANY:
        return Turn(True, "at any time")
    held = due.standing(session, connection.id, data_set)
    time_zone = _time_zone(timing, held)
    series = (time_zone, held.pay_frequency, held.next_pay_date)
    try:
        moment = latest(timing, now, *series)
        following = upcoming(timing, now, *series)
    except ValueError as error:
        return Turn(False, f"not due: {error}", unsettled=True)
    said = partial(_said, timing=timing, time_zone=time_zone)
    then = f"next at {said(following)}" if following else "no later pay date is known"
    if timing is Timing.PAY_DATE and held.next_pay_date is None:
        return Turn(False, "not due: QicWorks has no pay date for it", unsettled=True)
    if moment is None:
        return Turn(False, f"not due: {then}")
    # A moment that is to come says nothing of what is past: nobody can have noted it.
    if held.served_at is not None and moment <= held.served_at <= now:
        return Turn(False, f"not due: pulled since {said(moment)}; {then}")
    if moment <= connection.first_connected_at <= now:
        return Turn(False, f"not due: connected only since {connection.first_connected_at:%Y-%m-%d %H:%M} UTC; {then}")
    if held.not_before is not None and now < held.not_before <= now + LONGEST_PAUSE:
        again = f"tried {_times(held.attempts)}, again at {held.not_before:%Y-%m-%d %H:%M} UTC"
        return Turn(False, f"waits since {said(moment)}; {again}")
    return Turn(True, f"due since {said(moment)}", moment)


def take(session: Session, connection: Connection, data_set: str, timing: Timing, now: datetime) -> Turn:
    """The same for whoever starts a run if it is due: it is then nobody else's for the next half hour, or longer."""
    found = turn(session, connection, data_set, timing, now)
    if found.moment and not due.claim(session, connection.id, data_set, now, found.moment):
        return Turn(False, "not due: another run has just taken it")
    return found


def serve(session: Session, connection: Connection, data_set: str, timing: Timing, started_at: datetime) -> None:
    """In the transaction of a pull that went well, also one by hand: it served all that was due when it began.

    Which is told from when it was started, since a pull may last beyond midnight.
    """
    if timing is Timing.ANY:
        return
    held = due.standing(session, connection.id, data_set)
    try:
        moment = latest(timing, started_at, _time_zone(timing, held), held.pay_frequency, held.next_pay_date)
    except ValueError:
        return  # said by `turn`; a pull by hand is right all the same
    if moment is not None:
        due.serve(session, connection.id, data_set, moment, started_at)


def latest(
    timing: Timing, now: datetime, time_zone: str | None, pay_frequency: str | None, next_pay_date: date | None
) -> datetime | None:
    """The latest moment up to `now` at which it was to be pulled (UTC); None where there is none.

    `next_pay_date` may be any date of the series, past or future. Without a frequency it is the only one.
    ValueError, in an operator's words, if the zone or the frequency is not known.
    """
    return _moment(_around(timing, now, time_zone, pay_frequency, next_pay_date)[0], timing, time_zone)


def upcoming(
    timing: Timing, now: datetime, time_zone: str | None, pay_frequency: str | None, next_pay_date: date | None
) -> datetime | None:
    """The first such moment after `now`."""
    return _moment(_around(timing, now, time_zone, pay_frequency, next_pay_date)[1], timing, time_zone)


def _around(
    timing: Timing, now: datetime, time_zone: str | None, pay_frequency: str | None, anchor: date | None
) -> tuple[date | None, date | None]:
    """The last date of the series whose moment is not after `now`, and the first one after it."""
    today = now.astimezone(zone(time_zone)).date()
    if timing is Timing.NIGHT:
        last = today if _at(NIGHT, today, time_zone) <= now else today - timedelta(days=1)
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


def _time_zone(timing: Timing, held: due.Standing) -> str | None:
    """None, the home zone, also for one that is not known where only the hour depends on it and not the day."""
    try:
        zone(held.time_zone)
    except ValueError:
        return held.time_zone if timing.of_a_day else None
    return held.time_zone


def _moment(day: date | None, timing: Timing, time_zone: str | None) -> datetime | None:
    """The midnight that begins that day, or 2 am on it, in UTC."""
    return _at(NIGHT if timing is Timing.NIGHT else time(), day, time_zone) if day else None


def _at(hour: time, day: date, time_zone: str | None) -> datetime:
    """That hour of that day, in UTC.

    Where clocks go forward at that hour there is none: by the old offset it is then the moment at which they do. Where
    they go back over it, the first of the two counts. Both is what fold=0 means.
    """
    return datetime.combine(day, hour, zone(time_zone)).astimezone(UTC)


def _said(moment: datetime, timing: Timing, time_zone: str | None) -> str:
    """In UTC, as logs are read, and as the local date it begins."""
    doubt = "" if time_zone else f", by {HOME}: its time zone is not known"
    return f"{moment:%Y-%m-%d %H:%M} UTC ({WORDS[timing]}{moment.astimezone(zone(time_zone)):%Y-%m-%d}{doubt})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
