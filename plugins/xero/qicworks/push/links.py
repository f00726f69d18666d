"""Links of documents with their records in Xero. Only a sealed link is trusted, not the `xero_id` of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session

OUTBOX = sql.Statements("push/outbox")
DOCUMENTS = sql.Statements("push/documents")


@dataclass(frozen=True)
class Link:
    """The record that a document is in Xero. `version`: the version that was pushed; None if only the record is known.

    Pay is not a record in Xero, so it has no `xero_id`."""

    xero_id: UUID | None
    version: int | None = None


NOTHING = Link(None)  # sealed when a link is undone: what was sealed before it no longer counts


def current(links: Sequence[Link]) -> UUID | None:
    """The record that a document is: by its newest link, because it may have been created again."""
    return next((link.xero_id for link in links if link.xero_id), None)


@dataclass(frozen=True)
class Claim:
    """Another document whose row has the id of a Xero record. `sealed`: its link to that record is sealed."""

    document: str  # in words
    sealed: bool


class Links:
    """The links of one connection. Without `seals` only links from before there were seals are known."""

    def __init__(self, connection: Connection, seals: Seals | None) -> None:
        self._connection = connection
        self._seals = seals

    def holding(self, table: str, id: UUID, said: Sequence[Mapping[str, Any]] | None) -> tuple[Link, ...]:
        """The valid links among the rows of `xero_sync.link_said` for a document, newest first, since they were undone.

        Seals are exact to the second; within one, the link that was written last is the newest."""
        newest = self._newest_first(table, id, said)
        return tuple(newest[: newest.index(NOTHING)] if NOTHING in newest else newest)

    def are_undone(self, table: str, id: UUID, said: Sequence[Mapping[str, Any]] | None) -> bool:
        """Whether a person has undone what a document was linked to, and it was not linked since."""
        return self._newest_first(table, id, said)[:1] == [NOTHING]

    def _newest_first(self, table: str, id: UUID, said: Sequence[Mapping[str, Any]] | None) -> list[Link]:
        found = []
        for place, one in enumerate(said or ()):
            link = Link(UUID(one["xero_id"]) if one["xero_id"] else None, one["version"])
            if at := self._since(table, id, link, one):
                found.append((at, place, link))
        return [link for *_, link in sorted(found, key=lambda one: one[:2], reverse=True)]

    def _since(self, table: str, id: UUID, link: Link, said: Mapping[str, Any]) -> datetime | None:
        """When it was sealed, or vouched for; None if it is not valid."""
        if said["seal"] is None:
            its = said["tenant_id"] == self._connection.tenant_id
            return datetime.fromtimestamp(float(said["vouched_at"]), UTC) if its else None
        if self._seals is None:
            return None
        return self._seals.made_at(bytes.fromhex(said["seal"]), self._facts(table, id, link))

    def keep(self, session: Session, table: str, links: Mapping[UUID, Link]) -> None:
        """Seals the new links of these documents, in the transaction that records their results."""
        if not links:
            return
        assert self._seals, "only who may seal may link"
        now = datetime.now(UTC)
        OUTBOX.keep_links(
            session,
            connection_id=self._connection.id,
            ids=list(links),
            xero_ids=[link.xero_id for link in links.values()],
            versions=[link.version for link in links.values()],
            seals=[self._seals.seal(self._facts(table, id, link), now) for id, link in links.items()],
        )

    def claims(self, session: Session, id: UUID, xero_ids: Sequence[UUID]) -> dict[UUID, Claim]:
        """Which of these records another QicWorks document is linked to; a sealed link goes before others."""
        asked = {"organisation_id": self._connection.organisation_id, "xero_ids": list(xero_ids), "id": id}
        found: dict[UUID, Claim] = {}
        for row in DOCUMENTS.claims(session, **asked):
            links = self.holding(row["kept_in"], row["id"], row["links"])
            sealed = current(links) == row["xero_id"]
            if sealed or row["xero_id"] not in found:
                found[row["xero_id"]] = Claim(f"{row['kept_in'].replace('_', ' ')} {row['number']}", sealed)
        return found

    def _facts(self, table: str, id: UUID, link: Link) -> dict[str, Any]:
        return {
            "table": "xero_sync.document_link",
            "of": table,
            "document": str(id),
            "tenant": self._connection.tenant_id,
            "xero_id": str(link.xero_id) if link.xero_id else None,
            "version": link.version,
        }
