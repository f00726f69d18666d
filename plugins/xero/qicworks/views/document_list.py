"""The documents of a kind as a person looks for them: by state, organisation and the beginning of their number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from xero.documents.declaration import Delivery, Kind
from xero.qicworks.database import Session
from xero.qicworks.views.position import Position

STATES = ("draft", "ready", "in_flight", "failed", "pushed", "skipped")
CAP = 1000  # so many of a state are counted; CAP + 1 means more

# The newest of each state, and of those the newest: each by the index of its state.
FOUND = SQL(
    """
    SELECT document.id
      FROM unnest(%(states)s::text[]) AS state
     CROSS JOIN LATERAL (SELECT id, created_at FROM qicworks.{table}
                          WHERE push_state = state
                            AND (%(organisation_id)s::uuid IS NULL OR organisation_id = %(organisation_id)s)
                            AND (%(beginning)s::text IS NULL OR {matches})
                            AND (%(before_at)s::timestamptz IS NULL
                                 OR (created_at, id) < (%(before_at)s, %(before_id)s::uuid))
                          ORDER BY created_at DESC, id DESC
                          LIMIT %(limit)s) AS document
     ORDER BY document.created_at DESC, document.id DESC
     LIMIT %(limit)s
    """
)
SHOWN = SQL(
    """
    WITH found AS ({found})
    SELECT document.id, document.organisation_id, organisation.name AS organisation, connection.id AS connection_id,
           connection.tenant_id, connection.tenant_name, document.push_state, document.push_version, document.xero_id,
           document.xero_status, document.pushed_at, document.push_error, document.push_correction,
           document.created_at, document.updated_at, {columns},
           (SELECT count(*) FROM qicworks.attachment
             WHERE parent_type = %(table)s AND parent_id = document.id AND push_state = 'failed') AS attachments_failed
      FROM found
      JOIN qicworks.{table} AS document ON document.id = found.id
      JOIN qicworks.organisation ON organisation.id = document.organisation_id
      LEFT JOIN xero_sync.connection
        ON connection.organisation_id = document.organisation_id AND connection.state <> 'deleted'
      {joins}
     ORDER BY document.created_at DESC, document.id DESC
    """
)
COUNTED = SQL(
    """
    SELECT state,
           (SELECT count(*)
              FROM (SELECT FROM qicworks.{table}
                     WHERE push_state = state
                       AND (%(organisation_id)s::uuid IS NULL OR organisation_id = %(organisation_id)s)
                     LIMIT %(cap)s) AS counted) AS count
      FROM unnest(%(states)s::text[]) AS state
    """
)

ATTACHED = """
    SELECT file_name, mime_type, octet_length(content) AS size, push_state, pushed_at, push_error, push_correction
      FROM qicworks.attachment
     WHERE parent_type = %(table)s AND parent_id = %(id)s
     ORDER BY created_at, id
"""


@dataclass(frozen=True)
class Look:
    """What a kind's documents are known by to a person: what is joined, shown and searched."""

    columns: SQL
    joins: SQL
    matches: SQL


OF_STAFF = SQL(
    """staff_id IN (SELECT id FROM qicworks.staff
                     WHERE lower(last_name) LIKE %(beginning)s
                        OR lower(first_name || ' ' || last_name) LIKE %(beginning)s)"""
)
LOOKS = {
    Delivery.BATCH: Look(
        columns=SQL(
            """document.number, contact.name AS who,
               document.issue_date::text AS starts_on, document.due_date::text AS ends_on,
               document.total, document.currency, NULL AS waits_for, to_jsonb(document) AS row"""
        ),
        joins=SQL("LEFT JOIN qicworks.contact ON contact.id = document.contact_id"),
        matches=SQL("lower(number) LIKE %(beginning)s"),
    ),
    Delivery.PAY_TEMPLATE: Look(
        columns=SQL(
            """NULL AS number, staff.first_name || ' ' || staff.last_name AS who, period.start_date::text AS starts_on,
               period.end_date::text AS ends_on, NULL AS total, NULL AS currency,
               CASE WHEN document.push_state NOT IN ('draft', 'ready') THEN NULL
                    WHEN period.approved_at IS NULL THEN 'the pay period is not approved'
                    WHEN document.approved_version IS NULL THEN 'it is not approved'
                    WHEN document.approved_version <> document.push_version THEN 'it was changed after it was approved'
                END AS waits_for"""
        ),
        joins=SQL(
            """JOIN qicworks.pay_period AS period ON period.id = document.pay_period_id
               JOIN qicworks.staff ON staff.id = document.staff_id"""
        ),
        matches=OF_STAFF,
    ),
    Delivery.LEAVE: Look(
        columns=SQL(
            """NULL AS number, staff.first_name || ' ' || staff.last_name AS who,
               document.start_date::text AS starts_on, document.end_date::text AS ends_on,
               NULL AS total, NULL AS currency,
               CASE WHEN document.push_state NOT IN ('draft', 'ready') THEN NULL
                    WHEN document.status <> 'Approved' THEN 'it is ' || lower(document.status) || ', not approved'
                    WHEN document.approved_version IS DISTINCT FROM document.push_version
                    THEN 'it was changed after it was approved'
                END AS waits_for"""
        ),
        joins=SQL("JOIN qicworks.staff ON staff.id = document.staff_id"),
        matches=OF_STAFF,
    ),
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
) -> tuple[list[dict[str, Any]], DocumentPosition | None]:
    """The next documents after that place, newest first, and where they end, None if there are no more. `states`
    None: all. `text` is the beginning of a number; of pay and leave, of a last or a full name.

    `who`: the contact, or the employee. `starts_on` and `ends_on`: issue and due date, period, or days of leave, as
    texts, for PostgreSQL knows dates that Python does not.
    `waits_for`: what pay or leave lacks to be pushed. `row`: all columns of a document with prices.
    """
    values = {
        "states": list(STATES if states is None else states),
        "organisation_id": organisation_id,
        "beginning": _beginning(text),
        "before_at": before.at if before else None,
        "before_id": before.id if before else None,
        "limit": limit + 1,
    }
    matches = LOOKS[kind.delivery].matches
    rows = _shown(session, kind, FOUND.format(table=Identifier(kind.table), matches=matches), values)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], DocumentPosition(rows[limit - 1]["created_at"], rows[limit - 1]["id"])


def one(session: Session, kind: Kind, id: UUID) -> dict[str, Any]:
    """With the columns of `page`. LookupError if there is none."""
    for row in _shown(session, kind, Composed([SQL("SELECT %(id)s::uuid AS id")]), {"id": id}):
        return row
    raise LookupError(f"there is no {kind.word} {id}")


def some(session: Session, kind: Kind, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Those of these ids that there are, newest first, with the columns of `page`."""
    return _shown(session, kind, Composed([SQL("SELECT unnest(%(ids)s::uuid[]) AS id")]), {"ids": list(ids)})


def attachments(session: Session, kind: Kind, id: UUID) -> list[dict[str, Any]]:
    """Of a document, oldest first, without their content."""
    return session.execute(ATTACHED, {"table": kind.table, "id": id}).fetchall()


def _shown(session: Session, kind: Kind, found: Composed, values: dict[str, Any]) -> list[dict[str, Any]]:
    look = LOOKS[kind.delivery]
    statement = SHOWN.format(found=found, table=Identifier(kind.table), columns=look.columns, joins=look.joins)
    return session.execute(statement, {**values, "table": kind.table}).fetchall()


def counts(
    session: Session,
    kinds: Iterable[Kind],
    organisation_id: UUID | None = None,
    states: Sequence[str] = STATES,
) -> dict[str, dict[str, int]]:
    """Kind → state → how many, at most CAP + 1."""
    values = {"states": list(states), "organisation_id": organisation_id, "cap": CAP + 1}
    return {
        kind.name: {
            row["state"]: row["count"] for row in session.execute(COUNTED.format(table=Identifier(kind.table)), values)
        }
        for kind in kinds
    }


def _beginning(text: str) -> str | None:
    """As LIKE takes it."""
    text = text.strip().lower()
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return f"{text}%" if text else None
