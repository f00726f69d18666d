"""What an authorisation opens: the organisations that Xero lists for it, beside what QicWorks has for each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from sqlalchemy import Engine

from xero.api.connections import XeroConnection, get_connections
from xero.api.settings import XeroApp
from xero.qicworks import connections, database, sql, tokens
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session

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
    that is free; else None. `because` says which.
    """

    tenant_id: str
    name: str
    tenant_type: str
    xero_connection_id: str
    connection: Connection | None = None
    organisation_id: UUID | None = None
    organisation: str | None = None
    because: Literal["connected", "before", "name"] | None = None


def choices(session: Session) -> list[Choice]:
    """All of QicWorks' organisations, by name."""
    found = QUERIES.organisations(session, id=None, name=None)
    return [Choice(row["id"], row["name"], row["taken_by_tenant"], row["taken_by"]) for row in found]


def granted(engine: Engine, app_of: Callable[[str], XeroApp], token_id: UUID) -> list[Granted]:
    """What Xero lists for this authorisation: organisations only, by name. One free organisation is offered once."""
    with database.session(engine) as session:
        app = app_of(tokens.about(session, token_id).airflow_conn_id)
        listed = get_connections(app, tokens.DatabaseTokens(engine, token_id, app))
        live = {one.tenant_id: one for one in connections.every(session)}
        taken = {one.organisation_id for one in live.values()}
        found = []
        for one in sorted(listed, key=lambda one: one.tenant_name.casefold()):
            if one.tenant_type == "ORGANISATION":
                beside = _beside(session, one, live.get(one.tenant_id), taken)
                found.append(beside)
                if beside.organisation_id:
                    taken.add(beside.organisation_id)
        return found


def _beside(session: Session, found: XeroConnection, live: Connection | None, taken: set[UUID]) -> Granted:
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
    before = QUERIES.latest_deleted(session, tenant_id=found.tenant_id, organisation_id=None)
    if before and before["organisation_id"] not in taken:
        held = {"organisation_id": before["organisation_id"], "organisation": before["organisation"]}
        return replace(plain, **held, because="before")
    for row in QUERIES.organisations(session, id=None, name=name):
        if row["id"] not in taken:
            return replace(plain, organisation_id=row["id"], organisation=row["name"], because="name")
    return plain
