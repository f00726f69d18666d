"""Finds persons in QicWorks' tables by id or email, and everything that is stored about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import Identifier

from xero.datasets.declaration import Table
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.privacy.name_finder import ERASED
from xero.qicworks.pull.staging import stage_table

QUERIES = sql.Statements("people")
Row = dict[str, Any]


@dataclass
class Person:
    """A person in one of the tables whose rows are persons, of one organisation.

    `id` is None if they were never loaded, `connection_id` if they are QicWorks' own and not linked; `keys` are those
    of their rejections, in lower case.
    """

    table: Table
    organisation_id: UUID
    organisation: str
    connection_id: UUID | None
    xero_id: str | None
    id: UUID | None = None
    names: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Holding:
    """Rows of one table that are about a person.

    `why`: copy (of what Xero has), own (QicWorks' record, which stays), process (how it came, or why it did not).
    """

    table: str  # with its schema
    provenance: str
    why: Literal["copy", "own", "process"]
    rows: list[Row]


def person_tables() -> dict[str, Table]:
    """The declared tables whose rows are persons, by name."""
    return {table.name: table for dataset in DATASETS.values() for table in dataset.tables if table.is_person}


def part_tables() -> dict[str, Table]:
    """The declared tables whose rows belong to a record of another table, perhaps to a person, by name."""
    return {table.name: table for dataset in DATASETS.values() for table in dataset.tables if table.owner_key}


def find(
    session: Session,
    *,
    table: str | None = None,
    id: str = "",
    email: str = "",
    organisation: str | None = None,
    aside: list[str] | None = None,
) -> list[Person]:
    """Finds persons by id (QicWorks' or Xero's) or email in the tables, among rejections and in staging.

    A record that was not loaded may have the email while the person's row has not. It is found by its id only; a search
    by email adds a sentence about it to `aside`.
    """
    found: dict[tuple[Any, ...], Person] = {}
    asked = {"id": id, "email": email.strip().lower()}
    for one in person_tables().values():
        if table not in (None, one.name):
            continue
        names = {"held": Identifier("qicworks", one.name), "stage": stage_table(one), "key": Identifier(one.key)}
        for row in session.execute(sql.template("people", "held_of").format(**names), asked).fetchall():
            _note(found, one, row, row, row["id"], str(row[one.key]) if row[one.key] else None)
        rejected = list(QUERIES.rejected(session, table_name=one.name, **asked))
        for row in rejected + session.execute(sql.template("people", "staged_of").format(**names), asked).fetchall():
            key = (row["key"] or "").lower()
            if key != id.lower() and _is_another(session, one, row["connection_id"], key, asked["email"]):
                if aside is not None:
                    sentence = (
                        f"{one.name} {key} of {row['organisation']} is stored without this email, so it is not included"
                    )
                    aside.append(sentence)
                continue
            known = _note(found, one, row, row["record"], None, None if " " in key else key)
            known.keys.add(key)
    for person in list(found.values()):
        _note_other_rows(session, found, person)
    return [one for one in found.values() if organisation in (None, one.organisation)]


def _note_other_rows(session: Session, found: dict[tuple[Any, ...], Person], person: Person) -> None:
    """A record may have two rows: one that was pulled, and QicWorks' own that was linked to it. Both are the person."""
    if not person.xero_id:
        return
    names = {"held": Identifier("qicworks", person.table.name), "key": Identifier(person.table.key)}
    about = {"organisation_id": person.organisation_id, "xero_id": person.xero_id}
    for row in session.execute(sql.template("people", "rows_of_record").format(**names), about).fetchall():
        _note(found, person.table, row, row, row["id"], person.xero_id)


def _is_another(session: Session, table: Table, connection_id: UUID, key: str, email: str) -> bool:
    names = {"held": Identifier("qicworks", table.name), "key": Identifier(table.key)}
    about = {"connection_id": connection_id, "xero_id": key}
    own = session.execute(sql.template("people", "held_by_key").format(**names), about).fetchone()
    emails = {str(value).strip().lower() for name, value in (own or {}).items() if name.endswith("email")}
    return own is not None and email not in emails


def _note(
    found: dict[tuple[Any, ...], Person], table: Table, row: Row, record: Row, id: UUID | None, xero_id: str | None
) -> Person:
    key = (table.name, row["connection_id"], (xero_id or "").lower() or id)
    person = found.setdefault(
        key if id is None or (known := found.get(key)) is None or known.id in (None, id) else (*key, id),
        Person(
            table,
            row["organisation_id"],
            row["organisation"],
            row["connection_id"],
            xero_id.lower() if xero_id else None,
        ),
    )
    person.id = person.id or id
    if person.xero_id:
        person.keys.add(person.xero_id)
    person.names |= names_of(record)
    person.emails |= {str(value).strip() for name, value in record.items() if value and name.endswith("email")}
    return person


def names_of(record: Row) -> set[str]:
    """The names of a record's person; none if they were erased."""
    texts = {name: " ".join(str(record.get(name) or "").split()) for name in ("name", "first_name", "last_name")}
    both = f"{texts['first_name']} {texts['last_name']}".strip()
    return {texts["name"], both} - {"", ERASED, f"{ERASED} {ERASED}"}


def holdings(session: Session, person: Person) -> Iterator[Holding]:
    """Yields everything stored about them except mentions in text. Of attached files only names and sizes."""
    if person.id is not None:
        yield from _row_itself(session, person)
        yield from _own_records(session, person)
    if person.connection_id and person.xero_id:
        yield from _by_xero_id(session, person, person.xero_id)
    about = {"id": person.id, "connection_id": person.connection_id, "xero_id": person.xero_id}
    decided = list(QUERIES.link_decisions(session, **about))
    yield Holding("xero_sync.link_decision", "who in Xero they are, as was decided", "process", decided)
    if person.connection_id:
        rejected = [row for _, row in rejections(session, person)]
        yield Holding("xero_sync.rejection", "came from Xero, and could not be loaded", "process", rejected)


def _row_itself(session: Session, person: Person) -> Iterator[Holding]:
    names = {"table": Identifier("qicworks", person.table.name), "column": Identifier("id")}
    statement = sql.template("people", "pointing_to").format(**names)
    rows = session.execute(statement, {"ids": [person.id]}).fetchall()
    source = "pulled from Xero" if person.connection_id else "QicWorks' own"
    yield Holding(f"qicworks.{person.table.name}", f"{source}, {person.organisation}", "copy", rows)


def _by_xero_id(session: Session, person: Person, xero_id: str) -> Iterator[Holding]:
    about = {"connection_id": person.connection_id, "xero_id": xero_id}
    for table in part_tables().values():
        statement = sql.template("people", "parts_of").format(
            held=Identifier("qicworks", table.name),
            key=Identifier(table.key),
            parent_key=Identifier(str(table.owner_key)),
        )
        rows = session.execute(statement, about).fetchall()
        yield Holding(f"qicworks.{table.name}", f"pulled from Xero, {person.organisation}", "copy", rows)
    for table, column in staged_columns(person.table):
        statement = sql.template("people", "staged_by_key").format(stage=stage_table(table), column=Identifier(column))
        rows = session.execute(statement, about).fetchall()
        yield Holding(f"xero_sync.stage_{table.name}", "came from Xero, not loaded yet", "process", rows)
    lines = list(QUERIES.owned_lines(session, **about))
    yield Holding("xero_sync.owned_earnings_line", "set in Xero by a push of pay", "process", lines)
    candidates = list(QUERIES.candidates(session, **about))
    yield Holding("xero_sync.contact_candidate", "may be a new contact of QicWorks", "process", candidates)
    erasures = list(QUERIES.erasures(session, **about))
    yield Holding("xero_sync.erasure", "kept so that a pull does not bring them back", "own", erasures)


def staged_columns(table: Table) -> Iterator[tuple[Table, str]]:
    """Yields the staged tables with a person's rows, each with the column that identifies the person."""
    yield table, table.key
    for part in part_tables().values():
        yield part, str(part.owner_key)


def rejections(session: Session, person: Person) -> Iterator[tuple[int, Row]]:
    """Yields the id and row of their rejected records, and of their parts' rejected records."""
    for table in (person.table, *part_tables().values()):
        rows = QUERIES.rejections(
            session,
            connection_id=person.connection_id,
            table_name=table.name,
            keys=sorted(person.keys) if table is person.table else [],
            parent_key=table.owner_key or "",
            xero_id=person.xero_id,
        )
        for row in rows:
            yield row["id"], row


def _own_records(session: Session, person: Person) -> Iterator[Holding]:
    """Yields rows that point to them, and rows that point to those, with lines and files of documents."""
    met: set[tuple[str, UUID]] = set()
    todo = [(person.table.name, [person.id])]
    pulled = {table.name for dataset in DATASETS.values() for table in dataset.tables}
    kinds = {kind.table: kind for kind in KINDS.values()}
    while todo:
        name, ids = todo.pop()
        for one in list(QUERIES.tables_pointing_to(session, name=name)):
            if name == person.table.name and one["name"] in part_tables():
                continue  # found by Xero's id
            statement = sql.template("people", "pointing_to").format(
                table=Identifier("qicworks", one["name"]), column=Identifier(one["column"])
            )
            rows = [
                row
                for row in session.execute(statement, {"ids": ids}).fetchall()
                if (one["name"], row["id"]) not in met
            ]
            met |= {(one["name"], row["id"]) for row in rows}
            source = "pulled from Xero" if one["name"] in pulled else "QicWorks' own"
            yield Holding(f"qicworks.{one['name']}", f"{source}, {person.organisation}", "own", rows)
            if rows:
                todo.append((one["name"], [row["id"] for row in rows]))
        if name in kinds and not kinds[name].payroll:
            yield from _with_documents(session, person, name, ids)


def _with_documents(session: Session, person: Person, table: str, ids: list[Any]) -> Iterator[Holding]:
    found = {"document_line": QUERIES.lines_of, "attachment": QUERIES.files_of}
    for name, statement in found.items():
        rows = list(statement(session, table=table, ids=ids))
        yield Holding(f"qicworks.{name}", f"QicWorks' own, {person.organisation}", "own", rows)
