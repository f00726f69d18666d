"""Follows leave requests after a load of leave: their status in Xero, and where QicWorks and Xero differ."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from xero.documents import odd_values
from xero.documents.leave_requests import CHECKS, LEAVE_REQUESTS, LeaveDocument
from xero.qicworks import sql
from xero.qicworks.connect.seals import Seals
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Changes, Found, Reason, Settled
from xero.qicworks.follow.wording import say, say_settled
from xero.qicworks.push.links import Link, Links, current
from xero.qicworks.push.outbox import PushState
from xero.qicworks.push.payroll_outbox import LeaveOutbox
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, DocumentName
from xero.qicworks.runs.outcome import EventOutcome, Status
from xero.sync.follow.leave_fields import differing_fields, ids_behind
from xero.sync.push.payroll.leave_applications import REJECTED
from xero.sync.runs.event_line import log_event
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)
QUERIES = sql.Statements("follow/leave")

BATCH_SIZE = 500  # requests read together
PRESENCE = (Reason.REJECTED_IN_XERO, Reason.MISSING_IN_XERO)
CONTENT = (Reason.EDITED_IN_XERO, Reason.EDITED_IN_QICWORKS, Reason.AMOUNTS_DIFFER)
AGREES_AGAIN = "it failed to be pushed, and is in Xero as QicWorks has it: it counts as pushed"

Row = dict[str, Any]  # of the statement `changed`


def follow(it: Run) -> Sequence[str]:
    """Follows the requests of one organisation, in the transaction that loads its leave. Returns remarks."""
    following = _Following(it)
    while following.follow_changed():
        pass  # what counts as pushed now is compared as such
    following.settle_unlinked()
    following.compare_overlapping()
    count = following.new
    return [f"{count} new difference{'s' if count > 1 else ''} between QicWorks' leave and Xero's"] if count else []


class _Following:
    """The requests of one organisation.

    `new`: how many differences were not known before; `agreed`: how many requests counted as failed, and no longer do.
    """

    def __init__(self, it: Run) -> None:
        self.it = it
        self.session, self.connection = it.session, it.connection
        self.outbox = LeaveOutbox(it.session, it.connection)
        self.links = Links(it.connection, Seals(it.client.app))
        self.scope = {"connection_id": it.connection.id, "organisation_id": it.connection.organisation_id}
        self.new = self.agreed = 0

    # -- what became of the request's own leave

    def follow_changed(self) -> bool:
        """Follows the requests of which either side has changed since they were compared. Returns whether one that had
        failed counts as pushed now."""
        self.agreed = 0
        self._rename()
        rows = list(QUERIES.changed(self.session, **self.scope, reading=self.it.data_set))
        for start in range(0, len(rows), BATCH_SIZE):
            batch = rows[start : start + BATCH_SIZE]
            followed = [row for row in batch if self._follow(row)]
            documents = {one.id: one for one in self.outbox.read([row["id"] for row in followed])}
            ids, compared = [], []
            for row in followed:
                document = documents.get(row["id"])
                if document and document.version == row["push_version"]:  # else it was edited or deleted meanwhile
                    self._compare(row, document)
                    ids.append(row["id"])
                    compared.append(row["compared"])
            QUERIES.keep_compared(self.session, connection_id=self.connection.id, ids=ids, compared=compared)
        return self.agreed > 0

    def _rename(self) -> None:
        """Links requests to the records that they are now: Xero gives approved leave another id."""
        for row in list(QUERIES.renamed(self.session, **self.scope)):
            if current(self._links(row["id"])) is None:
                continue  # nothing proves that it was pushed
            version = row["push_version"]
            QUERIES.rename(self.session, id=row["id"], xero_id=row["xero_id"], version=version)
            self.links.keep(self.session, LEAVE_REQUESTS.table, {row["id"]: Link(row["xero_id"], version)})
            log.info("%s has another id in Xero now: %s", self._about(row["id"]).label, row["xero_id"])

    def _links(self, id: UUID) -> tuple[Link, ...]:
        return self.links.holding(LEAVE_REQUESTS.table, id, list(QUERIES.links(self.session, id=id)))

    def _follow(self, row: Row) -> bool:
        """Writes its status. Returns False if QicWorks has changed it meanwhile."""
        if (row["status"], row["xero_status"]) == (row["means"], row["xero_means"]):
            return True
        names = ("id", "status", "push_state", "means", "xero_means")
        return bool(list(QUERIES.follow(self.session, **{name: row[name] for name in names})))

    def _compare(self, row: Row, document: LeaveDocument) -> None:
        state = PushState(row["push_state"])
        if state in (PushState.DRAFT, PushState.SKIPPED):
            how = Settled.SKIPPED if state is PushState.SKIPPED else Settled.CANCELLED
            found = self._presence(row) if row["is_cancelled"] else []
            self._record(row["id"], found, {*PRESENCE, *CONTENT, *_cancelled(row)}, how)
            return
        found, judged = self._presence(row), {*PRESENCE, *_cancelled(row)}
        if row["is_cancelled"]:
            judged |= {*CONTENT}  # what it contains no longer matters
        elif not found and (state is not PushState.READY or row["waits_long"]):
            found += self._content(row, document, state)
            judged |= {*CONTENT}
        self._record(row["id"], found, judged, Settled.CANCELLED if row["is_cancelled"] else Settled.AGREES)

    def _presence(self, row: Row) -> list[Found]:
        """Whether it is in force in the one and not in the other."""
        statuses = (row["theirs"] or "").split(", ")
        if row["is_cancelled"]:
            in_force = row["is_known"] and not row["is_being_cancelled"] and statuses != [REJECTED]
            sides = {"status": row["status"]}, {"status": str(row["theirs"] or "no status")}
            return [Found(Reason.CANCELLED_IN_QICWORKS, *sides)] if in_force else []
        if row["is_missing"]:
            return [Found(Reason.MISSING_IN_XERO, {"status": row["status"]}, {"status": "not there"})]
        # What QicWorks had rejected itself, before Xero did, is no difference.
        is_news = row["was"] is not None or row["status"] != "Rejected"
        if REJECTED in statuses and (is_news or statuses != [REJECTED]):
            return [Found(Reason.REJECTED_IN_XERO, row["was"] or {"status": row["status"]}, {"status": row["theirs"]})]
        return []

    def _content(self, row: Row, document: LeaveDocument, state: PushState) -> list[Found]:
        """Whether both have the same content. What failed to be pushed, and is the same, is pushed."""
        fields = differing_fields(document, row)
        if fields == {}:
            if state is PushState.FAILED:
                self._agree(row, document)
            return []
        ours, theirs = ({name: values[side] for name, values in (fields or {}).items()} for side in (0, 1))
        reason = Reason.EDITED_IN_XERO
        if state is not PushState.PUSHED:
            reason = Reason.EDITED_IN_QICWORKS if self._was_pushed(row["id"]) else Reason.AMOUNTS_DIFFER
        return [Found(reason, ours, theirs, ids=ids_behind(document, row, fields or {}))]

    def _was_pushed(self, id: UUID) -> bool:
        """Whether an earlier version was pushed, and Xero had it as it was sent."""
        return any(link.version is not None for link in self._links(id))

    def _agree(self, row: Row, document: LeaveDocument) -> None:
        """Marks it as pushed where a push would: it is approved and complete, and Xero's record names it."""
        if row["reference"] != row["id"] or any(one.correction for one in odd_values.run_checks(CHECKS, document)):
            return
        for agreed in QUERIES.agree(self.session, id=row["id"], version=row["push_version"]):
            link = Link(row["xero_id"], row["push_version"])
            self.agreed += 1
            self.links.keep(self.session, LEAVE_REQUESTS.table, {agreed["id"]: link})
            self._event(self._about(row["id"]), Status.SUCCESS, EventOutcome.DONE, AGREES_AGAIN)

    def settle_unlinked(self) -> None:
        """Settles the differences of requests that were deleted, or that are no longer linked to Xero."""
        kind = LEAVE_REQUESTS.name
        for row in list(QUERIES.unlinked(self.session, **self.scope, document_kind=kind)):
            judged = {*PRESENCE, *CONTENT, *_cancelled(row)}
            judged |= {Reason.OVERLAPPING_LEAVE} if row["is_gone"] else set()
            self._record(row["id"], [], judged, Settled.GONE if row["is_gone"] else Settled.REPLACED)

    # -- other leave

    def compare_overlapping(self) -> None:
        """Compares the days of all requests with those of leave that was entered in Xero."""
        rows = list(QUERIES.overlapping(self.session, **self.scope, reading=self.it.data_set))
        for id, pairs in groupby(rows, key=itemgetter("id")):
            found: list[Found] = []
            how = Settled.AGREES
            for pair in pairs:
                how = Settled.SKIPPED if pair["is_skipped"] else Settled.AGREES
                if pair["xero_id"]:
                    ours = {"days": f"{pair['our_start']} to {pair['our_end']}"}
                    theirs = {"days": f"{pair['their_start']} to {pair['their_end']}"}
                    found.append(Found(Reason.OVERLAPPING_LEAVE, ours, theirs, str(pair["xero_id"])))
            self._record(id, found, (Reason.OVERLAPPING_LEAVE,), how)

    # -- what was found

    def _about(self, id: UUID) -> About:
        return About(self.connection.id, LEAVE_REQUESTS.name, id, LEAVE_REQUESTS.called(None, id))

    def _record(self, id: UUID, found: Sequence[Found], judged: Collection[Reason], how: Settled) -> None:
        about = self._about(id)
        changes: Changes = differences.compare(self.session, about, found, judged, how)
        for new in changes.new:
            self._event(about, Status.WARNING, EventOutcome.DIFFERS, *say(new, about.document_kind))
        for reason in changes.settled:
            self._event(about, Status.SUCCESS, EventOutcome.DONE, say_settled(reason, how))
        self.new += len(changes.new)

    def _event(
        self, about: About, status: Status, outcome: EventOutcome, message: str, correction: str | None = None
    ) -> None:
        """Writes and logs an event of one request."""
        it = self.it
        document = DocumentName(about.label, about.document_kind, about.document_id)
        of = self.session, self.connection.id, it.direction, it.data_set
        events.record(*of, status, outcome, message, it.origin, correction=correction, document=document)
        log_event(
            it.data_set,
            self.connection,
            status,
            Counts(),
            message,
            correction,
            direction=it.direction,
            document=about.label,
        )


def _cancelled(row: Row) -> tuple[Reason, ...]:
    """The reason of a cancellation that did not last; of one that is on its way the push decides."""
    return () if row["is_being_cancelled"] else (Reason.CANCELLED_IN_QICWORKS,)
