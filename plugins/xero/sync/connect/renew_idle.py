"""Renews authorisations that no run uses: Xero drops them after 60 days without use."""

from collections.abc import Callable

from sqlalchemy import Engine

from xero.api.errors import XeroError
from xero.api.settings import XeroApp
from xero.qicworks import database, sql
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, Status, outcome_of
from xero.sync.connect.token_store import DatabaseTokens

QUERIES = sql.Statements("tokens")


def renew_idle_tokens(engine: Engine, app_of: Callable[[str], XeroApp], origin: Origin) -> tuple[int, list[str]]:
    """Renews the authorisations of connections that were not renewed for 30 days.

    One that cannot be renewed does not stop the others; an event records it.

    Returns:
        How many were renewed, and one sentence for each that could not be.
    """
    renewed, troubles = 0, []
    with database.session(engine) as session:
        for row in list(QUERIES.idle(session)):
            try:
                app = app_of(row["airflow_conn_id"])
                if app.grant_type == "client_credentials":
                    continue
                store = DatabaseTokens(engine, row["id"], app)
                store.renew(store.get())
                renewed += 1
            except (XeroError, LookupError) as error:
                why, correction = (
                    (error.message, error.correction) if isinstance(error, XeroError) else (str(error), "")
                )
                said = f"an authorisation that was not used for a month could not be renewed: {why}"
                events.record(
                    session,
                    None,
                    Direction.CONNECT,
                    "authorisation",
                    Status.WARNING,
                    outcome_of(error),
                    said,
                    origin,
                    correction=correction,
                    correlation_id=getattr(error, "correlation_id", None),
                )
                troubles.append(f"{said} {correction}".rstrip())
    return renewed, troubles
