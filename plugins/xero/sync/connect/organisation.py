"""Reads the organisation's settings from Xero, such as its time zone (when it is due) and lock dates."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tzlocal.windows_tz import win_tz

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import NotAvailable, Refused, cleaned
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session

log = logging.getLogger(__name__)
T = TypeVar("T")
QUERIES = sql.Statements("connections")

PATH = "/api.xro/2.0/Organisation"
MAX_AGE = timedelta(hours=24)

# Xero names zones as Windows does, in capitals and without the spaces.
IANA = {"".join(filter(str.isalnum, name)).upper(): zone for name, zone in win_tz.items()}


def time_zone(said: object) -> str | None:
    """The IANA name of a zone of Xero's, such as AUSEASTERNSTANDARDTIME."""
    return IANA.get("".join(filter(str.isalnum, said)).upper()) if isinstance(said, str) else None


def is_stale(connection: Connection) -> bool:
    read_at = connection.organisation_read_at
    now = datetime.now(UTC)
    return read_at is None or not now - MAX_AGE <= read_at <= now + MAX_AGE


def refresh(session: Session, client: XeroClient, connection: Connection) -> str:
    """Reads /Organisation (one call) into `qicworks.organisation`. Returns the result as a sentence.

    If Xero refuses it, the rest is synchronised regardless, and the settings are read again the next day.
    """
    try:
        answer = client.get(PATH)
    except (NotAvailable, Refused) as error:
        QUERIES.organisation_was_read(session, id=connection.id)
        return f"the organisation's settings could not be read from Xero: {error}"
    found = answer.data.get("Organisations") if isinstance(answer.data, dict) else None
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        QUERIES.organisation_was_read(session, id=connection.id)
        return "Xero's response with the organisation's settings contains no organisation"
    said = found[0]

    def read(reader: Callable[[object], T | None], field: str) -> T | None:
        try:
            return reader(said.get(field))
        except ValueError as error:
            log.warning("%s of the organisation is left empty: %s", field, error)
            return None

    zone = time_zone(said.get("Timezone"))
    if zone is None:
        log.warning("the time zone '%s' is not known here; it stays as it is", cleaned(said.get("Timezone"))[:100])
    QUERIES.describe_organisation(
        session,
        organisation_id=connection.organisation_id,
        legal_name=read(wire.text, "LegalName"),
        tax_number=read(wire.text, "TaxNumber"),
        country_code=read(wire.text, "CountryCode"),
        base_currency=read(wire.text, "BaseCurrency"),
        time_zone=zone,
        period_lock_date=read(wire.date, "PeriodLockDate"),
        end_of_year_lock_date=read(wire.date, "EndOfYearLockDate"),
    )
    QUERIES.organisation_was_read(session, id=connection.id)
    return f"read from Xero: time zone {zone or 'unknown'}"
