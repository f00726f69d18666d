"""What Xero says of the organisation itself: the time zone decides when its night is, lock dates what may be posted."""

import logging
from datetime import UTC, datetime, timedelta

from tzlocal.windows_tz import win_tz

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer
from xero.qicworks import sql
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session

log = logging.getLogger(__name__)
QUERIES = sql.Statements("connections")

PATH = "/api.xro/2.0/Organisation"
FRESH = timedelta(hours=24)

# Xero names zones as Windows does, in capitals and without the spaces.
IANA = {"".join(filter(str.isalnum, name)).upper(): zone for name, zone in win_tz.items()}


def time_zone(said: object) -> str | None:
    """The IANA name of a zone of Xero's, such as AUSEASTERNSTANDARDTIME."""
    return IANA.get("".join(filter(str.isalnum, said)).upper()) if isinstance(said, str) else None


def is_stale(connection: Connection) -> bool:
    read_at = connection.organisation_read_at
    return read_at is None or read_at < datetime.now(UTC) - FRESH


def read(session: Session, client: XeroClient, connection: Connection) -> str | None:
    """Reads /Organisation (one call) into `qicworks.organisation`. Returns the time zone."""
    answer = client.get(PATH)
    found = answer.data.get("Organisations") if isinstance(answer.data, dict) else None
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        raise BadAnswer(f"The answer of {PATH} holds no organisation.", "Check the host of the Airflow connection.")
    said = found[0]
    zone = time_zone(said.get("Timezone"))
    if zone is None:
        log.warning("the time zone %r is not known here; the organisation's stays as it is", said.get("Timezone"))
    QUERIES.describe_organisation(
        session,
        organisation_id=connection.organisation_id,
        legal_name=wire.text(said.get("LegalName")),
        tax_number=wire.text(said.get("TaxNumber")),
        country_code=wire.text(said.get("CountryCode")),
        base_currency=wire.text(said.get("BaseCurrency")),
        time_zone=zone,
        period_lock_date=wire.date(said.get("PeriodLockDate")),
        end_of_year_lock_date=wire.date(said.get("EndOfYearLockDate")),
    )
    QUERIES.organisation_was_read(session, id=connection.id)
    return zone
