"""What an authorisation opens: the organisations that Xero lists for it, beside what QicWorks has for each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from sqlalchemy import Engine

from xero.api.connections import XeroConnection, get_connections
from xero.api.errors import XeroError
from xero.api.settings import XeroApp
from xero.qicworks import database, sql
from xero.qicworks.connect import connections, matches, tokens
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.texts import on_a_line
from xero.sync.connect.token_store import DatabaseTokens

QUERIES = sql.Statements("connections")


@dataclass(frozen=True)
class Choice:
    """A QicWorks organisation to match with, and which Xero organisation has it just now."""

    organisation_id: UUID
    name: str
    taken_by_tenant: str | None
    taken_by: str | None


@dataclass(frozen=True)
class Granted:
    """A Xero organisation that an authorisation opens, and what QicWorks has for it.

    `organisation` is that of its live `connection`; else the one it was connected to before, or the one of its name, if
    that is free; else None. `because` says which. Only matches with a seal count; `unsealed` is the QicWorks
    organisation of a live one without.
    """

    tenant_id: str
    name: str
    tenant_type: str
    xero_connection_id: str
    connection: Connection | None = None
    organisation_id: UUID | None = None
    organisation: str | None = None
    because: Literal["connected", "before", "name"] | None = None
    unsealed: str | None = None


def choices(session: Session) -> list[Choice]:
    """All of QicWorks' organisations, by name."""
    found = QUERIES.organisations(session, id=None, name=None)
    return [Choice(row["id"], row["name"], row["taken_by_tenant"], row["taken_by"]) for row in found]


def granted(engine: Engine, app_of: Callable[[str], XeroApp], token_id: UUID) -> list[Granted]:
    """What Xero lists for this authorisation: organisations only, by name. One free organisation is offered once."""
    with database.session(engine) as session:
        app = app_of(tokens.about(session, token_id).airflow_conn_id)
        listed = get_connections(app, DatabaseTokens(engine, token_id, app))
        known = connections.every(session, deleted=True)
        unsealed = {one.tenant_id: one.organisation for one in known if one.state != "deleted"}
        known = [one for one in known if _was_matched(one, app_of)]
        live = {one.tenant_id: one for one in known if one.state != "deleted"}
        taken = {one.organisation_id for one in live.values()}
        found = []
        for one in sorted(listed, key=lambda one: one.tenant_name.casefold()):
            if one.tenant_type == "ORGANISATION":
                beside = _beside(session, one, known, live.get(one.tenant_id), taken)
                if not beside.connection:
                    beside = replace(beside, unsealed=unsealed.get(one.tenant_id))
                found.append(beside)
                if beside.organisation_id:
                    taken.add(beside.organisation_id)
        return found


def _was_matched(connection: Connection, app_of: Callable[[str], XeroApp]) -> bool:
    """An app that is gone, or cannot be used, has sealed nothing that anybody could tell."""
    try:
        return matches.was_matched(connection, app_of(connection.airflow_conn_id))
    except (XeroError, LookupError):
        return connection.matched_before_seals


def _beside(
    session: Session, found: XeroConnection, known: list[Connection], live: Connection | None, taken: set[UUID]
) -> Granted:
    name = found.tenant_name or f"Xero organisation {found.tenant_id}"
    plain = Granted(found.tenant_id, name, found.tenant_type, found.id)
    if live:
        return replace(
            plain,
            connection=live,
            organisation_id=live.organisation_id,
            organisation=live.organisation,
            because="connected",
        )
    deleted = [one for one in known if one.tenant_id == found.tenant_id and one.state == "deleted"]
    before = max(deleted, key=lambda one: one.connected_at, default=None)
    if before and before.organisation_id not in taken:
        own = before.organisation_id, before.organisation
        return replace(plain, organisation_id=own[0], organisation=own[1], because="before")
    for row in QUERIES.organisations(session, id=None, name=name):
        if row["id"] not in taken:
            return replace(plain, organisation_id=row["id"], organisation=on_a_line(row["name"]), because="name")
    return plain
