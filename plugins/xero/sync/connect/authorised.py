"""The organisations that Xero lists for an authorisation, each with what QicWorks has for it."""

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
    """A QicWorks organisation to match with, and the Xero organisation that is matched to it now, if any."""

    organisation_id: UUID
    name: str
    taken_by_tenant: str | None
    taken_by: str | None


@dataclass(frozen=True)
class Tenant:
    """A Xero organisation that an authorisation covers, and what QicWorks has for it.

    `organisation` is that of its live `connection`; otherwise the one it was connected to before, or the one of the
    same name, if it is free; otherwise None. `because` is the reason. Only sealed matches count; `unsealed` is the
    QicWorks organisation of a live match without a valid seal.
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
    """Returns all organisations of QicWorks, by name."""
    found = QUERIES.organisations(session, id=None, name=None)
    return [Choice(row["id"], row["name"], row["taken_by_tenant"], row["taken_by"]) for row in found]


def authorised_tenants(engine: Engine, app_of: Callable[[str], XeroApp], token_id: UUID) -> list[Tenant]:
    """Returns the organisations (no practices) of an authorisation, by name. Suggests a free organisation only once."""
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
                tenant = _offer(session, one, known, live.get(one.tenant_id), taken)
                if not tenant.connection:
                    tenant = replace(tenant, unsealed=unsealed.get(one.tenant_id))
                found.append(tenant)
                if tenant.organisation_id:
                    taken.add(tenant.organisation_id)
        return found


def _was_matched(connection: Connection, app_of: Callable[[str], XeroApp]) -> bool:
    """Whether the match is sealed. The seals of a missing or unusable app cannot be checked, and do not count."""
    try:
        return matches.was_matched(connection, app_of(connection.airflow_conn_id))
    except (XeroError, LookupError):
        return connection.matched_before_seals


def _offer(
    session: Session, found: XeroConnection, known: list[Connection], live: Connection | None, taken: set[UUID]
) -> Tenant:
    name = found.tenant_name or f"Xero organisation {found.tenant_id}"
    plain = Tenant(found.tenant_id, name, found.tenant_type, found.id)
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
