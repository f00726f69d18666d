"""Reports files that were removed, renamed or moved in QicWorks after their push: Xero deletes none for an app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.errors import Refused, RetryLater
from xero.documents.declaration import PricedKind
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Found, Reason
from xero.qicworks.push.cancellations import RemovedFile
from xero.qicworks.push.links import current
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.runs.outcome import Status
from xero.sync.push.attachments import fetch_files, invalid_name, same_name
from xero.sync.push.deadlines import QUIET_SECONDS, REPLAY_WINDOW_SECONDS
from xero.sync.push.outages import OutageBreaker, is_of_one
from xero.sync.push.settle import ResultRecorder
from xero.sync.runs.run import Run

JUDGED = [Reason.FILE_LEFT_IN_XERO]
NOT_KNOWN = "not known"  # Xero's side of a difference


class InXero(Enum):
    """What is certain of a removed file."""

    GONE = auto()
    THERE = auto()
    NOT_KNOWN = auto()
    WAITS = auto()  # it is not there yet, and may be on its way: a later push looks again


#: What the event says of files, and what to do. Places: the files; the document.
WORDS = {
    InXero.THERE: (
        "it was removed or renamed in QicWorks, but is still in Xero, which deletes no file for an app: {}",
        "Delete the file in Xero: open the {} there, then its files. Or attach it again in QicWorks.",
    ),
    InXero.NOT_KNOWN: (
        "it was removed or renamed in QicWorks, and whether Xero still has it is not known: {}",
        "Open the {} in Xero, then its files. If the file is there, delete it. A push looks again after a day.",
    ),
}


class RemovedFiles:
    """The removed files of one kind and connection."""

    def __init__(
        self,
        it: Run,
        kind: PricedKind,
        outbox: Outbox,
        recorder: ResultRecorder,
        breaker: OutageBreaker,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.breaker = breaker
        # For so long a file may be sent again, though it was removed since; then Xero may still be processing it.
        self.recent_seconds = REPLAY_WINDOW_SECONDS + quiet_seconds

    def run(self, wanted: Sequence[UUID] | None) -> None:
        """Looks for them in Xero, document by document. `wanted`: only of these documents; None for all."""
        due = self.outbox.cancelled.files_due(wanted, self.recent_seconds)
        for id, removed in groupby(due, key=lambda one: one.document_id):
            self.breaker.attempt(f"files of {self.kind.word} {id}", partial(self._compare, id, list(removed)))

    def _compare(self, id: UUID, removed: Sequence[RemovedFile]) -> None:
        """Keeps a difference for each that Xero still has, or may have; the others are over."""
        states = self._look(id, [one for one in removed if not _is_over(one)])
        over = [one.id for one in removed if states.get(one.id, InXero.GONE) is InXero.GONE]
        names = {state: {one.file_name for one in removed if states.get(one.id) is state} for state in WORDS}
        names[InXero.NOT_KNOWN] -= names[InXero.THERE]
        label = self.kind.called(removed[0].number, id)
        found = [
            Found(
                Reason.FILE_LEFT_IN_XERO,
                {"file": "removed"},
                {"file": name if state is InXero.THERE else NOT_KNOWN},
                subject=name,
            )
            for state in WORDS
            for name in sorted(names[state])
        ]
        with self.it.session.transaction():
            about = About(self.it.connection.id, self.kind.name, id, label)
            changes = differences.compare(self.it.session, about, found, JUDGED)
            self.outbox.cancelled.close_files(over)
            for state, (said, correction) in WORDS.items():
                if new := [one.subject for one in changes.new if one.subject in names[state]]:
                    said, correction = said.format(", ".join(new)), correction.format(label)
                    self.recorder.note(label, id, Status.WARNING, said, correction, sent=True)
        self.recorder.warnings += bool(found)

    def _look(self, id: UUID, removed: Sequence[RemovedFile]) -> dict[int, InXero]:
        """What is certain of each, by its id. That something is missing from a record proves nothing unless the record
        is certainly the document: by a seal of this Xero organisation."""
        if not removed:
            return {}
        own = current(self.outbox.links(id, removed[0].links))
        xero_id = own or removed[0].document_xero_id
        try:
            there = fetch_files(self.it.client, self.kind, xero_id) if xero_id else []
            there = [file for file in there if not _is_one_of(removed[0].others, file)]
        except Refused as refusal:
            is_missing = refusal.status == 404
            return {one.id: _missing(one, own, xero_id) if is_missing else InXero.NOT_KNOWN for one in removed}
        except RetryLater as error:
            if not is_of_one(self.it.client, self.kind.path, error):
                raise
            return dict.fromkeys((one.id for one in removed), InXero.NOT_KNOWN)
        return {
            one.id: InXero.THERE
            if any(_has_its_id(one, file) or (own and _is_like(one, file)) for file in there)
            else _not_listed(one, own, xero_id)
            for one in removed
        }


def _is_over(one: RemovedFile) -> bool:
    """Without a look at Xero: its document is gone there, it was attached again, or its name cannot be sent."""
    was_not_sent = one.xero_id is None and invalid_name(one.file_name) is not None
    return one.is_gone or one.there_again or was_not_sent


def _missing(one: RemovedFile, own: UUID | None, xero_id: UUID | None) -> InXero:
    """What it says that a file was not found. Without an id it was sent only if its document had one."""
    is_certain = own is not None or (xero_id is None and one.xero_id is None)
    return InXero.GONE if is_certain else InXero.NOT_KNOWN


def _not_listed(one: RemovedFile, own: UUID | None, xero_id: UUID | None) -> InXero:
    """The same of a list of the record's files: one without an id may have been sent just before it was removed."""
    may_come = one.is_recent and one.xero_id is None and xero_id is not None
    state = _missing(one, own, xero_id)
    return InXero.WAITS if may_come and state is InXero.GONE else state


def _has_its_id(one: RemovedFile, file: Mapping[str, Any]) -> bool:
    return one.xero_id is not None and _is_one_of([one.xero_id], file)


def _is_one_of(ids: Sequence[UUID], file: Mapping[str, Any]) -> bool:
    return str(file.get("AttachmentID")).lower() in {str(id) for id in ids}


def _is_like(one: RemovedFile, file: Mapping[str, Any]) -> bool:
    """By its name; a file that may not have been sent also by its size: another may have attached one in Xero."""
    is_size = one.xero_id is not None or one.size is None or file.get("ContentLength") in (None, one.size)
    return is_size and same_name(one.file_name, wire.word(file.get("FileName")) or "")
