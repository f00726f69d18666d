"""Erasing a person: copies of what Xero has are emptied, words about them removed; QicWorks' own records stay.

A tombstone with nothing but the id keeps the next pull from bringing them back.
"""

from collections import Counter
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from xero.datasets.declaration import Table
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks import events, people, sql
from xero.qicworks.database import Session
from xero.qicworks.events import Origin
from xero.qicworks.people import ERASED, Person
from xero.qicworks.staging import stage_table

QUERIES = sql.Statements("people")

EMPTY = SQL(
    """
    UPDATE {held}
       SET is_active = false, missing_since = coalesce(missing_since, now()), synced_at = now(), {assignments}
     WHERE {whose}
    """
)
WAITING = SQL("SELECT count(*) AS count FROM {table} WHERE {column} = %s AND push_state IN ('ready', 'in_flight')")
EMPTY_WORDS = SQL("UPDATE {table} SET {assignments} WHERE {column} = %s")
UNTELL = SQL(
    """
    UPDATE {table}
       SET push_error = regexp_replace(push_error, %(pattern)s, 'erased', 'gi'),
           push_correction = regexp_replace(push_correction, %(pattern)s, 'erased', 'gi')
     WHERE organisation_id = %(organisation_id)s AND concat_ws(' ', push_error, push_correction) ~* %(pattern)s
    """
)
UNSTAGE = SQL(
    """
    DELETE FROM {stage} AS staged USING xero_sync.staging
     WHERE staging.id = staged.staging_id AND staging.connection_id = %s AND lower(staged.{column}::text) = %s
    """
)


def erase(session: Session, persons: list[Person]) -> Counter[str]:
    """In the caller's transaction. Returns how many rows of each table were emptied or removed.

    ValueError while something of theirs is still to be pushed: nobody could tell afterwards whose it was.
    """
    done: Counter[str] = Counter()
    QUERIES.erasing(session)
    hold_loads(session, persons)
    for person in persons:
        _refuse_what_waits(session, person)
        of_this = _one(session, person)
        told = ", ".join(f"{count} × {table}" for table, count in sorted(of_this.items())) or "nothing was left"
        said = f"personal data of one person erased: {told}"
        events.record(session, person.connection_id, "connect", "personal_data", "success", said, Origin())
        done += of_this
    return done


def hold_loads(session: Session, persons: list[Person]) -> None:
    """Until the transaction ends no pull loads anything where these persons are: ask after it who is meant."""
    for connection_id in sorted({one.connection_id for one in persons if one.connection_id}):
        QUERIES.wait_for_loads(session, connection_id=connection_id)


def _refuse_what_waits(session: Session, person: Person) -> None:
    for kind, column in kinds_of(session, person.table):
        statement = WAITING.format(table=Identifier("qicworks", kind.table), column=Identifier(column))
        row = session.execute(statement, (person.id,)).fetchone()
        assert row is not None
        if row["count"]:
            raise ValueError(
                f"{row['count']} of this person's {kind.title.lower()} wait to be pushed or are on their way: push"
                " them, or set them to skipped, and erase again"
            )


def kinds_of(session: Session, table: Table) -> list[tuple[Kind, str]]:
    """The kinds of documents that are made out to such a person, and by which column."""
    columns = {row["name"]: row["column"] for row in QUERIES.referring(session, name=table.name)}
    return [(kind, columns[kind.table]) for kind in KINDS.values() if kind.table in columns]


def _one(session: Session, person: Person) -> Counter[str]:
    done: Counter[str] = Counter()
    if person.id is not None:
        own = _empty(session, person.table, SQL("id = %(id)s").format(), {"id": person.id})
        done[f"qicworks.{person.table.name}"] += own
        for kind, column in kinds_of(session, person.table):
            done[f"qicworks.{kind.table}"] += _empty_words(session, kind, column, person.id)
    if person.connection_id and person.xero_id:
        about = {"connection_id": person.connection_id, "xero_id": person.xero_id}
        QUERIES.bury(session, table_name=person.table.name, **about)
        for table in people.part_tables().values():
            whose = SQL("connection_id = %(connection_id)s AND lower({}::text) = %(xero_id)s")
            rows = _empty(session, table, whose.format(Identifier(str(table.part_of))), about)
            done[f"qicworks.{table.name}"] += rows
        done["xero_sync.owned_earnings_line"] += QUERIES.drop_owned_lines(session, **about)
        for table, column in people.staged_columns(person.table):
            statement = UNSTAGE.format(stage=stage_table(table), column=Identifier(column))
            removed = session.execute(statement, (person.connection_id, person.xero_id)).rowcount
            done[f"xero_sync.stage_{table.name}"] += removed
    if person.connection_id:
        ids = [id for id, _ in people.rejections(session, person)]
        done["xero_sync.rejection"] += QUERIES.drop_rejections(session, ids=ids)
    if person.pattern:
        done += _untell(session, person, person.pattern)
    return +done


def _empty(session: Session, table: Table, whose: Composed, parameters: dict[str, object]) -> int:
    """Every column that says something: null, and where a name has to stand, that it was erased."""
    assignments = [SQL("row_hash = ''").format()]
    for column in QUERIES.columns(session, name=table.name):
        if column["name"] in (table.key, table.part_of) or column["refers"]:
            continue
        if not column["required"]:
            assignments.append(SQL("{} = NULL").format(Identifier(column["name"])))
        elif table.person and column["is_text"] and not column["has_default"]:
            assignments.append(SQL("{} = {}").format(Identifier(column["name"]), ERASED))
    held = Identifier("qicworks", table.name)
    statement = EMPTY.format(held=held, assignments=SQL(", ").join(assignments), whose=whose)
    return session.execute(statement, parameters).rowcount


def _empty_words(session: Session, kind: Kind, column: str, id: UUID) -> int:
    """What somebody wrote about them on a document that stays."""
    if not kind.private:
        return 0
    assignments = SQL(", ").join(SQL("{} = NULL").format(Identifier(name)) for name in kind.private)
    table = Identifier("qicworks", kind.table)
    statement = EMPTY_WORDS.format(table=table, assignments=assignments, column=Identifier(column))
    return session.execute(statement, (id,)).rowcount


def _untell(session: Session, person: Person, pattern: str) -> Counter[str]:
    """Their names and e-mails in words about documents, pulls and pushes."""
    done: Counter[str] = Counter()
    for row in list(QUERIES.having(session, column="push_error")):
        statement = UNTELL.format(table=Identifier("qicworks", row["name"]))
        about = {"pattern": pattern, "organisation_id": person.organisation_id}
        done[f"qicworks.{row['name']}"] += session.execute(statement, about).rowcount
    if person.connection_id:
        about = {"pattern": pattern, "connection_id": person.connection_id}
        done["xero_sync.connection_event"] += QUERIES.untell(session, **about)
        done["xero_sync.standing"] += QUERIES.untell_standing(session, **about)
    return done
