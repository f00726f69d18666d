"""Whose turn it is: which connections take part in a run, and why the others do not."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from xero.datasets.declaration import Dataset, Timing
from xero.documents.declaration import Kind
from xero.qicworks import connections, database, events, owners
from xero.qicworks.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.outbox import Outbox
from xero.qicworks.owners import Owned
from xero.sync import due

log = logging.getLogger(__name__)


def who(
    engine: Engine,
    dataset: Dataset | None,
    connection: str | None = None,
    *,
    scheduled: bool = False,
    now: datetime | None = None,
) -> tuple[list[dict[str, str]], list[str]]:
    """Whose turn it is: `[{"connection_id", "organisation"}]`, and who is left out and why.

    `connection` names one organisation, or its id. Named, it is tried even if it needed to be connected again.
    A `scheduled` run of a data set takes only those that are due at `now`, and no other run takes them then.
    LookupError if there is none of that name.
    """
    taken: list[dict[str, str]] = []
    left_out: list[str] = []
    with database.session(engine) as session:
        known = connections.every(session, deleted=True)
        if connection:
            known = _named(connection, [one for one in known if one.state != "deleted"])
        for one in known:
            reason = one.left_out
            if connection and one.enabled:
                reason = None
            if reason is None and scheduled and dataset and dataset.timing is not Timing.ANY:
                turn = due.take(session, one, dataset.name, dataset.timing, now or datetime.now(UTC))
                if not turn.due and not turn.unsettled:
                    log.info("%s: %s", one.organisation, turn.reason)
                    continue
                reason = None if turn.due else turn.reason
            if reason:
                left_out.append(f"{one.organisation}: {reason}")
            else:
                taken.append({"connection_id": str(one.id), "organisation": one.organisation})
    return taken, left_out


def who_pushes(
    engine: Engine,
    kind: Kind,
    connection: str | None = None,
    documents: Sequence[str] = (),
    *,
    retry_failed: bool = False,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Who has something to push, or an event that a killed push left open: `[{"connection_id", "organisation",
    "documents"}]`, and what is left out and why.

    `documents` (ids or numbers) narrow it to those whose they are, and come back as ids; else that list is empty and
    means all that are ready. With `retry_failed`, who has failed ones has something, too. LookupError if there is no
    such connection or document, or it cannot be told whose it is.
    """
    taken: list[dict[str, Any]] = []
    left_out: list[str] = []
    with database.session(engine) as session:
        known = [one for one in connections.every(session, deleted=True) if one.state != "deleted"]
        if connection:
            known = _named(connection, known)
        mine, unfit = _whose(session, kind, known, documents) if documents else ({}, [])
        left_out += unfit
        failed = owners.with_failed(session, kind) if retry_failed else set()
        busy = owners.perhaps_busy(session, kind)
        # A push that was killed when all was settled: nothing waits, but its event says that it runs.
        left_open = events.left_open(session, "push", kind.name)
        for one in known:
            chosen = mine.get(one.organisation_id, [])
            if documents and not chosen:
                continue
            idle = busy is not None and one.organisation_id not in busy
            waiting = len(chosen) or (0 if idle else Outbox(session, one, kind).something())
            if not waiting and one.organisation_id not in failed and one.id not in left_open:
                if connection:
                    log.info("%s: no %s is ready to be pushed", one.organisation, kind.word)
                continue
            reason = None if connection and one.enabled else one.left_out
            if reason:
                left_out.append(f"{one.organisation}: {reason}; its documents wait")
            else:
                ids = [str(id) for id in chosen]
                taken.append({"connection_id": str(one.id), "organisation": one.organisation, "documents": ids})
    return taken, left_out


def _whose(
    session: Session, kind: Kind, known: list[Connection], names: Sequence[str]
) -> tuple[dict[UUID, list[UUID]], list[str]]:
    """Organisation → its documents of these names, and which of them are not meant to be pushed."""
    organisations = {one.organisation_id: one.organisation for one in known}
    found = [one for one in owners.named(session, kind, names) if one.organisation_id in organisations]
    where = known[0].organisation if len(known) == 1 else "no connected organisation"
    mine: dict[UUID, list[UUID]] = {}
    unfit: list[str] = []
    for name in dict.fromkeys(names):
        called = [one for one in found if one.is_called(name)]
        if not called:
            says = f"{where} has {'no ' if len(known) == 1 else ''}{kind.word} {name}"
            raise LookupError(f"{says}; give its id{'' if kind.payroll else ', or its number as QicWorks has it'}")
        if len(whose := {organisations[one.organisation_id] for one in called}) > 1:
            several = ", ".join(f"'{organisation}'" for organisation in sorted(whose))
            raise LookupError(f"{several} each have {kind.word} {name}; say which, as connection, or give its id")
        for one in called:
            if one.push_state in ("draft", "skipped"):
                unfit.append(_not_ready(kind, name, one))
            elif one.id not in mine.setdefault(one.organisation_id, []):
                mine[one.organisation_id].append(one.id)
    return mine, unfit


def _not_ready(kind: Kind, name: str, document: Owned) -> str:
    return f"{kind.word} {name} is {document.push_state} (push_state): only what is ready is pushed"


def _named(wanted: str, known: list[Connection]) -> list[Connection]:
    """The one of that QicWorks name, else of that id or Xero name; LookupError if it is not exactly one."""
    wanted = wanted.strip()
    for name in (
        lambda one: one.organisation,
        lambda one: one.organisation.casefold(),
        lambda one: str(one.id),
        lambda one: one.tenant_id.casefold(),
        lambda one: one.tenant_name.casefold(),
    ):
        found = [one for one in known if name(one) in (wanted, wanted.casefold())]
        if len(found) == 1:
            return found
        if found:
            names = ", ".join(f"'{one.organisation}'" for one in found)
            raise LookupError(f"'{wanted}' may be {names}; say which by the name QicWorks has for it")
    raise LookupError(f"no connection is called '{wanted}'; `python -m xero connections` lists them")
