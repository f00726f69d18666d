"""Whose turn it is: which connections take part in a run, and why the others do not."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine

from xero.datasets.declaration import Dataset, Timing
from xero.documents.declaration import Kind
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection, NotTakingPart
from xero.qicworks.push import documents_by_owner
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.runs import events
from xero.qicworks.runs.outcome import Direction
from xero.qicworks.texts import on_a_line
from xero.sync.runs import requested, schedule
from xero.sync.runs.requested import Told

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftOut:
    """A connection that takes no part: the reason, for code and in words."""

    organisation: str
    reason: NotTakingPart
    explanation: str

    def __str__(self) -> str:
        return f"{self.organisation}: {self.explanation}"

    @property
    def must_reconnect(self) -> bool:
        return self.reason is NotTakingPart.NEEDS_RECONNECT


def who(
    engine: Engine,
    dataset: Dataset | None,
    connection: str | None = None,
    *,
    scheduled: bool = False,
    now: datetime | None = None,
) -> tuple[list[dict[str, str]], list[LeftOut]]:
    """Whose turn it is: `[{"connection_id", "organisation"}]`, and who is left out and why.

    `connection` names one organisation, or its id. Named, it is tried even if it needed to be connected again.
    A `scheduled` run of a data set takes only those that are due at `now`, and no other run takes them then.
    LookupError if there is none of that name.
    """
    taken: list[dict[str, str]] = []
    left_out: list[LeftOut] = []
    with database.session(engine) as session:
        known = connections.every(session, deleted=True)
        if connection is not None:
            known = _named(connection, [one for one in known if one.state != "deleted"])
        for one in known:
            reason, explanation = one.not_taking_part, one.left_out
            if connection is not None and reason is not NotTakingPart.SWITCHED_OFF:
                reason = None
            if reason is None and scheduled and dataset and dataset.timing is not Timing.ANY:
                turn = schedule.take(session, one, dataset.name, dataset.timing, now or datetime.now(UTC))
                if turn.unsettled:
                    reason, explanation = NotTakingPart.NO_SCHEDULE, turn.reason
                else:
                    log.info("%s: %s", one.organisation, turn.reason)
                    if not turn.due:
                        continue
            if reason:
                left_out.append(LeftOut(one.organisation, reason, explanation or reason))
            else:
                taken.append({"connection_id": str(one.id), "organisation": one.organisation})
    return taken, left_out


class Pushing(NamedTuple):
    """Whose turn it is to push, and of what was asked for by name what none of them can do.

    `taken`: `connection_id`, `organisation`, `documents` (their ids; None: all that are ready), `pushed_before` (those
    of them that are pushed already). `left_out`: who is left out, and why.
    """

    taken: list[dict[str, Any]]
    left_out: list[LeftOut]
    undone: list[Told]


def who_pushes(
    engine: Engine,
    kind: Kind,
    connection: str | None = None,
    documents: Sequence[str] | None = None,
    *,
    retry_failed: bool = False,
) -> Pushing:
    """Who has something to push, or an event that a killed push left open.

    `documents` (ids or numbers) narrow it to those whose they are. With `retry_failed`, who has failed ones has
    something, too. LookupError if there is no such connection, or an empty name is given.
    """
    taken: list[dict[str, Any]] = []
    reasons: list[LeftOut] = []
    with database.session(engine) as session:
        known = [one for one in connections.every(session, deleted=True) if one.state != "deleted"]
        if connection is not None:
            known = _named(connection, known)
        mine, undone = ({}, []) if documents is None else requested.choose(session, kind, known, documents)
        failed = documents_by_owner.with_failed(session, kind) if retry_failed else set()
        busy = documents_by_owner.perhaps_busy(session, kind)
        # A push that was killed when all was settled: nothing waits, but its event says that it runs.
        left_open = events.left_open(session, Direction.PUSH, kind.name)
        for one in known:
            chosen = mine.get(one.organisation_id, [])
            if documents is not None and not chosen:
                continue
            idle = busy is not None and one.organisation_id not in busy
            waiting = len(chosen) or (0 if idle else Outbox(session, one, kind).something())
            by_name = connection is not None
            reason, explanation = one.not_taking_part, one.left_out or ""
            if by_name and reason is not NotTakingPart.SWITCHED_OFF:
                reason = None
            if reason and chosen:
                undone += [
                    requested.left_out(one, reason, explanation, kind.called(each.label, each.id), str(each.id))
                    for each in chosen
                ]
            elif reason and by_name:
                undone.append(requested.left_out(one, reason, explanation))
            elif not waiting and one.organisation_id not in failed and one.id not in left_open:
                if by_name:
                    log.info("%s: no %s is ready to be pushed", one.organisation, kind.word)
            elif reason:
                reasons.append(LeftOut(one.organisation, reason, f"{explanation}; its documents wait"))
            else:
                ids = None if documents is None else [str(each.id) for each in chosen]
                before = [str(each.id) for each in chosen if each.push_state == "pushed"]
                who = {"connection_id": str(one.id), "organisation": one.organisation}
                taken.append(who | {"documents": ids, "pushed_before": before})
    return Pushing(taken, reasons, undone)


def _named(wanted: str, known: list[Connection]) -> list[Connection]:
    """The one of that QicWorks name, else of that id or Xero name; LookupError if it is not exactly one."""
    wanted = on_a_line(wanted)
    if not wanted:
        raise LookupError("an empty name names no organisation: leave it out to take all that are on")
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
