"""Finds documents marked as pushed without proof: without a seal of that version, or a record that is certainly theirs.

Any program that can write to the database can mark a document as pushed that was never sent, and would never be paid.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.api import wire
from xero.api.answers import listed
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, Disconnected, NotAvailable, Refused, cleaned
from xero.documents.declaration import Delivery, Kind, Likeness, PricedKind
from xero.documents.leave_requests import identity
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.push.links import Link, Links
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.push.payroll_outbox import LeaveOutbox
from xero.qicworks.push.ready_documents import FILES
from xero.sync.push import plan
from xero.sync.push.content import same_content
from xero.sync.push.payroll import leave_applications

log = logging.getLogger(__name__)

Row = dict[str, Any]

BATCH_SIZE = 1000
MAX_RECORDS_LOOKED_UP = 50  # records read in Xero in one run, each by its id


@dataclass(frozen=True)
class UnprovenPush:
    """The kind, id and name of a document, or of one of its files. `subject`: the file's name; empty: the document."""

    kind: Kind
    name: str
    document_id: UUID
    label: str  # of the document
    subject: str = ""


def find_unproven_pushes(session: Session, client: XeroClient, connection: Connection) -> Iterator[UnprovenPush]:
    """Yields those of every kind. Asks Xero only about documents without a seal, such as those pushed by workers of an
    earlier version, and seals what is certainly there."""
    search = _Search(session, client, connection)
    for kind in KINDS.values():
        yield from search.of(kind)


class _Search:
    def __init__(self, session: Session, client: XeroClient, connection: Connection) -> None:
        self.session = session
        self.client = client
        self.connection = connection
        self.seals = Seals(client.app)
        self.looked_at = 0

    def of(self, kind: Kind) -> Iterator[UnprovenPush]:
        outbox = Outbox(self.session, self.connection, kind, seals=self.seals)
        links = Links(self.connection, self.seals)
        for row in self._pushed(kind, "pushed_ids", "pushed"):
            name = kind.called(row["number"] and str(row["number"]), row["id"])
            if not self._is_shown(links, kind, kind.table, row, name, lambda row: self._is_there(kind, outbox, row)):
                yield UnprovenPush(kind, name, row["id"], name)
        if isinstance(kind, PricedKind):
            for row in self._pushed(kind, "pushed_file_ids", "pushed_files"):
                file, label = cleaned(row["file_name"]), kind.called(row["number"], row["document_id"])
                name = f"{file} of {label}"
                if not self._is_shown(links, kind, FILES, row, name, lambda row: self._is_attached(kind, row)):
                    yield UnprovenPush(kind, name, row["document_id"], label, file)

    def _pushed(self, kind: Kind, of_ids: str, of_rows: str) -> Iterator[dict[str, Any]]:
        """Rows of the statement `of_rows`, some at a time, of the ids that the statement `of_ids` finds."""
        names = {
            "table": Identifier("qicworks", kind.table),
            "label": Identifier(kind.label_column),
        }
        asked = {"organisation_id": self.connection.organisation_id, "parent": kind.table}
        found = self.session.execute(sql.template("reconcile", of_ids).format(**names), asked).fetchall()
        statement = sql.template("reconcile", of_rows).format(**names)
        for start in range(0, len(found), BATCH_SIZE):
            ids = [row["id"] for row in found[start : start + BATCH_SIZE]]
            yield from self.session.execute(statement, {"ids": ids}).fetchall()

    def _is_shown(
        self, links: Links, kind: Kind, table: str, row: Row, name: str, is_there: Callable[[Row], bool]
    ) -> bool:
        """Whether the seal proves it, or the record in Xero; then it gets a seal."""
        link = Link(row["xero_id"], row["version"])
        if link in links.holding(table, row["id"], row["links"]):
            return True
        if row["xero_id"] is None or self.looked_at >= MAX_RECORDS_LOOKED_UP:
            return False
        self.looked_at += 1
        try:
            if not is_there(row):
                return False
        except (Refused, NotAvailable, BadAnswer, Disconnected) as error:
            if isinstance(error, Disconnected) and not kind.payroll:
                raise
            log.info("%s cannot be looked at in Xero: %s", name, error.message)
            return False
        links.keep(self.session, table, {row["id"]: link})
        return True

    def _is_there(self, kind: Kind, outbox: Outbox, row: Row) -> bool:
        """Whether its record is in Xero, with all the content that identifies one of its kind."""
        if isinstance(kind, PricedKind):
            return self._is_document(kind, outbox, row)
        return kind.delivery is Delivery.LEAVE and self._is_leave(row)

    def _is_attached(self, kind: PricedKind, row: Row) -> bool:
        """Whether the document has a file of that name and size in Xero."""
        data = self.client.get(f"{kind.path}/{row['document_xero_id']}/Attachments").data
        return (row["file_name"].casefold(), row["size"]) in {
            (str(file.get("FileName")).casefold(), file.get("ContentLength"))
            for file in wire.objects(listed(data, "Attachments"))
        }

    def _is_document(self, kind: PricedKind, outbox: Outbox, row: Row) -> bool:
        for document in outbox.read_priced([row["id"]]):
            if document.xero_id != row["xero_id"] or plan.blocking_results(kind, document):
                return False
            record = plan.fetch_one(self.client, kind, row["xero_id"])
            return (
                isinstance(record, Mapping)
                and kind.likeness(kind.identity(document), record) is Likeness.SAME
                and same_content(kind, document, record)
                and not outbox.claims(document.id, [row["xero_id"]])
            )
        return False

    def _is_leave(self, row: Row) -> bool:
        for document in LeaveOutbox(self.session, self.connection).read([row["id"]]):
            record = leave_applications.fetch_leave(self.client, row["xero_id"])
            known_by = identity(document)
            return leave_applications.is_ours(known_by, record) and leave_applications.is_alike(known_by, record)
        return False
