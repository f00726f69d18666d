"""Erases a person: empties copies of Xero's records, removes mentions in text, keeps QicWorks' own records.

A tombstone with only the id keeps the next pull from loading them again.
"""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier, Placeholder

from xero.datasets.declaration import Table
from xero.documents.declaration import Kind
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.privacy import contact_persons, mentions, people
from xero.qicworks.privacy.contact_persons import ContactPerson
from xero.qicworks.privacy.mentions import Mention
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
    """How many rows of each table were emptied, changed or removed, and the mentions that were removed."""

    rows: Counter[str] = field(default_factory=Counter)
    mentions: list[Mention] = field(default_factory=list)


def erase(session: Session, persons: list[Person]) -> Erased:
    """Erases these persons, in the caller's transaction.

    Raises:
        ValueError: Something of theirs is still to be pushed: afterwards it would not be known whose it is.
    """
    done = Erased()
    QUERIES.begin_erasing(session)
    hold_loads(session, persons)
    for person in persons:
        _refuse_what_waits(session, person)
        of_this = _one(session, person)
        counts = ", ".join(f"{count} × {table}" for table, count in sorted(of_this.rows.items())) or "nothing was left"
        message = f"personal data of one person erased: {counts}"
        how = Direction.MAINTENANCE, "personal_data", Status.SUCCESS, EventOutcome.DONE
        events.record(session, person.connection_id, *how, message, Origin())
        of_this.rows.update(_alert_no_more(session, person))
        done.rows.update(of_this.rows)
        done.mentions.extend(of_this.mentions)
    return done


def hold_loads(session: Session, persons: list[Person]) -> None:
    """Locks the loads of these persons' connections until the transaction ends; find the persons again after it."""
    for connection_id in sorted({one.connection_id for one in persons if one.connection_id}):
        LOADS.wait_for_others(session, connection_id=connection_id)


def _refuse_what_waits(session: Session, person: Person) -> None:
    if isinstance(person, ContactPerson):
        contact_persons.refuse_what_waits(session, person)
    for kind, column in mentions.kinds_of(session, person.table):
        names = {"table": Identifier("qicworks", kind.table), "column": Identifier(column)}
        waiting = sql.value(session, sql.template("people", "to_be_pushed").format(**names), id=person.id)
        if waiting:
            raise ValueError(
                f"{waiting} of this person's {kind.title.lower()} wait to be pushed or are on their way: push"
                " them, or set them to skipped, and erase again"
            )


def _one(session: Session, person: Person) -> Erased:
    done: Counter[str] = contact_persons.drop(session, person) if isinstance(person, ContactPerson) else Counter()
    if person.id is not None:
        own = _empty(session, person.table, sql.template("people", "of_id").format(), {"id": person.id})
        done[f"qicworks.{person.table.name}"] += own
        for kind, column in mentions.kinds_of(session, person.table):
            done[f"qicworks.{kind.table}"] += _empty_words(session, kind, column, person.id)
            if kind.table == person.table.name:
                done["xero_sync.difference"] += QUERIES.empty_differences(session, id=person.id)
    if person.connection_id and person.xero_id:
        about = {"connection_id": person.connection_id, "xero_id": person.xero_id}
        QUERIES.add_tombstone(session, table_name=person.table.name, **about)
        for table in people.part_tables().values():
            condition = sql.template("people", "of_parent").format(parent_key=Identifier(str(table.owner_key)))
            rows = _empty(session, table, condition, about)
            done[f"qicworks.{table.name}"] += rows
        done["xero_sync.owned_earnings_line"] += QUERIES.drop_owned_lines(session, **about)
        done["xero_sync.contact_candidate"] += QUERIES.empty_candidates(session, **about)
        for table, column in people.staged_columns(person.table):
            statement = sql.template("people", "unstage").format(stage=stage_table(table), column=Identifier(column))
            removed = session.execute(statement, about).rowcount
            done[f"xero_sync.stage_{table.name}"] += removed
    about_links = {"id": person.id, "connection_id": person.connection_id, "xero_id": person.xero_id}
    done["xero_sync.link_decision"] += QUERIES.forget_links(session, **about_links)
    if person.connection_id:
        ids = [id for id, _ in people.rejections(session, person)]
        done["xero_sync.rejection"] += QUERIES.drop_rejections(session, ids=ids)
    found = list(mentions.find_mentions(session, person, mentions.name_finder(session, person)))
    return Erased(+(done + _remove_mentions(session, found)), found)


def _empty(session: Session, table: Table, condition: Composed, parameters: dict[str, object]) -> int:
    """Empties every column: null, or "erased" in a required name. Returns how many rows were not empty already."""
    assignments, full = [SQL("row_hash = ''").format()], [SQL("row_hash <> ''").format()]
    for column in QUERIES.columns(session, name=table.name):
        if column["name"] in (table.key, table.owner_key) or column["refers"]:
            continue
        if not column["required"]:
            assignments.append(SQL("{} = NULL").format(Identifier(column["name"])))
            full.append(SQL("{} IS NOT NULL").format(Identifier(column["name"])))
        elif table.is_person and column["is_text"] and not column["has_default"]:
            assignments.append(SQL("{} = {}").format(Identifier(column["name"]), ERASED))
            full.append(SQL("{} <> {}").format(Identifier(column["name"]), ERASED))
    held = Identifier("qicworks", table.name)
    statement = sql.template("people", "empty").format(
        held=held, assignments=SQL(", ").join(assignments), condition=condition, full=SQL(" OR ").join(full)
    )
    return session.execute(statement, parameters).rowcount


def _empty_words(session: Session, kind: Kind, column: str, id: UUID) -> int:
    """Empties private text about them on documents that are kept."""
    if not kind.private:
        return 0
    assignments = SQL(", ").join(SQL("{} = NULL").format(Identifier(name)) for name in kind.private)
    table = Identifier("qicworks", kind.table)
    private = SQL(", ").join(map(Identifier, kind.private))
    statement = sql.template("people", "empty_words").format(
        table=table, assignments=assignments, column=Identifier(column), private=private
    )
    return session.execute(statement, {"id": id}).rowcount


def _remove_mentions(session: Session, found: list[Mention]) -> Counter[str]:
    """Removes names and emails from text about documents, pulls and pushes."""
    done: Counter[str] = Counter()
    for one in found:
        statement = sql.template("people", "replace_words").format(
            table=Identifier(*one.table.split(".")),
            assignments=SQL(", ").join(_equals(name, f"new_{name}") for name in one.texts),
            key=SQL(" AND ").join(_equals(name, name) for name in one.key),
        )
        without = {f"new_{name}": text for name, (_, text) in one.texts.items()}
        done[one.table] += session.execute(statement, {**without, **one.key}).rowcount
    return done


def _alert_no_more(session: Session, person: Person) -> Counter[str]:
    """Removes their email addresses from the setting of who is alerted."""
    done: Counter[str] = Counter()
    theirs = {one.casefold() for one in person.emails}
    for row in list(QUERIES.alerts_of(session, organisation_id=person.organisation_id)):
        alerted = [one.strip() for one in row["value"].split(",")]
        left = [one for one in alerted if one.casefold() not in theirs]
        if left != alerted:
            QUERIES.set_alerts(session, connection_id=row["connection_id"], value=", ".join(left))
            rest = "the others are alerted as before" if left else "nobody is alerted by it now"
            message = f"an email address of an erased person was removed from the setting alerts; {rest}"
            how = Direction.MAINTENANCE, "personal_data", Status.SUCCESS, EventOutcome.DONE
            events.record(session, row["connection_id"], *how, message, Origin())
            done["xero_sync.setting"] += 1
    return done


def _equals(column: str, parameter: str) -> Composed:
    return SQL("{} = {}").format(Identifier(column), Placeholder(parameter))
