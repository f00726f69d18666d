"""Reads the documents of a kind that wait to be pushed, with their lines and attachments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from xero.documents.declaration import (
    Document,
    Kind,
    PricedDocument,
    PricedKind,
    PricedLine,
    PricedRow,
)
from xero.documents.parts.arriving import Arrival
from xero.documents.parts.attachments import AttachmentRow
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import Difference
from xero.qicworks.push import rows
from xero.qicworks.push.adopting.twins import Twins
from xero.qicworks.push.cancellations import CancelledDocuments
from xero.qicworks.push.contents import Contents
from xero.qicworks.push.links import Link, Links, current
from xero.qicworks.push.results import Purpose, PushedContent, PushState

STATEMENTS = sql.Statements("push/documents")

FILES = "attachment"  # the table of files

Defaults = Mapping[str, Mapping[str, str]]  # side → account (Xero's id) and tax_code


@dataclass(frozen=True)
class Waiting:
    """A document that is ready, before it is locked. `was`: its sealed record in Xero, if its row has no `xero_id`."""

    id: UUID
    version: int
    xero_id: UUID | None
    was: UUID | None = None


class ReadyDocuments:
    """The ready documents of one kind and connection.

    `failed_too`: a preview includes all that failed. `seals`: without them nothing is claimed, and no link is known.
    """

    def __init__(
        self,
        session: Session,
        connection: Connection,
        kind: Kind,
        *,
        failed_too: bool = False,
        seals: Seals | None = None,
    ) -> None:
        self.session = session
        self.connection = connection
        self.kind = kind
        self.failed_too = failed_too
        self._seals = seals
        self.cancelled = CancelledDocuments(session, connection, kind)
        self.twins = Twins(session, connection, kind)
        self._links = Links(connection, seals)
        self._contents = Contents(connection, seals)
        self._passed_over: set[UUID] = set()
        self._pair = {"connection_id": connection.id, "kind": kind.name}

    def _run(self, statement: SQL, **values: Any) -> list[dict[str, Any]]:
        made = statement.format(table=Identifier(self.kind.table), label=Identifier(self.kind.label_column))
        values |= {**self._pair, "table": self.kind.table, "organisation_id": self.connection.organisation_id}
        cursor = self.session.execute(made, values)
        return cursor.fetchall() if cursor.description else []

    @property
    def _gone(self) -> list[str]:
        """The statuses of what Xero has deleted."""
        return sorted(self.kind.gone) if isinstance(self.kind, PricedKind) else []

    # -- which

    def something(self) -> int:
        """How much a run would have to do: documents, requests, attachments, cancellations, and what is due without a
        document."""
        count: int = self._run(sql.template("push/ready", "something_to_do"), gone=self._gone)[0]["something"]
        count += self.cancelled.something()
        if self.kind.also_due:
            due = self.session.execute(sql.template(*self.kind.also_due), {"connection_id": self.connection.id})
            count += len(due.fetchall())
        return count

    def named(self, names: Sequence[str]) -> list[UUID]:
        """The ids of the documents with these ids or numbers. Raises LookupError with the numbers that do not exist.

        An id without a document is skipped: it was chosen earlier, and its document has been deleted since."""
        found = self._run(sql.template("push/ready", "named"), names=list(names))
        known = {str(row["id"]) for row in found} | {row["number"] for row in found}
        if unknown := [name for name in names if name not in known and not _is_id(name)]:
            raise LookupError(
                f"{self.connection.organisation} has no {self.kind.word} {', '.join(unknown)}; give its id, or its "
                "number as QicWorks has it"
            )
        return [row["id"] for row in found]

    def waiting(
        self, limit: int, wanted: Sequence[UUID] | None, done: Iterable[UUID], *, preview: bool = False
    ) -> list[Waiting]:
        """The next ready documents. In a preview also failed ones that the run would retry."""
        again = preview and (self.failed_too or wanted is not None)
        states = [PushState.READY, PushState.FAILED] if again else [PushState.READY]
        ready = self._run(
            sql.template("push/ready", "ready"),
            limit=limit,
            wanted=wanted,
            done=list(done),
            states=states,
            released_too=preview,
        )
        return [Waiting(row["id"], row["push_version"], row["xero_id"], self._was(row)) for row in ready]

    def _was(self, row: dict[str, Any]) -> UUID | None:
        return None if row["xero_id"] else current(self.links(row["id"], row["links"]))

    def failed_batch_sizes(self, ids: Sequence[UUID]) -> dict[UUID, int]:
        """Of documents that were in a request that Xero failed on: the size of the smallest one."""
        return {
            row["id"]: row["size"] for row in self._run(sql.template("push/ready", "failed_batch_sizes"), ids=list(ids))
        }

    def times_failed_alone(self, id: UUID, version: int, purpose: Purpose = Purpose.PUSH) -> int:
        """How often Xero returned a 5xx for a request with only this version of a document."""
        of_it = {"id": id, "version": version, "purpose": purpose, **self._pair}
        times: int = self.session.execute(sql.template("push/ready", "failed_alone"), of_it).fetchall()[0]["times"]
        return times

    def read_priced(self, ids: Sequence[UUID], defaults: Defaults | None = None) -> list[PricedDocument]:
        """With their lines, oldest first.

        `defaults`: what lines without account or tax code are sent with now; None: what they were last sent with."""
        assert isinstance(self.kind, PricedKind)
        of_kind = [column.name for column in fields(self.kind.row) if column not in fields(PricedRow)]
        statement = sql.template("push/documents", "priced").format(
            table=Identifier(self.kind.table),
            records=Identifier(self.kind.records),
            of_kind=SQL("").join(SQL(", document.{}").format(Identifier(name)) for name in of_kind),
        )
        asked = {"ids": list(ids), "connection_id": self.connection.id, "table": self.kind.table}
        lines: dict[UUID, list[PricedLine]] = {}
        of_lines = sql.template("push/documents", "lines").format(table=Identifier(self.kind.table))
        taken = None if defaults is None else Jsonb(defaults)
        for line in rows.read(self.session, of_lines, PricedLine, **asked, defaults=taken):
            lines.setdefault(line.parent_id, []).append(line)
        organisation = self.connection.organisation_id
        found = rows.read(self.session, statement, self.kind.row, organisation_id=organisation, **asked)
        return [Document(row, tuple(lines.get(row.id, ()))) for row in found]

    def keep_defaults(self, documents: Sequence[PricedDocument]) -> int:
        """Keeps what lines take from the settings, as they are sent. Returns how many lines."""
        lines = [line for one in documents for line in one.lines if line.takes_defaults]
        if lines:
            STATEMENTS.keep_defaults(
                self.session,
                connection_id=self.connection.id,
                line_ids=[line.id for line in lines],
                document_ids=[line.parent_id for line in lines],
                account_ids=[line.account_id if line.account_is_default else None for line in lines],
                tax_code_ids=[line.tax_code_id if line.tax_is_default else None for line in lines],
                departments=[line.department if line.department_is_taken else None for line in lines],
                option_ids=[line.first_option_id if line.department_is_taken else None for line in lines],
            )
        return len(lines)

    def needing_defaults(
        self,
        wanted: Sequence[UUID] | None,
        without_account: Sequence[str],
        without_tax_code: Sequence[str],
        *,
        by_department: bool = False,
    ) -> list[UUID]:
        """Ready documents with lines without an account or tax code, of these sides (empty: a kind without sides).
        `by_department`: and those with lines that take an option by their department."""
        sides = {"without_account": list(without_account), "without_tax_code": list(without_tax_code)}
        asked = {"wanted": wanted, "by_department": by_department, **sides}
        found = self._run(sql.template("push/documents", "needing_defaults"), **asked)
        return [row["id"] for row in found]

    def contents(self, documents: Sequence[PricedDocument]) -> dict[UUID, PushedContent]:
        """What was last pushed of those that are in Xero, as the record that each is linked to."""
        records = {one.id: one.xero_id for one in documents if one.xero_id}
        return self._contents.read(self.session, records)

    def sent_as_approved(self, id: UUID, xero_id: UUID) -> bool:
        """Whether QicWorks itself sent this record in the status AUTHORISED, by a seal."""
        kept = self._contents.read(self.session, {id: xero_id}).get(id)
        return kept is not None and kept.sent.get("status") == Arrival.AUTHORISED

    def differences(self, ids: Sequence[UUID]) -> dict[UUID, list[Difference]]:
        """The open differences of these documents."""
        found: dict[UUID, list[Difference]] = {}
        for one in differences.listed(self.session, self.connection.id, documents=list(ids)) if ids else ():
            assert one.document_id
            found.setdefault(one.document_id, []).append(one)
        return found

    def links(self, id: UUID, said: Sequence[dict[str, Any]] | None) -> tuple[Link, ...]:
        """The valid links among those that were read with a document, newest first."""
        return self._links.holding(self.kind.table, id, said)

    def links_are_undone(self, id: UUID, said: Sequence[dict[str, Any]] | None) -> bool:
        """Whether a person has undone what it was linked to, and it was not linked since."""
        return self._links.are_undone(self.kind.table, id, said)

    def attachments(self, wanted: Sequence[UUID] | None, event_id: int) -> list[AttachmentRow]:
        """Those that wait and whose document is in Xero. `wanted` are documents; None: all."""
        return rows.read(
            self.session,
            sql.template("push/documents", "attachments").format(table=Identifier(self.kind.table)),
            AttachmentRow,
            table=self.kind.table,
            organisation_id=self.connection.organisation_id,
            wanted=wanted,
            event_id=event_id,
            gone=self._gone,
        )

    def may_be_others(self, file: AttachmentRow) -> bool:
        """Whether a user may have attached a file of its name in Xero: the document was there, and no seal shows that
        the file was pushed."""
        links = self._links.holding(FILES, file.id, file.file_links)
        pushed = file.file_xero_id is not None and file.file_xero_id == current(links)
        return file.stood_there and not pushed

    def attachment_content(self, id: UUID) -> bytes | None:
        """None if it is no longer to be sent: it was removed, or its document cancelled."""
        content: bytes | None = STATEMENTS.attachment_content(self.session, id=id)
        return content


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
