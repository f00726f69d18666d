"""Reports files that were removed or renamed in QicWorks after their push: Xero deletes none for an app."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from uuid import UUID

from xero.api.errors import Refused
from xero.documents.declaration import PricedKind
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Found, Reason
from xero.qicworks.push.cancellations import RemovedFile
from xero.qicworks.push.links import current
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.runs.outcome import Status
from xero.sync.push.attachments import fetch_files
from xero.sync.push.outages import OutageBreaker
from xero.sync.push.settle import ResultRecorder
from xero.sync.runs.run import Run

LEFT = "it was removed or renamed in QicWorks, but is still in Xero, which deletes no file for an app: {}"
CORRECTION = "Delete the file in Xero: open the {} there, then its files. Or attach it again in QicWorks."


class RemovedFiles:
    """The removed files of one kind and connection."""

    def __init__(
        self, it: Run, kind: PricedKind, outbox: Outbox, recorder: ResultRecorder, breaker: OutageBreaker
    ) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.breaker = breaker

    def run(self, wanted: Sequence[UUID] | None) -> None:
        """Looks for them in Xero, document by document. `wanted`: only of these documents; None for all."""
        due = self.outbox.cancelled.files_due(wanted)
        for id, removed in groupby(due, key=lambda one: one.document_id):
            self.breaker.attempt(f"files of {self.kind.word} {id}", partial(self._compare, id, list(removed)))

    def _compare(self, id: UUID, removed: Sequence[RemovedFile]) -> None:
        """Keeps a difference for each that Xero still has; the others are over."""
        left = self._left(id, [one for one in removed if not (one.is_gone or one.there_again)])
        label = self.kind.called(removed[0].number, id)
        found = {
            one.file_name: Found(
                Reason.FILE_LEFT_IN_XERO, {"file": "removed"}, {"file": one.file_name}, subject=one.file_name
            )
            for one in left
        }
        about = About(self.it.connection.id, self.kind.name, id, label)
        with self.it.session.transaction():
            judged = [Reason.FILE_LEFT_IN_XERO]
            changes = differences.compare(self.it.session, about, list(found.values()), judged)
            self.outbox.cancelled.close_files([one.id for one in removed if one not in left])
            if changes.new:
                names = ", ".join(one.subject for one in changes.new)
                correction = CORRECTION.format(label)
                self.recorder.note(label, id, Status.WARNING, LEFT.format(names), correction, sent=True)
        self.recorder.warnings += bool(left)

    def _left(self, id: UUID, removed: Sequence[RemovedFile]) -> list[RemovedFile]:
        """Those that Xero still has, or does not say."""
        if not removed:
            return []
        xero_id = current(self.outbox.links(id, removed[0].links)) or removed[0].document_xero_id
        if xero_id is None:
            return []
        try:
            found = fetch_files(self.it.client, self.kind, xero_id)
        except Refused as refusal:
            return [] if refusal.status == 404 else list(removed)
        there = {str(one.get("FileName")).casefold() for one in found}
        return [one for one in removed if one.file_name.casefold() in there]
