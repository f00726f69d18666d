"""Alerts: what people are told once, for each thing and reason, while it is open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier, Literal

from xero.datasets.declaration import Dataset
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.follow.differences import Found, Reason
from xero.qicworks.follow.wording import say
from xero.qicworks.runs import lease
from xero.qicworks.texts import on_a_line

QUERIES = sql.Statements("follow/alerts")


class Subject(StrEnum):
    """What an alert is about, the most harmful first."""

    CONNECTION = "connection"  # it has to be connected again
    PAY_DATE = "pay_date"  # a data set was not pulled on it
    DIFFERENCE = "difference"
    DOCUMENT = "document"  # it failed, or was refused
    ATTACHMENT = "attachment"  # the same of a file
    REJECTION = "rejection"  # a record that could not be loaded


ON_ITS_PAGE = "The page has the reason and the fix."
RECONNECT = "Reconnect it under Connections."


@dataclass(frozen=True)
class Alert:
    """Something that is open, and what to do about it. Of payroll there are neither amounts nor names in the words.

    `about`: a kind of document or a data set, "" of a connection; `document_id`: a document of that kind. `channels`:
    those by which it was not yet sent.
    """

    subject: Subject
    id: str
    fingerprint: str
    what: str
    correction: str
    about: str
    document_id: UUID | None
    payroll: bool
    channels: tuple[str, ...]


def to_alert(
    session: Session, connection_id: UUID, channels: Collection[str], missed: Mapping[str, date]
) -> list[Alert]:
    """Returns what is open and was not yet alerted by all of these channels: by subject, then the newest first.

    Also forgets alerts about what is over, so it is new if it comes back. A document is over when it is pushed, skipped
    or a draft again: one that waits for another push is not, and failing again with the same message is no news. That
    it was over is noticed only if this is called in between.

    Args:
        channels: Names of ways to send; each is sent everything once.
        missed: Data set → the pay date on which it was not pulled. All of them: others are over.
    """
    asked = {"connection_id": connection_id, "channels": list(channels)}
    days = {"data_sets": list(missed), "pay_dates": list(missed.values())}
    found = [_of(row, channels) for row in session.execute(_new_alerts(), asked | days)]
    order = list(Subject)
    return sorted(found, key=lambda alert: order.index(alert.subject))


def mark(session: Session, connection_id: UUID, alerts: Sequence[Alert], channel: str) -> None:
    """Notes that these were sent by this channel."""
    QUERIES.mark(
        session,
        connection_id=connection_id,
        channel=channel,
        subjects=[alert.subject for alert in alerts],
        subject_ids=[alert.id for alert in alerts],
        fingerprints=[alert.fingerprint for alert in alerts],
    )


@contextmanager
def sending(session: Session, connection_id: UUID) -> Iterator[None]:
    """Only one process sends alerts of a connection at a time. Ask for them again inside: another may have sent them.

    Raises LockNotAvailable if another process has been sending for two minutes.
    """
    list(QUERIES.lock(session, key=f"xero alerts {connection_id}"))
    try:
        yield
    finally:
        lease.release(session)


@cache
def _new_alerts() -> Composed:
    """The statement, over the tables of all kinds."""
    failed = sql.template("follow/alerts", "failed")
    parts = [
        failed.format(
            kind=Literal(kind.name),
            table=Identifier(kind.table),
            table_name=Literal(kind.table),
            label=Identifier(kind.label_column),
        )
        for kind in KINDS.values()
    ]
    return sql.template("follow/alerts", "new_alerts").format(failed=SQL("\n").join(parts))


def _of(row: dict[str, Any], channels: Collection[str]) -> Alert:
    subject, about = Subject(row["subject"]), row["about"]
    kind, dataset = KINDS.get(about), DATASETS.get(about)
    named = [one for one in (kind, dataset) if one]
    payroll = subject is not Subject.CONNECTION and (not named or any(one.payroll for one in named))
    what, correction = _words(subject, row, kind, dataset, payroll)
    return Alert(
        subject,
        row["id"],
        row["fingerprint"],
        sentence(what),
        correction,
        about,
        row["document_id"],
        payroll,
        tuple(channel for channel in channels if channel not in (row["channels"] or ())),
    )


def _words(
    subject: Subject, row: dict[str, Any], kind: Kind | None, dataset: Dataset | None, payroll: bool
) -> tuple[str, str]:
    """What it is, and the correction."""
    why = on_a_line(row["why"] or "")
    title = dataset.title if dataset else kind.title if kind else row["about"].replace("_", " ")
    match subject:
        case Subject.CONNECTION:
            return f"It needs to be connected again: {why or 'the authorisation is broken'}", RECONNECT
        case Subject.PAY_DATE:
            what = f"{title}: not pulled on the pay date {why}, which is over"
            return what, "Look at the last run of this data set. Pull it by hand if no run has succeeded since."
        case Subject.REJECTION:
            what = f"{title}: a record could not be loaded" + ("" if payroll else f": {why}")
            return what, "Correct the record in Xero, then pull again."
        case Subject.DIFFERENCE:
            label = f"{kind.title if kind else title}: a {kind.word if kind else 'record'}" if payroll else row["label"]
            of_file = f" ({on_a_line(row['file'])})" if row["file"] and not payroll else ""
            found = Found(Reason(row["why"]), subject=row["file"] or "")
            message, correction = say(found, row["about"])
            return f"{on_a_line(label)}{of_file}: {message}", correction
    assert kind, "documents are of a kind"
    if payroll:
        return f"{kind.title}: a {kind.word} was not pushed", ON_ITS_PAGE
    label = kind.called(row["label"], row["document_id"])
    if subject is Subject.ATTACHMENT:
        label += f", file {on_a_line(row['file'])}"
    return f"{label}: {why or 'it failed'}", row["correction"] or ON_ITS_PAGE


def sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."
