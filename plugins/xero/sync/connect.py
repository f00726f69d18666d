"""Connecting: an authorisation is stored, and each Xero organisation it opens is matched to a QicWorks organisation."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from xero.api.auth import OAuth
from xero.api.connections import XeroConnection, get_connections
from xero.api.errors import Misconfigured, XeroError
from xero.api.settings import XeroApp
from xero.qicworks import connections, database, events, sql, tokens
from xero.qicworks.database import Session
from xero.qicworks.events import Origin
from xero.sync import organisation
from xero.sync.pull import OpenClient

log = logging.getLogger(__name__)
QUERIES = sql.Statements("connections")

Say = Callable[[str], Any]


def connect_all(engine: Engine, app: XeroApp, airflow_conn_id: str, open_client: OpenClient, say: Say) -> int:
    """Matches every organisation that Xero lists to the QicWorks organisation of its name, made where there is none.

    Safe to run again. Returns how many could not be read from; `say` is told each step.
    """
    if app.grant_type != "client_credentials":
        raise Misconfigured(
            "The Xero connection's grant_type is authorization_code: a user has to consent in a browser.",
            "Use grant_type client_credentials (a custom connection) for `connect --all`.",
        )
    with database.session(engine) as session:
        # Two at once would store two authorisations, and make each organisation twice.
        session.execute("SELECT pg_advisory_lock(hashtextextended('xero connect', 0))")
        token_id = QUERIES.token_of_app(session, airflow_conn_id=airflow_conn_id)
        if token_id is None:
            token_id = tokens.save_new(engine, app, airflow_conn_id, OAuth(app).client_credentials())
        store = tokens.DatabaseTokens(engine, token_id, app)
        granted = [found for found in get_connections(app, store) if found.tenant_type == "ORGANISATION"]
        if not granted:
            say("Xero lists no organisation for this app: let one authorise it first")
        return sum(not _connect(session, token_id, found, open_client, say) for found in granted)


def _connect(session: Session, token_id: UUID, found: XeroConnection, open_client: OpenClient, say: Say) -> bool:
    """Whether it could be read from. One that cannot does not stop the others."""
    with session.transaction():
        connection_id, said = match(session, token_id, found)
        events.record(session, connection_id, "connect", "connection", "success", said, Origin())
    say(said)
    try:
        connection = connections.one(session, connection_id)
        say("  " + organisation.refresh(session, open_client(connection, True), connection))
    except XeroError as error:
        say(f"  cannot be read yet: {error}")
        return False
    return True


def match(session: Session, token_id: UUID, found: XeroConnection) -> tuple[UUID, str]:
    """Connects one Xero organisation; connected before, it goes on with its history."""
    granted = {
        "token_id": token_id,
        "tenant_name": found.tenant_name,
        "tenant_type": found.tenant_type,
        "xero_connection_id": found.id,
    }
    if (held := QUERIES.by_tenant(session, tenant_id=found.tenant_id)) is not None:
        QUERIES.reconnect(session, id=held["id"], **granted)
        connection = connections.one(session, held["id"])
        return (
            connection.id,
            f"{found.tenant_name}: connected, matched to QicWorks organisation '{connection.organisation}'",
        )
    name = found.tenant_name or f"Xero organisation {found.tenant_id}"
    organisation_id = QUERIES.free_organisation(session, name=name)
    how = "matched to QicWorks organisation"
    if organisation_id is None:
        taken = QUERIES.organisation_exists(session, name=name)
        if taken:
            # Two Xero organisations may share a name; one QicWorks organisation has one.
            name = f"{name} ({found.tenant_id[:8]})"
        organisation_id = QUERIES.add_organisation(session, name=name)
        how = (
            "another Xero organisation has that name's match, so made and matched to"
            if taken
            else "made and matched to"
        )
    connection_id: UUID = QUERIES.connect(
        session, organisation_id=organisation_id, tenant_id=found.tenant_id, **granted
    )
    return connection_id, f"{found.tenant_name}: {how} '{name}'"
