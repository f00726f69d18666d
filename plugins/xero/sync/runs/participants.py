"""Selects the connections that take part in a run, and says why the others do not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Engine

from xero.datasets.declaration import Dataset, Timing
from xero.documents.declaration import Kind
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection, NotTakingPart
from xero.qicworks.database import Session
from xero.qicworks.push import documents_by_owner
from xero.qicworks.push.documents_by_owner import DocumentOwner
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.runs import events
from xero.qicworks.runs.outcome import Direction
from xero.qicworks.texts import on_a_line
from xero.sync.runs import requested, schedule
from xero.sync.runs.requested import Reply

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftOut:
    """A connection that takes no part: the reason, for code and in words."""

    organisation: str
    reason: NotTakingPart
    explanation: str
    connection_id: str

    def __str__(self) -> str:
        return f"{self.organisation}: {self.explanation}"

    @property
    def must_reconnect(self) -> bool:
        return self.reason is NotTakingPart.NEEDS_RECONNECT


def select_connections(
    engine: Engine,
    dataset: Dataset | None,
    name: str | None = None,
    *,
    scheduled: bool = False,
    now: datetime | None = None,
) -> tuple[list[dict[str, str]], list[LeftOut]]:
    """Returns the connections that take part, as `{"connection_id", "organisation"}`, and those that are left out.

    Args:
        name: Only this organisation, by its name or its connection's id. Tried even if it needs to be reconnected.
        scheduled: Only those for which the data set is due at `now`; no other run takes them then.

    Raises:
        LookupError: There is no connection of that name, or several.
    """
    taken: list[dict[str, str]] = []
    left_out: list[LeftOut] = []
    with database.session(engine) as session:
        candidates = connections.every(session, deleted=True)
        if name is not None:
            candidates = _named(name, [one for one in candidates if one.state != "deleted"])
        for connection in candidates:
            reason, explanation = _reason(connection, by_name=name is not None)
            if reason is None and scheduled and dataset and dataset.timing is not Timing.ANY:
                due = schedule.claim_if_due(session, connection, dataset.name, dataset.timing, now or datetime.now(UTC))
                if due.unsettled:
                    reason, explanation = NotTakingPart.NO_SCHEDULE, due.reason
                else:
                    log.info("%s: %s", connection.organisation, due.reason)
                    if not due.due:
                        continue
            if reason:
                left_out.append(LeftOut(connection.organisation, reason, explanation, str(connection.id)))
            else:
                taken.append(_described(connection))
    return taken, left_out


def find_connection(engine: Engine, name: str) -> UUID:
    """The id of the connection of that name, whether it takes part in runs or not.

    Raises LookupError if there is none, or several.
    """
    with database.session(engine) as session:
        [found] = _named(name, connections.every(session))
    return found.id


class Selection(NamedTuple):
    """The connections that push, and what was asked for by name and cannot be done.

    `taken`: `connection_id`, `organisation`, `documents` (their ids; None: all that are ready), `pushed_before` (of
    those that are pushed already: id → version).
    """

    taken: list[dict[str, Any]]
    left_out: list[LeftOut]
    undone: list[Reply]


def select_connections_to_push(
    engine: Engine,
    kind: Kind,
    name: str | None = None,
    documents: Sequence[str] | None = None,
    *,
    retry_failed: bool = False,
) -> Selection:
    """Returns the connections with documents to push, or with an event that a killed push left open.

    Args:
        name: Only this organisation, by its name or its connection's id.
        documents: Only these, by id or number.
        retry_failed: Those with failed documents have something to push, too.

    Raises:
        LookupError: There is no such connection, or an empty name was given.
    """
    found = Selection([], [], [])
    with database.session(engine) as session:
        candidates = connections.every(session)
        if name is not None:
            candidates = _named(name, candidates)
        chosen: dict[UUID, list[DocumentOwner]] = {}
        if documents is not None:
            chosen, undone = requested.choose(session, kind, candidates, documents)
            found.undone.extend(undone)
        has_work = _finder_of_work(session, kind, retry_failed)
        for connection in candidates:
            own = chosen.get(connection.organisation_id, [])
            if documents is None or own:
                has = bool(own) or has_work(connection)
                _add(
                    found, kind, connection, None if documents is None else own, by_name=name is not None, has_work=has
                )
    return found


def _finder_of_work(session: Session, kind: Kind, retry_failed: bool) -> Callable[[Connection], bool]:
    """Returns a function that tells whether a connection has something to push. Queries all connections together."""
    failed = documents_by_owner.with_failed(session, kind) if retry_failed else set()
    busy = documents_by_owner.perhaps_busy(session, kind)
    # After a push that was killed when all was recorded nothing waits, but its event is still open.
    left_open = events.left_open(session, Direction.PUSH, kind.name)

    def has_work(connection: Connection) -> bool:
        if connection.organisation_id in failed or connection.id in left_open:
            return True
        return (busy is None or connection.organisation_id in busy) and bool(
            Outbox(session, connection, kind).something()
        )

    return has_work


def _add(
    found: Selection,
    kind: Kind,
    connection: Connection,
    own: Sequence[DocumentOwner] | None,
    *,
    by_name: bool,
    has_work: bool,
) -> None:
    """`own`: the documents of this connection that were asked for; None: none was asked for by name."""
    reason, explanation = _reason(connection, by_name=by_name)
    if reason and own:
        found.undone.extend(requested.left_out(connection, reason, explanation, kind, document) for document in own)
    elif reason and by_name:
        found.undone.append(requested.left_out(connection, reason, explanation))
    elif not has_work:
        if by_name:
            log.info("%s: no %s is ready to be pushed", connection.organisation, kind.word)
    elif reason:
        wait = f"{explanation}; its documents wait"
        found.left_out.append(LeftOut(connection.organisation, reason, wait, str(connection.id)))
    else:
        documents = {
            "documents": None if own is None else [str(document.id) for document in own],
            "pushed_before": {
                str(document.id): document.push_version for document in own or () if document.push_state == "pushed"
            },
        }
        found.taken.append({**_described(connection), **documents})


def _reason(connection: Connection, *, by_name: bool) -> tuple[NotTakingPart | None, str]:
    """Why it takes no part, for code and in words. By name only a switch keeps it out: all else is tried."""
    reason = connection.not_taking_part
    if by_name and reason is not NotTakingPart.SWITCHED_OFF:
        reason = None
    return reason, connection.left_out or ""


def _described(connection: Connection) -> dict[str, str]:
    return {"connection_id": str(connection.id), "organisation": connection.organisation}


def _named(wanted: str, candidates: list[Connection]) -> list[Connection]:
    """The one with that QicWorks name, else with that id or Xero name. Raises LookupError if it is not exactly one."""
    wanted = on_a_line(wanted)
    if not wanted:
        raise LookupError("an empty name names no organisation; leave it out to take all that are on")
    for name in (
        lambda one: one.organisation,
        lambda one: one.organisation.casefold(),
        lambda one: str(one.id),
        lambda one: one.tenant_id.casefold(),
        lambda one: one.tenant_name.casefold(),
    ):
        found = [one for one in candidates if name(one) in (wanted, wanted.casefold())]
        if len(found) == 1:
            return found
        if found:
            names = ", ".join(f"'{one.organisation}'" for one in found)
            raise LookupError(f"'{wanted}' may be {names}; say which by the name QicWorks has for it")
    raise LookupError(f"no connection is called '{wanted}'; `python -m xero connections` lists them")
