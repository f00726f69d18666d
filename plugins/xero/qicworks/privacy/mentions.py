"""Finds mentions of a person in free text: in events, in messages about documents, as approver."""

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
from xero.qicworks.privacy.name_finder import NameFinder
from xero.qicworks.privacy.people import Holding, Person, names_of, person_tables

QUERIES = sql.Statements("people")
Row = dict[str, Any]


@dataclass(frozen=True)
class Mention:
    """A row that mentions a person: its key, the row, and by column the text as it is and without the person."""

    table: str  # with its schema
    key: dict[str, Any]
    row: Row
    texts: dict[str, tuple[str, str]]


def kinds_of(session: Session, table: Table) -> list[tuple[Kind, str]]:
    """The kinds of documents that are addressed to persons of this table, or are such persons themselves, each with the
    column that names them."""
    columns = {row["name"]: row["column"] for row in QUERIES.tables_pointing_to(session, name=table.name)}
    columns[table.name] = "id"
    return [(kind, columns[kind.table]) for kind in KINDS.values() if kind.table in columns]


def name_finder(session: Session, person: Person) -> NameFinder:
    """Returns the finder of this person, who may share names with others of the organisation."""
    alone = NameFinder(person.table.name, person.names, person.emails)
    about = {"organisation_id": person.organisation_id, "id": person.id, "search_terms": alone.search_terms}
    others = {row["name"] for row in QUERIES.organisations(session, organisation_id=person.organisation_id)}
    for table in person_tables().values():
        statement = sql.template("people", "similar_names").format(table=Identifier("qicworks", table.name))
        for row in session.execute(statement, about).fetchall():
            others |= names_of(row["record"])
    return NameFinder(person.table.name, person.names, person.emails, others)


def find_mentions(session: Session, person: Person, known: NameFinder) -> Iterator[Mention]:
    """Yields the mentions in messages about documents, in events, differences and the status of data sets."""
    documents: set[UUID] = set()
    labels: set[str] = set()
    for kind, column in kinds_of(session, person.table) if person.id else []:
        names = {"table": Identifier("qicworks", kind.table), "column": Identifier(column)}
        about = {"word": kind.word, "organisation_id": person.organisation_id, "id": person.id}
        ids, labelled = (sql.template("people", name).format(**names) for name in ("document_ids", "labels"))
        documents |= {row["id"] for row in session.execute(ids, about).fetchall()}
        labels |= {row["label"] for row in session.execute(labelled, about).fetchall()}
    search = {"search_terms": known.search_terms, "emails": sorted(known.emails)}
    parts = {row["name"] for row in QUERIES.tables_with_column(session, column="parent_id")}
    for one in list(QUERIES.tables_with_column(session, column="push_error")):
        names = {
            "table": Identifier("qicworks", one["name"]),
            "owner": Identifier("parent_id" if one["name"] in parts else "id"),
        }
        statement = sql.template("people", "mentioned").format(**names)
        rows = session.execute(statement, {"organisation_id": person.organisation_id, **search}).fetchall()
        for row in rows:
            theirs = row.pop("document_id") in documents
            yield from _mention(
                known, f"qicworks.{one['name']}", ("id",), row, ("push_error", "push_correction"), theirs
            )
    about = {"organisation_id": person.organisation_id, "connection_id": person.connection_id}
    for connection in list(QUERIES.connections_of(session, **about)):
        of_it = {"connection_id": connection["id"], **search}
        for row in list(QUERIES.events_mentioning(session, **of_it)):
            theirs = row["document"] in labels and row["direction"] == "push"
            texts = ("message", "correction")
            yield from _mention(known, "xero_sync.connection_event", ("id",), row, texts, theirs, labels=("document",))
        for row in list(QUERIES.statuses_mentioning(session, **of_it)):
            key = ("connection_id", "direction", "data_set")
            yield from _mention(known, "xero_sync.standing", key, row, ("last_message", "last_correction"), False)
        for row in list(QUERIES.differences_mentioning(session, **of_it)):
            theirs = row["document_id"] in documents
            texts = ("ours", "theirs")
            yield from _mention(known, "xero_sync.difference", ("id",), row, texts, theirs, labels=("label",))


def _mention(
    known: NameFinder,
    table: str,
    key: tuple[str, ...],
    row: Row,
    texts: tuple[str, ...],
    theirs: bool,
    labels: tuple[str, ...] = (),
) -> Iterator[Mention]:
    """Yields the row if it mentions the person. `labels` are columns with a document's name, not text about it."""
    without = {name: known.without(row[name], theirs=theirs) for name in texts}
    without |= {name: known.without(row[name]) for name in labels}
    changed = {name: (row[name], text) for name, text in without.items() if text is not None and text != row[name]}
    if changed:
        yield Mention(table, {name: row[name] for name in key}, row, changed)


def holdings(session: Session, person: Person) -> Iterator[Holding]:
    """Yields the records they approved under their full name or email, and the events that mention them."""
    known = name_finder(session, person)
    for one in list(QUERIES.tables_with_column(session, column="approved_by")):
        statement = sql.template("people", "approved").format(table=Identifier("qicworks", one["name"]))
        rows = [
            row
            for row in session.execute(statement, {"organisation_id": person.organisation_id}).fetchall()
            if known.without(row["approved_by"]) != row["approved_by"]
        ]
        yield Holding(f"qicworks.{one['name']}", f"approved by them, {person.organisation}", "own", rows)
    found = list(find_mentions(session, person, known))
    for table, where in (
        ("xero_sync.connection_event", "mentioned in the event of a pull or a push"),
        ("xero_sync.difference", "mentioned where QicWorks and Xero differ"),
    ):
        yield Holding(table, where, "process", [one.row for one in found if one.table == table])
