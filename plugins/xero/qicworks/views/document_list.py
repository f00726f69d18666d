"""The documents of a kind as a person looks for them: by state, organisation and the beginning of their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from xero.documents.declaration import Delivery, Kind
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.views.position import Position

QUERIES = sql.Statements("pages/documents")

STATES = ("draft", "ready", "in_flight", "failed", "pushed", "skipped")
CAP = 1000  # so many of a state are counted; CAP + 1 means more

#: Delivery → the parts of a statement: what is shown, joined and searched for documents that travel so.
PARTS = {
    Delivery.BATCH: {"columns": "priced_columns", "joins": "priced_joins", "matches": "priced_matches"},
    Delivery.CONTACTS: {"columns": "contact_columns", "joins": "contact_joins", "matches": "contact_matches"},
    Delivery.PAY_TEMPLATE: {"columns": "pay_columns", "joins": "pay_joins", "matches": "staff_matches"},
    Delivery.LEAVE: {"columns": "leave_columns", "joins": "leave_joins", "matches": "staff_matches"},
}


class DocumentPosition(Position):
    """Of a document, by when it was created."""

    read_id = UUID


def page(
    session: Session,
    kind: Kind,
    states: Iterable[str] | None = None,
    organisation_id: UUID | None = None,
    text: str = "",
    before: DocumentPosition | None = None,
    limit: int = 50,
    *,
    differing: bool = False,
    cancelling: bool = False,
) -> tuple[list[dict[str, Any]], DocumentPosition | None]:
    """The next documents after that place, newest first, and where they end, None if there are no more. `states`
    None: all. `text` is the beginning of a number; of pay and leave, of a last or a full name. `differing`: only those
    with an open difference, in any state. `cancelling`: also those whose cancellation waits, in any state.

    `differs`: it has an open difference. `cancelling`: the next push takes it back in Xero.
    `who`: the contact, or the employee. `starts_on` and `ends_on`: issue and due date, period, or days of leave, as
    texts, for PostgreSQL knows dates that Python does not.
    `waits_for`: what pay or leave lacks to be pushed. `row`: all columns of a document with prices; `own_contact_id`:
    its contact, if that is pushed, too.
    """
    values = {
        "states": list(STATES if states is None else states),
        "organisation_id": organisation_id,
        "beginning": _beginning(text),
        "before_at": before.at if before else None,
        "before_id": before.id if before else None,
        "cancelling": cancelling,
        "limit": limit + 1,
    }
    newest = sql.template("pages/documents", "newest_differing" if differing else "newest").format(
        table=Identifier(kind.table), matches=_part(kind, "matches")
    )
    rows = _shown(session, kind, newest, values)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], DocumentPosition(rows[limit - 1]["created_at"], rows[limit - 1]["id"])


def one(session: Session, kind: Kind, id: UUID) -> dict[str, Any]:
    """With the columns of `page`. LookupError if there is none."""
    for row in some(session, kind, [id]):
        return row
    raise LookupError(f"there is no {kind.word} {id}")


def some(session: Session, kind: Kind, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Those of these ids that there are, newest first, with the columns of `page`."""
    return _shown(session, kind, sql.template("pages/documents", "of_ids").format(), {"ids": list(ids)})


def attachments(session: Session, kind: Kind, id: UUID) -> list[dict[str, Any]]:
    """Of a document, oldest first, without their content."""
    return list(QUERIES.attachments(session, table=kind.table, id=id))


def defaulted_lines(session: Session, kind: Kind, id: UUID) -> list[dict[str, Any]]:
    """Lines that were last sent with an account or tax code of the settings."""
    return list(QUERIES.defaulted_lines(session, table=kind.table, id=id))


def _shown(session: Session, kind: Kind, found: Composed, values: dict[str, Any]) -> list[dict[str, Any]]:
    parts = {"columns": _part(kind, "columns"), "joins": _part(kind, "joins")}
    statement = sql.template("pages/documents", "shown").format(found=found, table=Identifier(kind.table), **parts)
    return session.execute(statement, {**values, "table": kind.table, "kind": kind.name}).fetchall()


def _part(kind: Kind, name: str) -> SQL:
    return sql.template("pages/documents", PARTS[kind.delivery][name])


def counts(
    session: Session,
    kinds: Iterable[Kind],
    organisation_id: UUID | None = None,
    states: Sequence[str] = STATES,
) -> dict[str, dict[str, int]]:
    """Kind → state → how many, at most CAP + 1."""
    values = {"states": list(states), "organisation_id": organisation_id, "cap": CAP + 1}
    counted = sql.template("pages/documents", "count_by_state")
    return {
        kind.name: {
            row["state"]: row["count"] for row in session.execute(counted.format(table=Identifier(kind.table)), values)
        }
        for kind in kinds
    }


def count_differing(session: Session, kind: Kind, organisation_id: UUID | None = None) -> int:
    """How many documents of that kind have an open difference."""
    statement = sql.template("pages/documents", "count_differing").format(table=Identifier(kind.table))
    found: int = sql.value(session, statement, kind=kind.name, organisation_id=organisation_id)
    return found


def count_cancelling(session: Session, kind: Kind, organisation_id: UUID | None = None) -> dict[str, int]:
    """How many cancellations of that kind wait, and how many of these are of documents that QicWorks has deleted."""
    statement = sql.template("pages/documents", "count_cancelling").format(table=Identifier(kind.table))
    values = {"table": kind.table, "organisation_id": organisation_id}
    found: dict[str, int] | None = session.execute(statement, values).fetchone()
    assert found is not None
    return found


def _beginning(text: str) -> str | None:
    """As LIKE takes it."""
    text = text.strip().lower()
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return f"{text}%" if text else None
