"""Matching: which Xero organisation of an authorisation belongs to which QicWorks organisation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import ReconnectNeeded, XeroError
from xero.api.settings import XeroApp
from xero.qicworks import database, sql
from xero.qicworks.connect import connections, matches, switches, tokens
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.connect import organisation
from xero.sync.connect.authorised import Tenant
from xero.sync.connect.clients import OpenClient
from xero.sync.connect.match_checks import Pair, Wanted, checked

AppOf = Callable[[str], XeroApp]

QUERIES = sql.Statements("connections")
TOKENS = sql.Statements("tokens")


@dataclass
class Matched:
    """A saved pair: sentences for the user; `trouble` is why the organisation cannot be read yet, if it cannot."""

    connection_id: UUID
    message: str
    read: str = ""
    trouble: str | None = None

    def __str__(self) -> str:
        return self.message


def match(
    engine: Engine,
    token_id: UUID,
    granted: Sequence[Tenant],
    wanted: Wanted,
    app_of: AppOf,
    open_client: OpenClient,
    user: str | None = None,
) -> list[Matched]:
    """Saves all pairs or none, then reads each organisation's settings.

    A pair that existed before, deleted or not, keeps its history; a Xero organisation that gets another QicWorks
    organisation starts empty. A tenant with None stays as it is. If reading fails, `trouble` is the reason, and nothing
    is raised.

    Raises:
        WrongPairs: with one sentence for each pair that cannot be matched.
    """
    with connections.one_at_a_time(engine) as session:
        authorisation = tokens.about(session, token_id)
        if authorisation.state != "ok":
            reason = authorisation.broken_reason or "This authorisation is broken."
            raise ReconnectNeeded(reason, "Begin again with Connect to Xero.")
        with session.transaction():
            pairs = checked(session, {one.tenant_id: one for one in granted}, wanted)
            for pair in pairs:
                _close_moved(session, pair, user)
            app = app_of(authorisation.airflow_conn_id)
            matched = [_save(session, app, pair, token_id, user) for pair in pairs]
        replaced = [pair.live["token_id"] for pair in pairs if pair.live and pair.live["token_id"] != token_id]
        TOKENS.wipe_replaced(
            session,
            replaced=replaced,
            airflow_conn_id=authorisation.airflow_conn_id,
            keep=token_id,
            reason="replaced by a newer authorisation",
        )
    with database.session(engine) as session:
        for one in matched:
            _read(session, one, open_client)
    return matched


def _close_moved(session: Session, pair: Pair, user: str | None) -> None:
    """Closes the connection of a Xero organisation that gets another QicWorks organisation."""
    if pair.live and pair.moves:
        QUERIES.delete(session, id=pair.live["id"])
        said = f"{pair.found.name}: no longer matched to '{pair.live['organisation']}', but to '{pair.name}'"
        _event(session, pair.live["id"], said, user)


def _save(session: Session, app: XeroApp, pair: Pair, token_id: UUID, user: str | None) -> Matched:
    about: dict[str, Any] = {
        "token_id": token_id,
        "tenant_name": pair.found.name,
        "tenant_type": pair.found.tenant_type,
        "xero_connection_id": pair.found.xero_connection_id or None,
    }
    tenant_id, organisation_id = pair.found.tenant_id, pair.organisation_id
    if organisation_id is None:
        organisation_id = QUERIES.add_organisation(session, name=pair.name)
    held = pair.live
    was_live = held is not None and not pair.moves
    if not was_live:
        held = QUERIES.latest_deleted(session, tenant_id=tenant_id, organisation_id=organisation_id)
    if held:
        connection_id: UUID = held["id"]
        QUERIES.reconnect(session, id=connection_id, **about)
        how = "connected, matched to QicWorks organisation"
    else:
        connection_id = QUERIES.connect(session, organisation_id=organisation_id, tenant_id=tenant_id, **about)
        how = "matched to QicWorks organisation" if pair.organisation_id else "made and matched to"
    matches.seal(session, app, connection_id)
    saved = connections.one(session, connection_id)
    if not was_live or not switches.holds(saved, app):
        switches.keep_on(session, app, connection_id)
    said = f"{pair.found.name}: {how} '{pair.name}'"
    _event(session, connection_id, said, user)
    return Matched(connection_id, said)


def _event(session: Session, connection_id: UUID, said: str, user: str | None) -> None:
    message = f"{said}, by {user}" if user else said
    about = Direction.CONNECT, "connection", Status.SUCCESS, EventOutcome.DONE
    events.record(session, connection_id, *about, message, Origin())


def _read(session: Session, matched: Matched, open_client: OpenClient) -> None:
    """Reads the organisation's settings. The result says whether that worked; a failure does not stop the others."""
    connection = connections.one(session, matched.connection_id)
    try:
        matched.read = organisation.refresh(session, open_client(connection, True), connection)
    except XeroError as error:
        matched.trouble = str(error)
