"""How an organisation works."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("connection_settings")


class Conflicts(StrEnum):
    """What becomes of a document that somebody changed in Xero after it was pushed."""

    ASK = "ask"
    QICWORKS = "qicworks"  # Xero's changes are overwritten
    XERO = "xero"  # QicWorks takes them over


@dataclass(frozen=True)
class ConnectionSettings:
    """The settings of one connection; the defaults where none were made."""

    conflicts: Conflicts = Conflicts.ASK


def read(session: Session, connection_id: UUID) -> ConnectionSettings:
    for row in QUERIES.settings(session, connection_id=connection_id):
        return ConnectionSettings(Conflicts(row["conflicts"]))
    return ConnectionSettings()
