"""Differences between QicWorks and Xero: each is open until whoever found it finds that both agree."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.texts import fit, marked

QUERIES = sql.Statements("follow/differences")

MAX_LISTED = 10_000
LONGEST_VALUE = 500  # characters

Values = Mapping[str, str]  # field → value, as people read it


class Reason(StrEnum):
    """Why a difference is one. The column has the same values: schema/0031."""

    VOIDED_IN_XERO = "voided_in_xero"
    DELETED_IN_XERO = "deleted_in_xero"
    REJECTED_IN_XERO = "rejected_in_xero"  # leave
    MISSING_IN_XERO = "missing_in_xero"  # Xero has no record of that id
    APPROVED_IN_XERO = "approved_in_xero"  # and edited in QicWorks since, which Xero no longer takes
    EDITED_IN_XERO = "edited_in_xero"  # since it was pushed
    EDITED_IN_QICWORKS = "edited_in_qicworks"  # and not sent: it failed or waits
    AMOUNTS_DIFFER = "amounts_differ"  # from the push on: Xero has it otherwise than it was sent
    PAID_DIFFERS = "paid_differs"  # QicWorks' amount, Xero's amount and the sum of Xero's payments are not all equal
    CANCELLED_IN_QICWORKS = "cancelled_in_qicworks"  # and still in Xero
    FILE_LEFT_IN_XERO = "file_left_in_xero"  # removed or renamed in QicWorks
    OVERLAPPING_LEAVE = "overlapping_leave"  # entered in Xero, at the same time as a request of QicWorks
    AMBIGUOUS_MATCH = "ambiguous_match"  # a record of Xero's that may be another one of the document
    UNPROVEN_PUSH = "unproven_push"  # marked as pushed, and nothing shows it
    PAY_DIFFERS = "pay_differs"
    RECORDS_DIFFER = "records_differ"  # of a data set that is pulled
    SETTING_UNFIT = "setting_unfit"  # it points at something that was archived in Xero, for instance


#: Reasons that the content of a document and its record in Xero decide; some of them are an edit that was not sent.
EDITS = (Reason.EDITED_IN_QICWORKS, Reason.APPROVED_IN_XERO)
OF_CONTENT = (
    Reason.VOIDED_IN_XERO,
    Reason.DELETED_IN_XERO,
    Reason.MISSING_IN_XERO,
    Reason.EDITED_IN_XERO,
    Reason.AMOUNTS_DIFFER,
    *EDITS,
)


class Settled(StrEnum):
    """How a difference was settled."""

    AGREES = "agrees"  # both sides have the same
    CANCELLED = "cancelled"  # QicWorks cancelled it, too
    REPLACED = "replaced"  # the document is another record in Xero now
    SKIPPED = "skipped"  # QicWorks does not push it
    OVERWRITTEN = "overwritten"  # one side was written over the other
    GONE = "gone"  # the document, or what it was about, no longer exists


@dataclass(frozen=True)
class Found:
    """A difference that is there now. `subject` distinguishes several of one document and reason; `ids`: a hash of the
    ids behind the names in both sides."""

    reason: Reason
    ours: Values = field(default_factory=dict)
    theirs: Values = field(default_factory=dict)
    subject: str = ""
    ids: str = ""


@dataclass(frozen=True)
class About:
    """What a difference is about: a document of a kind, or (`document_id` None) a data set as a whole."""

    connection_id: UUID
    document_kind: str
    document_id: UUID | None
    label: str

    @property
    def row(self) -> dict[str, Any]:
        return {
            "connection_id": self.connection_id,
            "document_kind": self.document_kind,
            "document_id": self.document_id,
        }


@dataclass(frozen=True)
class Difference:
    """A row of `xero_sync.difference`, with the name of its organisation."""

    id: int
    connection_id: UUID
    organisation: str
    document_kind: str
    document_id: UUID | None
    subject: str
    label: str
    reason: Reason
    ours: dict[str, str]
    theirs: dict[str, str]
    ids: str
    since: datetime
    last_seen_at: datetime
    acknowledged_by: str | None
    acknowledged_until: datetime | None
    chosen: str | None  # which side a person chose to keep: qicworks, xero
    chosen_by: str | None
    settled_at: datetime | None
    settled_how: Settled | None
    seen: str  # a hash of both sides: whoever decides about it has seen these values

    def is_acknowledged(self, now: datetime) -> bool:
        return self.acknowledged_until is not None and self.acknowledged_until > now


@dataclass(frozen=True)
class Changes:
    """What a comparison changed: the differences that are new, and the reasons of those that it settled."""

    new: tuple[Found, ...] = ()
    settled: tuple[Reason, ...] = ()


def compare(
    session: Session, about: About, found: Sequence[Found], judged: Collection[Reason], how: Settled = Settled.AGREES
) -> Changes:
    """Opens or refreshes the differences that were found, and settles the other open ones with a `judged` reason."""
    assert {one.reason for one in found} <= set(judged), "only what is judged is found"
    ids, new = [], []
    for one in found:
        row = QUERIES.find(
            session,
            **about.row,
            subject=fit(one.subject, LONGEST_VALUE),
            label=fit(about.label, LONGEST_VALUE),
            reason=one.reason,
            ours=Jsonb(fitting(one.ours)),
            theirs=Jsonb(fitting(one.theirs)),
            ids=one.ids,
        )
        ids.append(row["id"])
        new += [one] if row["is_new"] else []
    settled = QUERIES.settle_others(session, **about.row, reasons=list(judged), found=ids, how=how)
    return Changes(tuple(new), tuple(Reason(row["reason"]) for row in settled))


def settle_elsewhere(session: Session, about: About, judged: Collection[Reason], how: Settled) -> None:
    """Settles what was found of the document while its organisation was matched to another Xero organisation."""
    QUERIES.settle_elsewhere(session, **about.row, reasons=list(judged), how=how)


def hash_of_ids(ids: Iterable[str]) -> str:
    """Of the ids behind names, in their order; empty if there are none."""
    joined = "\0".join(ids)
    return hashlib.sha256(joined.encode(errors="surrogatepass")).hexdigest()[:16] if joined.strip("\0") else ""


def fitting(values: Values) -> dict[str, str]:
    """As they are kept: what is cut is still told from other values."""
    return {fit(name, LONGEST_VALUE): _fitting(value) for name, value in values.items()}


def _fitting(value: str) -> str:
    return fit(value) if len(value) <= LONGEST_VALUE else marked(value, value, LONGEST_VALUE)


def listed(
    session: Session,
    connection_id: UUID | None = None,
    *,
    only_open: bool = True,
    documents: Sequence[UUID] | None = None,
    kinds: Sequence[str] | None = None,
    limit: int | None = MAX_LISTED,
) -> list[Difference]:
    """By organisation, kind and label. `kinds`: those that the reader may see; None: all. `limit` None: all of them."""
    asked = {"connection_id": connection_id, "only_open": only_open, "document_ids": documents, "kinds": kinds}
    return [of_row(row) for row in QUERIES.listed(session, **asked, limit=limit)]


def of_row(row: dict[str, Any]) -> Difference:
    how = row["settled_how"]
    return Difference(**row | {"reason": Reason(row["reason"]), "settled_how": Settled(how) if how else None})


def with_open(session: Session, connection_id: UUID, documents: Sequence[UUID]) -> set[UUID]:
    """Those of these documents that have an open difference."""
    rows = QUERIES.with_open(session, connection_id=connection_id, document_ids=list(documents))
    return {row["document_id"] for row in rows}


def count_open(session: Session, kinds: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """document_kind, reason, open, acknowledged."""
    return list(QUERIES.count_open(session, kinds=kinds))


def acknowledge(session: Session, id: int, who: str, until: datetime | None, *, seen: str) -> bool:
    """Puts an open difference off until then; None: no longer. False if it is not open, or has other values by now."""
    return bool(list(QUERIES.acknowledge(session, id=id, who=fit(who, LONGEST_VALUE), until=until, seen=seen)))


def choose(session: Session, id: int, who: str, side: str, *, seen: str) -> bool:
    """Keeps a side (qicworks, xero). False if it is not open, or has other values by now."""
    return bool(list(QUERIES.choose(session, id=id, who=fit(who, LONGEST_VALUE), side=side, seen=seen)))
