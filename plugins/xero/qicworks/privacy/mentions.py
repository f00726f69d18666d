"""What is said of a person in words: in events, of documents, as who approved. Found by `Wording`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.datasets.declaration import Table
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.privacy.name_finder import Wording
from xero.qicworks.privacy.people import Holding, Person, names_of, person_tables

QUERIES = sql.Statements("people")
Row = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A row whose words name somebody: its key, the row, and each such text as it is and without them."""

    table: str  # with its schema
    key: dict[str, Any]
    row: Row
    texts: dict[str, tuple[str, str]]


def kinds_of(session: Session, table: Table) -> list[tuple[Kind, str]]:
    """The kinds of documents that are made out to such a person, and by which column."""
    columns = {row["name"]: row["column"] for row in QUERIES.referring(session, name=table.name)}
    return [(kind, columns[kind.table]) for kind in KINDS.values() if kind.table in columns]


def wording(session: Session, person: Person) -> Wording:
    """How they are known in words, beside whoever and whatever of their organisation has such a name."""
    alone = Wording(person.table.name, person.names, person.emails)
    about = {"organisation_id": person.organisation_id, "id": person.id, "needles": alone.needles}
    others = {row["name"] for row in QUERIES.organisations(session, organisation_id=person.organisation_id)}
    for table in person_tables().values():
        statement = sql.template("people", "similar_names").format(table=Identifier("qicworks", table.name))
        for row in session.execute(statement, about).fetchall():
            others |= names_of(row["record"])
    return Wording(person.table.name, person.names, person.emails, others)


def said(session: Session, person: Person, known: Wording) -> Iterator[Said]:
    """Of documents, and of what passed between QicWorks and Xero."""
    documents: set[UUID] = set()
    labels: set[str] = set()
    for kind, column in kinds_of(session, person.table) if person.id else []:
        names = {"table": Identifier("qicworks", kind.table), "column": Identifier(column)}
        about = {"word": kind.word, "organisation_id": person.organisation_id, "id": person.id}
        ids, labelled = (sql.template("people", name).format(**names) for name in ("document_ids", "labels"))
        documents |= {row["id"] for row in session.execute(ids, about).fetchall()}
        labels |= {row["label"] for row in session.execute(labelled, about).fetchall()}
    search = {"needles": known.needles, "emails": sorted(known.emails)}
    parts = {row["name"] for row in QUERIES.having(session, column="parent_id")}
    for one in list(QUERIES.having(session, column="push_error")):
        names = {
            "table": Identifier("qicworks", one["name"]),
            "owner": Identifier("parent_id" if one["name"] in parts else "id"),
        }
        statement = sql.template("people", "mentioned").format(**names)
        rows = session.execute(statement, {"organisation_id": person.organisation_id, **search}).fetchall()
        for row in rows:
            theirs = row.pop("document_id") in documents
            yield from _said(known, f"qicworks.{one['name']}", ("id",), row, ("push_error", "push_correction"), theirs)
    if person.connection_id:
        for row in list(QUERIES.told(session, connection_id=person.connection_id, **search)):
            theirs = row["document"] in labels and row["direction"] == "push"
            texts = ("message", "correction")
            yield from _said(known, "xero_sync.connection_event", ("id",), row, texts, theirs, anyhow=("document",))
        for row in list(QUERIES.standing(session, connection_id=person.connection_id, **search)):
            key = ("connection_id", "direction", "data_set")
            yield from _said(known, "xero_sync.standing", key, row, ("last_message", "last_correction"), False)


def _said(
    known: Wording,
    table: str,
    key: tuple[str, ...],
    row: Row,
    texts: tuple[str, ...],
    theirs: bool,
    anyhow: tuple[str, ...] = (),
) -> Iterator[Said]:
    """`anyhow`: texts that are never about a document, but its name."""
    without = {name: known.without(row[name], theirs=theirs) for name in texts}
    without |= {name: known.without(row[name]) for name in anyhow}
    changed = {name: (row[name], text) for name, text in without.items() if text is not None and text != row[name]}
    if changed:
        yield Said(table, {name: row[name] for name in key}, row, changed)


def holdings(session: Session, person: Person) -> Iterator[Holding]:
    """What they approved under their full name or e-mail, and the events that name them."""
    known = wording(session, person)
    for one in list(QUERIES.having(session, column="approved_by")):
        statement = sql.template("people", "approved").format(table=Identifier("qicworks", one["name"]))
        rows = [
            row
            for row in session.execute(statement, {"organisation_id": person.organisation_id}).fetchall()
            if known.without(row["approved_by"]) != row["approved_by"]
        ]
        yield Holding(f"qicworks.{one['name']}", f"approved by them, {person.organisation}", "own", rows)
    events = [one.row for one in said(session, person, known) if one.table == "xero_sync.connection_event"]
    yield Holding("xero_sync.connection_event", "said of a pull or a push", "process", events)
