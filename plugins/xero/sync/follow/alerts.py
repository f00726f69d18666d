"""Everything an organisation's users are alerted about, with the pay dates on which data was not pulled."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from uuid import UUID

from xero.datasets.registry import DATASETS
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.follow import alerts
from xero.qicworks.follow.alerts import Alert
from xero.sync.runs import schedule


def find_new(
    session: Session, connection_id: UUID, channels: Collection[str], now: datetime | None = None
) -> list[Alert]:
    """Returns what is open and was not yet sent by all of these channels. Two small statements, and no call to Xero."""
    missed = schedule.find_missed_pay_dates(session, connection_id, now or datetime.now(UTC))
    return alerts.to_alert(session, connection_id, channels, missed)


def all_missed_pay_dates(session: Session, now: datetime | None = None) -> list[tuple[str, str, date]]:
    """Organisation, title of the data set and pay date, of every connection that is on."""
    at = now or datetime.now(UTC)
    return [
        (connection.organisation, DATASETS[name].title.lower(), day)
        for connection in connections.every(session)
        if connection.enabled
        for name, day in schedule.find_missed_pay_dates(session, connection.id, at).items()
    ]
