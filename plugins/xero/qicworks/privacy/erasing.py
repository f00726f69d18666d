"""Erasing a person: copies of what Xero has are emptied, words about them removed; QicWorks' own records stay.

A tombstone with nothing but the id keeps the next pull from bringing them back.
"""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier, Placeholder

from xero.datasets.declaration import Table
from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.privacy import mentions, people
from xero.qicworks.privacy.mentions import Said
from xero.qicworks.privacy.name_finder import ERASED
from xero.qicworks.privacy.people import Person
from xero.qicworks.pull.staging import stage_table
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

QUERIES = sql.Statements("people")
LOADS = sql.Statements("merge")


@dataclass(frozen=True)
class Erased:
    """How many rows of each table were emptied, changed or removed, and the words that named somebody."""

    rows: Counter[str] = field(default_factory=Counter)
    words: list[Said] = field(default_factory=list)


def erase(session: Session, persons: list[Person]) -> Erased:
    """In the caller's transaction.

    ValueError while something of theirs is still to be pushed: nobody could tell afterwards whose it was.
    """
    done = Erased()
    QUERIES.erasing(session)
    hold_loads(session, persons)
    for person in persons:
        _refuse_what_waits(session, person)
        of_this = _one(session, person)
        counts = ", ".join(f"{count} × {table}" for table, count in sorted(of_this.rows.items())) or "nothing was left"
        said = f"personal data of one person erased: {counts}"
        how = Direction.MAINTENANCE, "personal_data", Status.SUCCESS, EventOutcome.DONE
        events.record(session, person.connection_id, *how, said, Origin())
        done.rows.update(of_this.rows)
        done.words.extend(of_this.words)
    return done


def hold_loads(session: Session, persons: list[Person]) -> None:
    """Until the transaction ends no pull loads anything where these persons are: ask after it who is meant."""
    for connection_id in sorted({one.connection_id for one in persons if one.connection_id}):
        LOADS.wait_for_others(session, connection_id=connection_id)


def _refuse_what_waits(session: Session, person: Person) -> None:
    for kind, column in mentions.kinds_of(session, person.table):
        names = {"table": Identifier("qicworks", kind.table), "column": Identifier(column)}
        waiting = sql.value(session, sql.template("people", "to_be_pushed").format(**names), id=person.id)
        if waiting:
            raise ValueError(
                f"{waiting} of this person's {kind.title.lower()} wait to be pushed or are on their way: push"
                " them, or set them to skipped, and erase again"
            )


def _one(session: Session, person: Person) -> Erased:
    done: Counter[str] = Counter()
    if person.id is not None:
        own = _empty(session, person.table, sql.template("people", "of_id").format(), {"id": person.id})
        done[f"qicworks.{person.table.name}"] += own
        for kind, column in mentions.kinds_of(session, person.table):
            done[f"qicworks.{kind.table}"] += _empty_words(session, kind, column, person.id)
    if person.connection_id and person.xero_id:
        about = {"connection_id": person.connection_id, "xero_id": person.xero_id}
        QUERIES.bury(session, table_name=person.table.name, **about)
        for table in people.part_tables().values():
            condition = sql.template("people", "of_parent").format(parent_key=Identifier(str(table.part_of)))
            rows = _empty(session, table, condition, about)
            done[f"qicworks.{table.name}"] += rows
        done["xero_sync.owned_earnings_line"] += QUERIES.drop_owned_lines(session, **about)
        for table, column in people.staged_columns(person.table):
            statement = sql.template("people", "unstage").format(stage=stage_table(table), column=Identifier(column))
            removed = session.execute(statement, about).rowcount
            done[f"xero_sync.stage_{table.name}"] += removed
    if person.connection_id:
        ids = [id for id, _ in people.rejections(session, person)]
        done["xero_sync.rejection"] += QUERIES.drop_rejections(session, ids=ids)
    words = list(mentions.said(session, person, mentions.wording(session, person)))
    return Erased(+(done + _untell(session, words)), words)


def _empty(session: Session, table: Table, condition: Composed, parameters: dict[str, object]) -> int:
    """Every column that says something: null, and where a name has to stand, that it was erased. Once is enough."""
    assignments, full = [SQL("row_hash = ''").format()], [SQL("row_hash <> ''").format()]
    for column in QUERIES.columns(session, name=table.name):
        if column["name"] in (table.key, table.part_of) or column["refers"]:
            continue
        if not column["required"]:
            assignments.append(SQL("{} = NULL").format(Identifier(column["name"])))
            full.append(SQL("{} IS NOT NULL").format(Identifier(column["name"])))
        elif table.person and column["is_text"] and not column["has_default"]:
            assignments.append(SQL("{} = {}").format(Identifier(column["name"]), ERASED))
            full.append(SQL("{} <> {}").format(Identifier(column["name"]), ERASED))
    held = Identifier("qicworks", table.name)
    statement = sql.template("people", "empty").format(
        held=held, assignments=SQL(", ").join(assignments), condition=condition, full=SQL(" OR ").join(full)
    )
    return session.execute(statement, parameters).rowcount


def _empty_words(session: Session, kind: Kind, column: str, id: UUID) -> int:
    """What somebody wrote about them on a document that stays."""
    if not kind.private:
        return 0
    assignments = SQL(", ").join(SQL("{} = NULL").format(Identifier(name)) for name in kind.private)
    table = Identifier("qicworks", kind.table)
    private = SQL(", ").join(map(Identifier, kind.private))
    statement = sql.template("people", "empty_words").format(
        table=table, assignments=assignments, column=Identifier(column), private=private
    )
    return session.execute(statement, {"id": id}).rowcount


def _untell(session: Session, words: list[Said]) -> Counter[str]:
    """Their names and e-mails in words about documents, pulls and pushes."""
    done: Counter[str] = Counter()
    for one in words:
        statement = sql.template("people", "replace_words").format(
            table=Identifier(*one.table.split(".")),
            assignments=SQL(", ").join(_equals(name, f"new_{name}") for name in one.texts),
            key=SQL(" AND ").join(_equals(name, name) for name in one.key),
        )
        without = {f"new_{name}": text for name, (_, text) in one.texts.items()}
        done[one.table] += session.execute(statement, {**without, **one.key}).rowcount
    return done


def _equals(column: str, parameter: str) -> Composed:
    return SQL("{} = {}").format(Identifier(column), Placeholder(parameter))
