"""One reply for each document or organisation that was requested by name, and an error for what was not done."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from xero.documents.declaration import Kind
from xero.qicworks import database
from xero.qicworks.connect.connections import Connection, NotTakingPart
from xero.qicworks.database import Session
from xero.qicworks.push import documents_by_owner
from xero.qicworks.push.cancellations import CancellationState
from xero.qicworks.push.documents_by_owner import DocumentOwner
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import on_a_line
from xero.sync.runs.outcome import LEFT_OUT, Busy
from xero.sync.runs.run import SWITCH_ON

log = logging.getLogger(__name__)


class Answer(StrEnum):
    PUSHED = "pushed"
    PUSHED_BEFORE = "pushed before"
    CANCELLED = "cancelled"  # in QicWorks, and no longer in Xero
    FAILED = "failed"  # its own event says why, and so do push_error and push_correction
    WAITS = "waits"  # ready, or perhaps in Xero: a later run knows
    NOT_READY = "not ready"  # a draft, or skipped
    LEFT_OUT = "left out"  # its organisation is off, or has to be connected again
    REFUSED = "refused"  # the run's own settings mean nothing, so nothing was looked for
    WOULD_BE_SENT = "would be sent"  # a dry run
    WOULD_BE_REFUSED = "would be refused"
    UNKNOWN = "unknown"
    SEVERAL = "of several organisations"


DONE = (Answer.PUSHED, Answer.PUSHED_BEFORE, Answer.CANCELLED, Answer.WOULD_BE_SENT)
FILES = "push_error and push_correction in qicworks.attachment say why, and so does the event of each file."
HAS_AN_EVENT = (Answer.PUSHED, Answer.FAILED)
OUTCOMES = {
    Answer.PUSHED: EventOutcome.DONE,
    Answer.PUSHED_BEFORE: EventOutcome.DONE,
    Answer.CANCELLED: EventOutcome.DONE,
    Answer.FAILED: EventOutcome.FAILED,
    Answer.WAITS: EventOutcome.WAITING,
    Answer.NOT_READY: EventOutcome.NOT_READY,
    Answer.UNKNOWN: EventOutcome.UNKNOWN,
    Answer.SEVERAL: EventOutcome.AMBIGUOUS,
    Answer.WOULD_BE_SENT: EventOutcome.DONE,
    Answer.WOULD_BE_REFUSED: EventOutcome.FAILED,
    Answer.REFUSED: EventOutcome.UNKNOWN,
}


@dataclass(frozen=True)
class Reply:
    """What became of one thing. `name`: as it was asked for, or as people know it; `id`: the document's, where there is
    one; `connection_id`: whose it is, where that is known; `document`: whether it is one, and not an organisation. JSON
    can hold it."""

    name: str
    answer: Answer
    says: str
    correction: str | None = None
    connection_id: str | None = None
    document: bool = True
    id: str | None = None
    not_taking_part: NotTakingPart | None = None  # the reason, where its organisation takes no part
    wanted: str | None = None  # the name that it was asked for by; None: an organisation

    def to_answer(self) -> dict[str, Any]:
        return {"name": self.name, "id": self.id, "answer": self.answer}


class EmptyName(LookupError):
    """A name that names nothing was given."""


class NotDone(Exception):
    """Something that was requested by name was not done, and a person must check. An immediate retry would not help."""

    @classmethod
    def of(cls, replies: Iterable[Reply]) -> NotDone:
        return cls(" ".join(f"{one.says}. {one.correction or ''}".strip() for one in replies))


def insist(replies: Sequence[Reply], tries: int | None = 1) -> None:
    """Raises NotDone if a person must check, Busy if everything that is not done only waits.

    `tries`: the attempts so far; None: a retry would not help, as after a dry run.
    """
    undone = [one for one in replies if one.answer not in DONE]
    if undone and tries is not None and all(one.answer == Answer.WAITS for one in undone):
        raise Busy(" ".join(f"{one.says}." for one in undone), tries)
    if undone:
        raise NotDone.of(undone)


def choose(
    session: Session, kind: Kind, known: Sequence[Connection], names: Sequence[str]
) -> tuple[dict[UUID, list[DocumentOwner]], list[Reply]]:
    """Organisation → its documents of these names that can be pushed, or are; and what the other names are.

    Raises EmptyName, a LookupError, if no document is named.
    """
    names = [name.strip() for name in names]
    if not names or not all(names):
        raise EmptyName("an empty name names no document: leave the documents out to push all that are ready")
    of = {one.organisation_id: one for one in known}
    found = [one for one in documents_by_owner.named(session, kind, names) if one.organisation_id in of]
    mine: dict[UUID, list[DocumentOwner]] = {}
    replies: list[Reply] = []
    for name in dict.fromkeys(names):
        called = [one for one in found if one.is_called(name)]
        whose = [of[id] for id in dict.fromkeys(one.organisation_id for one in called)]
        if len(whose) != 1:
            replies.append(_unknown(kind, name, known) if not whose else _of_several(kind, name, whose))
            continue
        [connection] = whose
        for one in called:
            if one.push_state in ("draft", "skipped") and one.cancellation in (None, CancellationState.DONE):
                replies.append(_not_ready(kind, one, str(connection.id)))
            elif one not in mine.setdefault(connection.organisation_id, []):
                mine[connection.organisation_id].append(one)
    return mine, replies


def _unknown(kind: Kind, name: str, known: Sequence[Connection]) -> Reply:
    says = f"{known[0].organisation} has no" if len(known) == 1 else "no connected organisation has"
    called = f"{kind.word} {on_a_line(name)}"
    correction = "Give its id." if kind.payroll else "Give its id, or its number as QicWorks has it."
    connection_id = str(known[0].id) if len(known) == 1 else None
    return Reply(called, Answer.UNKNOWN, f"{says} {called}", correction, connection_id, wanted=name)


def _of_several(kind: Kind, name: str, whose: Sequence[Connection]) -> Reply:
    called = f"{kind.word} {on_a_line(name)}"
    organisations = ", ".join(sorted(f"'{one.organisation}'" for one in whose))
    says = f"{organisations} each have {called}"
    correction = "Say which, as connection, or give its id."
    return Reply(called, Answer.SEVERAL, says, correction, wanted=name)


def _not_ready(kind: Kind, one: DocumentOwner, connection_id: str) -> Reply:
    called = kind.called(one.label, one.id)
    return Reply(
        called,
        Answer.NOT_READY,
        f"{called} is {one.push_state} (push_state): only what is ready is pushed",
        f"Make the {kind.word} ready in QicWorks, then push again.",
        connection_id,
        id=str(one.id),
        wanted=str(one.id),
    )


def left_out(
    connection: Connection,
    reason: NotTakingPart,
    explanation: str,
    kind: Kind | None = None,
    document: DocumentOwner | None = None,
) -> Reply:
    """An organisation that takes no part, or one of its documents."""
    name = kind.called(document.label, document.id) if kind and document else None
    id = str(document.id) if document else None
    state = f"; {name} is {document.push_state} (push_state)" if document else ""
    says = f"{connection.organisation}: {explanation}{state}"
    return Reply(
        name or connection.organisation,
        Answer.LEFT_OUT,
        says,
        SWITCH_ON,
        str(connection.id),
        document=bool(name),
        id=id,
        not_taking_part=reason,
        wanted=id,
    )


def now(
    engine: Engine,
    kind: Kind,
    connection_id: str,
    ids: Sequence[str],
    pushed_before: Mapping[str, int],
    *,
    files: bool = True,
) -> list[Reply]:
    """What has become of these documents, which a push was asked for.

    Args:
        pushed_before: id → version of those that were pushed when it was asked.
        files: A document is not done while one of its files is not in Xero.
    """
    with database.session(engine) as session:
        found = {str(one.id): one for one in documents_by_owner.named(session, kind, ids)}
        unsent = documents_by_owner.unsent_files(session, kind, list(found)) if files else {}
    answers = []
    for id in ids:
        one = found.get(id)
        before = one is not None and pushed_before.get(id) == one.push_version
        answers.append(_answer(kind, connection_id, id, one, before, file_failed=unsent.get(id)))
    return answers


def _answer(
    kind: Kind, connection_id: str, id: str, one: DocumentOwner | None, pushed_before: bool, *, file_failed: bool | None
) -> Reply:
    """`file_failed`: whether one of the files that are not in Xero failed; None: all are."""
    if one is None:
        says = f"{kind.word} {id} is no longer in QicWorks"
        return Reply(f"{kind.word} {id}", Answer.UNKNOWN, says, "Nothing to do.", connection_id, id=id)
    called = kind.called(one.label, one.id)
    if reply := _cancelled(called, one, connection_id):
        return reply
    match one.push_state:
        case "pushed" if file_failed is not None:
            answer, state = (Answer.FAILED, "failed") if file_failed else (Answer.WAITS, "waiting")
            says = f"{called} was pushed, but not all of its files: {state}"
            return Reply(called, answer, says, FILES, connection_id, id=id)
        case "pushed" if pushed_before:
            return Reply(called, Answer.PUSHED_BEFORE, f"{called} was pushed before", None, connection_id, id=id)
        case "pushed":
            return Reply(called, Answer.PUSHED, f"{called} was pushed", None, connection_id, id=id)
        case "failed":
            where = f"push_error and push_correction in qicworks.{kind.table} say why, and so does its event."
            return Reply(called, Answer.FAILED, f"{called} was not pushed", where, connection_id, id=id)
        case "ready" | "in_flight":
            says = f"{called} waits: it is {one.push_state} (push_state)"
            later = "A later run takes it. To have it now, push again."
            return Reply(called, Answer.WAITS, says, later, connection_id, id=id)
        case _:
            return _not_ready(kind, one, connection_id)


def _cancelled(called: str, one: DocumentOwner, connection_id: str) -> Reply | None:
    """Of a document that is cancelled in QicWorks and was in Xero."""
    match one.cancellation:
        case None:
            return None
        case CancellationState.DONE:
            says = f"{called} is cancelled in QicWorks, and no longer in Xero"
            return Reply(called, Answer.CANCELLED, says, None, connection_id, id=str(one.id))
        case CancellationState.OPEN:
            says, correction = f"{called} is cancelled in QicWorks, and still in Xero", "A later run takes it back."
            return Reply(called, Answer.WAITS, says, correction, connection_id, id=str(one.id))
        case CancellationState.DIFFERS:
            says = f"{called} is cancelled in QicWorks, and Xero does not take it back"
            correction = "See its open difference for the fix."
            return Reply(called, Answer.FAILED, says, correction, connection_id, id=str(one.id))


def shown(reply: Reply, *, sent: int, refused: int) -> Reply:
    """The reply of a dry run: unchanged where it would neither send nor refuse that document."""
    if refused:
        return replace(
            reply, answer=Answer.WOULD_BE_REFUSED, says=f"{reply.name} would be refused", correction="The log has why."
        )
    if sent:
        return replace(reply, answer=Answer.WOULD_BE_SENT, says=f"{reply.name} would be sent", correction=None)
    return reply


def record(engine: Engine, kind: Kind, replies: Iterable[Reply], origin: Origin, *, logged: bool = True) -> None:
    """Writes an event for each reply that has none yet, and a log line unless the caller prints it."""
    with database.session(engine) as session:
        for one in replies:
            level = logging.INFO if one.answer in DONE else logging.ERROR
            if logged:
                log.log(level, "%s. %s", one.says, one.correction or "")
            if one.answer in HAS_AN_EVENT:
                continue
            status = Status.SUCCESS if one.answer in DONE else Status.ERROR if one.document else Status.WARNING
            document = DocumentName(one.name, kind.name, UUID(one.id) if one.id else None)
            events.record(
                session,
                UUID(one.connection_id) if one.connection_id else None,
                Direction.PUSH,
                kind.name,
                status,
                LEFT_OUT[one.not_taking_part] if one.not_taking_part else OUTCOMES[one.answer],
                one.says,
                origin,
                correction=one.correction,
                document=document if one.document else None,
            )
