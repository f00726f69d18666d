"""Pairs that may be the same person or firm, as the last pull found them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("links")


class What(StrEnum):
    """Of which table of QicWorks a link is."""

    STAFF = "staff"
    CONTACT = "contact"


@dataclass(frozen=True)
class Candidate:
    """A pair. `alike`: in what. `likely`: each is all that the other may be, and nothing contradicts."""

    own_id: UUID
    xero_id: UUID
    alike: Sequence[str]
    likely: bool


def replace(session: Session, connection_id: UUID, what: What, found: Sequence[Candidate]) -> None:
    """Keeps these pairs instead of those of the pull before."""
    QUERIES.replace(
        session,
        connection_id=connection_id,
        what=what,
        own_ids=[one.own_id for one in found],
        xero_ids=[one.xero_id for one in found],
        alike=[",".join(one.alike) for one in found],
        likely=[one.likely for one in found],
    )


def apart(session: Session, connection_id: UUID, what: What) -> frozenset[tuple[UUID, UUID]]:
    """Pairs that are not the same, as a user has said: QicWorks' id and Xero's."""
    rows = QUERIES.apart(session, connection_id=connection_id, what=what)
    return frozenset((row["own_id"], row["xero_id"]) for row in rows)


def undone(session: Session, connection_id: UUID, what: What) -> set[UUID]:
    """Records of Xero's whose link was undone, and about which nobody has decided since."""
    return {row["xero_id"] for row in QUERIES.undone(session, connection_id=connection_id, what=what)}
