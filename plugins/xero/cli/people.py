"""`person export` and `person erase`: what is stored about a person, and erasing it."""

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from xero.cli.terminal import complain, out
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.database import Session
from xero.qicworks.privacy import contact_persons, erasing, mentions, people
from xero.qicworks.privacy.contact_persons import ContactPerson
from xero.qicworks.privacy.mentions import Mention
from xero.qicworks.privacy.people import Holding, Person

_CONTROLS = re.compile("[\x7f-\x9f]")  # control characters that JSON does not escape

TAX = "tax records, kept for 5 years"
PAY = "pay and leave records, kept for 7 years"


def add_arguments(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(required=True, metavar="ACTION")
    export = actions.add_parser("export", help="print everything stored about a person, as JSON")
    export.add_argument("--file", type=Path, help="write to this new file, which only you can read")
    export.set_defaults(run=run_export)
    erase = actions.add_parser("erase", help="show what would be erased and what stays; with --yes, erase it")
    erase.add_argument("--yes", action="store_true", help="erase it instead of only showing it")
    erase.set_defaults(run=run_erase)
    for action in (export, erase):
        who = action.add_mutually_exclusive_group(required=True)
        who.add_argument(
            "--email", help="email of staff, contacts or persons of contacts; '-' reads it from standard input"
        )
        who.add_argument("--contact-person", metavar="NAME", help="first and last name of a person of a contact")
        for name in people.person_tables():
            who.add_argument(f"--{name}", metavar="ID", help=f"id of a row of {name}, in QicWorks or in Xero")
        action.add_argument("--organisation", metavar="NAME", help="only this QicWorks organisation")


def run_export(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        record = {
            "exported_at": datetime.now(UTC),
            "persons": [_told(session, person) for person in _asked_for(session, options)],
        }
    text = json.dumps(record, indent=2, default=_plain, ensure_ascii=False) + "\n"
    if options.file is None:
        sys.stdout.write(_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text))
        return 0
    try:
        descriptor = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ValueError(
            f"{options.file} cannot be created: {error.strerror}; existing files are not overwritten"
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    out.print(f"written to {options.file}")
    return 0


def run_erase(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        stays: Counter[tuple[str, str]] = Counter()
        with session.transaction():
            erasing.hold_loads(session, _asked_for(session, options))
            aside: list[str] = []
            persons = _asked_for(session, options, aside)  # as they are now that nothing is loaded
            done = erasing.erase(session, persons)
            for person in persons:
                stays += _stays(session, person)
            if not options.yes:
                raise psycopg.Rollback
    if len(persons) > 1:
        complain(f"{len(persons)} entries match: they share an email, or are one person in several organisations")
    for said in aside:
        complain(said)
    for person in persons:
        out.print(f"{_which(person)} of {person.organisation}")
    verb = "erased" if options.yes else "would be erased"
    for table, rows in sorted(done.rows.items()):
        out.print(f"{verb}: {rows} of {table}")
    if buried := sum(bool(person.connection_id and person.xero_id) for person in persons):
        out.print(f"{'will' if options.yes else 'would'} never be pulled again: {buried} of Xero's ids")
    for (table, why), rows in sorted(stays.items()):
        out.print(f"stays: {rows} of {table} ({why})")
    if not options.yes:
        _show_words(done.mentions)
        out.print("nothing was changed; add --yes to erase")
    return 0


def _which(person: Person) -> str:
    if isinstance(person, ContactPerson):
        return f"a person of {person.table.name} {person.record_id}"
    return f"{person.table.name} {person.xero_id or person.id or 'never loaded'}"


def _show_words(words: list[Mention]) -> None:
    """Shows each text that names the person, before and after, so that a human can check that it is the same person."""
    for one in words:
        which = " ".join(str(value) for value in one.key.values())
        for column, (before, after) in one.texts.items():
            out.print(f"mentioned in {one.table} {which}, {column}\n  before: {before}\n  after:  {after}")


def _asked_for(session: Session, options: argparse.Namespace, aside: list[str] | None = None) -> list[Person]:
    """The persons that match the options. Raises LookupError, which does not repeat the id or email, if there are none.

    `aside`: receives a line for each person that was left out, and why.
    """
    if options.email == "-":
        options.email = sys.stdin.readline().strip()
    email = options.email or ""
    table, id = next(
        ((name, getattr(options, name)) for name in people.person_tables() if getattr(options, name)), (None, "")
    )
    name = options.contact_person or ""
    if not email and not id and not name.strip():
        raise LookupError("the id, name or email is empty")
    found = []
    if email or id:
        found = people.find(session, table=table, id=id, email=email, organisation=options.organisation, aside=aside)
    found += contact_persons.find(session, email=email, name=name, organisation=options.organisation)
    if not found:
        raise LookupError("no one with that id, name or email is stored here")
    return found


def _holdings(session: Session, person: Person) -> Iterator[Holding]:
    if isinstance(person, ContactPerson):
        yield from contact_persons.holdings(session, person)
    yield from people.holdings(session, person)
    yield from mentions.holdings(session, person)


def _told(session: Session, person: Person) -> dict[str, Any]:
    return {
        "table": person.table.name,
        "organisation": person.organisation,
        "xero_id": person.xero_id,
        "held": [
            {"table": holding.table, "provenance": holding.provenance, "rows": list(map(_said, holding.rows))}
            for holding in _holdings(session, person)
            if holding.rows
        ],
    }


def _stays(session: Session, person: Person) -> Counter[tuple[str, str]]:
    """Counts the rows that an erasure keeps, by table and reason."""
    payroll = {f"qicworks.{kind.table}" for kind in KINDS.values() if kind.payroll}
    found: Counter[tuple[str, str]] = Counter()
    pay = any(kind.payroll for kind, _ in mentions.kinds_of(session, person.table))
    for holding in _holdings(session, person):
        if holding.why == "own" and holding.table.startswith("qicworks."):
            found[holding.table, PAY if pay or holding.table in payroll else TAX] += len(holding.rows)
    return +found


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """The values of a row, without the hash that pulls compare."""
    return {name: value for name, value in row.items() if value is not None and name != "row_hash"}


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
