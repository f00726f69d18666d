"""Departments of QicWorks' that have no option in the tracking category of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.connect import settings
from xero.qicworks.connect.offers import Offer, Offers, Thing
from xero.qicworks.database import Session

QUERIES = sql.Statements("settings")


@dataclass(frozen=True)
class LackingDepartment:
    """`documents`: how many that are still to be sent have it."""

    name: str
    documents: int


def category(session: Session, connection_id: UUID, offers: Offers | None = None) -> Offer | None:
    """The tracking category of the settings; None: none is chosen, or it is archived."""
    chosen = settings.read(session, connection_id).departments
    found = (offers or Offers(session, connection_id)).get(Thing.CATEGORY, chosen) if chosen else None
    return found if found and not found.misfit else None


def lacking(session: Session, connection_id: UUID, offers: Offers | None = None) -> list[LackingDepartment]:
    """In the order of their names; none without a category in which they could be created."""
    if category(session, connection_id, offers) is None:
        return []
    rows = QUERIES.lacking_departments(session, connection_id=connection_id)
    return [LackingDepartment(row["name"], row["documents"]) for row in rows]
