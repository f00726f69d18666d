"""Local midnights in a real database: each organisation is taken once, at its own, whatever happens in between."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import product
from threading import Barrier
from zoneinfo import ZoneInfo

import psycopg
import pytest
from croniter import croniter
from sqlalchemy import Engine

from xero.datasets.declaration import Dataset, Timing
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.connect import connections, settings
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.runs import schedule as standing
from xero.sync.runs import schedule
from xero.sync.runs.participants import select_connections

SYDNEY, ADELAIDE, PERTH = "Australia/Sydney", "Australia/Adelaide", "Australia/Perth"
APRIL, OCTOBER, MONTHS_END = date(2026, 4, 5), date(2026, 10, 4), date(2026, 10, 31)
STEP = {"weekly": 7, "fortnightly": 14, "four_weekly": 28}

# The pay date's midnight in UTC. Clocks go back at 3:00 on 5 April and forward at 2:00 on 4 October; Perth's never do.
MIDNIGHT = {
    (APRIL, SYDNEY): "2026-04-04 13:00",
    (APRIL, ADELAIDE): "2026-04-04 13:30",
    (APRIL, PERTH): "2026-04-04 16:00",
    (OCTOBER, SYDNEY): "2026-10-03 14:00",
    (OCTOBER, ADELAIDE): "2026-10-03 14:30",
    (OCTOBER, PERTH): "2026-10-03 16:00",
    (MONTHS_END, SYDNEY): "2026-10-30 13:00",
    (MONTHS_END, ADELAIDE): "2026-10-30 13:30",
    (MONTHS_END, PERTH): "2026-10-30 16:00",
}
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
BALANCES, PAYMENTS, CONTACTS = "leave_balances", "invoice_payments", "contacts"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += QUARTER


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with database.session(engine) as session:
        yield session


def connected(
    session: Session,
    since: datetime,
    zone: str | None = ADELAIDE,
    frequency: str | None = "fortnightly",
    next_pay_date: date | None = OCTOBER,
) -> Connection:
    """First connected then, and again just now (`connected_at`), which makes no difference."""
    row = session.execute(
        "WITH o AS (INSERT INTO qicworks.organisation (name, time_zone, pay_frequency, next_pay_date)"
        " VALUES (%(name)s, %(zone)s, %(frequency)s, %(next_pay_date)s) RETURNING id),"
        " t AS (INSERT INTO xero_sync.token (airflow_conn_id, secret, expires_at) VALUES ('x', '', now()) RETURNING id)"
        " INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, first_connected_at)"
        " SELECT o.id, t.id, %(name)s, %(name)s, %(since)s FROM o, t RETURNING id",
        {
            "name": uuid.uuid4().hex,
            "zone": zone,
            "frequency": frequency,
            "next_pay_date": next_pay_date,
            "since": since,
        },
    ).fetchone()
    assert row is not None
    return connections.one(session, row["id"])


def taken(
    session: Session,
    connection: Connection,
    times: Iterator[datetime],
    *,
    timing: Timing = Timing.PAY_DATE,
    works: Callable[[datetime], bool] = lambda now: True,
) -> list[datetime]:
    """The ticks at which a run was started; each pull begins and ends a few seconds later, well or badly."""
    data_set = {Timing.PAY_DATE: BALANCES, Timing.MIDNIGHT: PAYMENTS}.get(timing, CONTACTS)
    found = []
    for now in times:
        if schedule.claim_if_due(session, connection, data_set, timing, now).due:
            found.append(now)
            if works(now):
                schedule.serve(session, connection, data_set, timing, now + timedelta(seconds=9))
    return found


@pytest.mark.parametrize("pay_date", [APRIL, OCTOBER, MONTHS_END])
def test_each_is_taken_once_at_its_own_midnight(session: Session, pay_date: date) -> None:
    """QicWorks may say the pay date itself, the next one, or still one of long ago."""
    combinations = list(product((SYDNEY, ADELAIDE, PERTH), STEP))
    assert len(combinations) == 9
    for number, (zone, frequency) in enumerate(combinations):
        midnight = at(MIDNIGHT[pay_date, zone])
        anchor = pay_date + timedelta(days=STEP[frequency]) * (0, 1, -3)[(number + number // 3) % 3]
        connection = connected(session, midnight - 3 * DAY, zone, frequency, anchor)
        around = list(ticks(midnight - 30 * HOUR, midnight + 42 * HOUR))
        assert taken(session, connection, iter(around)) == [midnight], (zone, frequency, anchor)
        following = midnight + timedelta(days=STEP[frequency])
        later = taken(session, connection, iter(ticks(following - 8 * HOUR, following + 3 * HOUR)))
        by_its_clock = [f"{now.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for now in later]
        assert by_its_clock == [f"{pay_date + timedelta(days=STEP[frequency])} 00:00"], "and when it next pays"


def test_every_night_has_its_payments(session: Session) -> None:
    connection = connected(session, at("2026-10-01 20:00"))
    first, last = at("2026-10-01 20:00"), at("2026-10-06 06:00")
    nights = taken(session, connection, ticks(first, last), timing=Timing.MIDNIGHT)
    assert nights == [
        at("2026-10-02 14:30"),
        at("2026-10-03 14:30"),
        at("2026-10-04 13:30"),
        at("2026-10-05 13:30"),
    ]
    assert taken(session, connection, ticks(first, last)) == [at("2026-10-03 14:30")], "leave balances do not mind them"
    late = at("2026-10-07 13:15")
    nights = taken(session, connection, ticks(late, late + HOUR), timing=Timing.MIDNIGHT)
    assert nights == [late, late + QUARTER], "one that comes late is not in the next one's way"


@pytest.mark.parametrize(
    ("zone", "first", "nights"),
    [
        (SYDNEY, "2026-10-02 00:30", ["2026-10-02 16:30", "2026-10-03 16:30", "2026-10-04 15:30"]),
        (PERTH, "2026-10-02 00:00", ["2026-10-02 18:00", "2026-10-03 18:00", "2026-10-04 18:00"]),
        (ADELAIDE, "2026-04-03 00:00", ["2026-04-03 16:00", "2026-04-04 16:00", "2026-04-05 17:00"]),
        (None, "2026-10-02 00:00", ["2026-10-02 16:00", "2026-10-03 16:00", "2026-10-04 15:00"]),
        ("Adelaide", "2026-10-02 00:00", ["2026-10-02 16:00", "2026-10-03 16:00", "2026-10-04 15:00"]),
    ],
)
def test_each_night_is_taken_once_by_the_hour(
    session: Session, zone: str | None, first: str, nights: list[str]
) -> None:
    """Also where clocks change; without a zone, or with none that is known, by Sydney's."""
    connection = connected(session, at(first), zone)
    hourly = [at(first) + HOUR * number for number in range(72)]
    assert taken(session, connection, iter(hourly), timing=Timing.NIGHT) == [at(night) for night in nights]
    later = [hourly[-1] + 100 * HOUR + HOUR * number for number in range(6)]
    assert taken(session, connection, iter(later), timing=Timing.NIGHT) == later[:1], "made up for, once"


def test_nightly_data_sets_go_by_the_organisation_s_clock(engine: Engine, session: Session) -> None:
    """As the DAG of each asks: only who is due by schedule; everybody by hand."""
    session.execute("UPDATE xero_sync.connection SET state = 'deleted'")
    ids = {
        str(connected(session, at("2026-11-01 00:00"), zone).id): zone for zone in (SYDNEY, ADELAIDE, PERTH, "Sydney")
    }
    session.execute("UPDATE xero_sync.connection SET state = 'connected', enabled = true WHERE id = ANY(%s)", [[*ids]])
    nightly = [dataset for dataset in DATASETS.values() if dataset.timing is Timing.NIGHT]
    assert {"contacts", "staff"} < {dataset.name for dataset in nightly}

    def whose(dataset: Dataset, now: str, scheduled: bool = True) -> list[str | None]:
        taking, left_out = select_connections(engine, dataset, scheduled=scheduled, now=at(now))
        assert not left_out
        return sorted(ids[one["connection_id"]] for one in taking if one["connection_id"] in ids)

    for dataset in nightly:
        assert croniter.match(dataset.schedule, at("2026-11-10 15:00"))
        assert whose(dataset, "2026-11-02 14:00") == [ADELAIDE, PERTH, SYDNEY, "Sydney"], "none was ever pulled"
        session.execute("UPDATE xero_sync.due SET served_at = '2026-11-10 02:00+08:00', not_before = NULL")
        assert whose(dataset, "2026-11-10 15:00") == [SYDNEY, "Sydney"]
        session.execute("UPDATE xero_sync.due SET served_at = '2026-11-10 15:00+00', not_before = NULL")
        assert whose(dataset, "2026-11-10 15:00") == []
        assert whose(dataset, "2026-11-10 16:00") == [ADELAIDE]
        assert whose(dataset, "2026-11-10 16:00", scheduled=False) == [ADELAIDE, PERTH, SYDNEY, "Sydney"]


def test_a_missed_night_is_made_up_for(session: Session) -> None:
    """At the first tick after, also where QicWorks has gone on to the next pay date by then."""
    connection = connected(session, at("2026-09-25 00:00"), next_pay_date=OCTOBER)
    before = ticks(at("2026-10-03 00:00"), at("2026-10-03 14:15"))
    assert taken(session, connection, before) == []
    session.execute(
        "UPDATE qicworks.organisation SET next_pay_date = %s WHERE id = %s",
        (OCTOBER + 14 * DAY, connection.organisation_id),
    )
    after = list(ticks(at("2026-10-04 22:15"), at("2026-10-17 13:15")))
    assert taken(session, connection, iter(after[:200])) == after[:1]
    assert taken(session, connection, iter(after[-50:])) == []
    assert taken(session, connection, ticks(at("2026-10-17 13:30"), at("2026-10-18 00:00"))) == [at("2026-10-17 13:30")]


def test_a_failing_pull_comes_again_less_and_less_often(session: Session) -> None:
    connection = connected(session, at("2026-09-25 00:00"))
    midnight = at("2026-10-03 14:30")
    mended = midnight + 30 * HOUR
    tried = taken(session, connection, ticks(midnight - HOUR, midnight + 3 * DAY), works=lambda now: now > mended)
    hours = [(now - midnight) / HOUR for now in tried]
    assert hours == [0, 0.5, 1.5, 3.5, 7.5, 13.5, 19.5, 25.5, 31.5], "30 min, 1 h, 2 h, 4 h, then every 6 h"
    again = at("2026-10-17 13:30")
    tried = taken(session, connection, ticks(again - HOUR, again + HOUR), works=lambda now: now > again)
    assert tried == [again, again + 2 * QUARTER], "what failed before is forgotten with the success"


def test_a_pull_by_hand_serves_what_was_due_when_it_began(session: Session) -> None:
    connection = connected(session, at("2026-09-25 00:00"))
    midnight = at("2026-10-03 14:30")

    def by_hand(started_at: datetime) -> None:
        schedule.serve(session, connection, BALANCES, Timing.PAY_DATE, started_at)

    by_hand(midnight - QUARTER)
    assert taken(session, connection, ticks(midnight, midnight + HOUR)) == [midnight], "the evening before is too early"

    midnight = at("2026-10-17 13:30")
    assert schedule.claim_if_due(session, connection, BALANCES, Timing.PAY_DATE, midnight).due, "started, and fails"
    by_hand(midnight + timedelta(minutes=20))
    assert taken(session, connection, ticks(midnight, midnight + DAY)) == []

    midnight = at("2026-10-31 13:30")
    with session.transaction():
        by_hand(midnight + QUARTER)
        raise psycopg.Rollback  # the pull's transaction, which is what did not go well
    assert taken(session, connection, ticks(midnight + 2 * QUARTER, midnight + HOUR)) == [midnight + 2 * QUARTER]
    by_hand(at("2026-10-17 13:30"))
    assert taken(session, connection, ticks(midnight + HOUR, midnight + DAY)) == [], "an older one takes nothing back"


def test_of_several_at_once_one_wins(engine: Engine, session: Session) -> None:
    connection = connected(session, at("2026-09-25 00:00"))
    many = 8
    start = Barrier(many)

    def claim(moment: datetime) -> list[bool]:
        won = []
        with database.session(engine) as own:
            for night in range(20):
                start.wait(30)
                won.append(standing.claim(own, connection.id, BALANCES, moment + DAY * night, moment))
        return won

    moment = at("2026-10-03 14:30")
    with ThreadPoolExecutor(many) as pool:
        got = list(pool.map(claim, [moment] * many))
    assert [sum(night) for night in zip(*got, strict=True)] == [1] * 20
    schedule.serve(session, connection, BALANCES, Timing.PAY_DATE, moment)
    assert not standing.claim(session, connection.id, BALANCES, moment + QUARTER, moment), "served in the meantime"


def test_it_says_why(session: Session) -> None:
    connection = connected(session, at("2026-09-25 00:00"))

    def says(now: str, connection: Connection = connection, timing: Timing = Timing.PAY_DATE) -> str:
        return schedule.check_due(session, connection, BALANCES, timing, at(now)).reason

    pays = "2026-10-03 14:30 UTC (local midnight of the pay date 2026-10-04)"
    then = "next at 2026-10-17 13:30 UTC (local midnight of the pay date 2026-10-18)"
    assert says("2026-10-02 00:00") == f"not due yet: first connected on 2026-09-25 00:00 UTC; next at {pays}"
    assert says("2026-10-03 14:31") == f"due since {pays}"
    assert says("2026-10-03 14:31", timing=Timing.MIDNIGHT) == (
        "due since 2026-10-03 14:30 UTC (local midnight of 2026-10-04)"
    )
    assert schedule.claim_if_due(session, connection, BALANCES, Timing.PAY_DATE, at("2026-10-03 14:31")).due
    assert says("2026-10-03 14:45") == f"overdue since {pays}; tried once, next attempt at 2026-10-03 15:01 UTC"
    schedule.serve(session, connection, BALANCES, Timing.PAY_DATE, at("2026-10-03 14:31"))
    assert says("2026-10-03 14:45") == f"not due: pulled since {pays}; {then}"
    assert says("2026-10-03 14:45", timing=Timing.ANY) == "at any time"
    assert says("2026-10-03 16:31", timing=Timing.NIGHT) == "due since 2026-10-03 16:30 UTC (2:00 there on 2026-10-04)"
    settings.change(session, connection.id, {"night_hour": "23"}, "office")
    night = "2026-10-03 13:30 UTC (23:00 there on 2026-10-03); next at 2026-10-04 12:30 UTC (23:00 there on 2026-10-04)"
    assert says("2026-10-03 16:31", timing=Timing.NIGHT) == f"not due: pulled since {night}"
    assert says("2026-10-04 12:31", timing=Timing.NIGHT).startswith("due since 2026-10-04 12:30 UTC (23:00 there")

    early = at("2026-01-01 00:00")
    nowhere = connected(session, early, zone=None)
    assert "local midnight of the pay date 2026-10-04, by Australia/Sydney: its" in says("2026-10-03 14:00", nowhere)
    odd = [
        (connected(session, early, frequency="twicemonthly"), "pay frequency 'twicemonthly' is not known"),
        (connected(session, early, zone="Adelaide"), "time zone 'Adelaide' is not known"),
        (connected(session, early, next_pay_date=None), "no pay date"),
    ]
    for connection, reason in odd:
        told = schedule.claim_if_due(session, connection, BALANCES, Timing.PAY_DATE, at("2026-10-03 15:00"))
        assert reason in told.reason
        assert (told.due, told.unsettled) == (False, True)
        schedule.serve(session, connection, BALANCES, Timing.PAY_DATE, at("2026-10-03 15:00"))  # by hand
