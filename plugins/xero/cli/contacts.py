"""`contacts`: new contacts about which a person has to decide, and the decision."""

import argparse
import getpass
import json
from typing import Any
from uuid import UUID

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import complain, out, plain, show
from xero.qicworks import database
from xero.qicworks.push import contact_decisions
from xero.qicworks.push.contact_decisions import MAX_LISTED, Undecided
from xero.qicworks.texts import on_a_line
from xero.sync.runs.participants import find_connection

DECISIONS = ("link", "create")


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("decision", nargs="?", choices=DECISIONS, help="what is to be done; without it: list them")
    command.add_argument("contact", nargs="?", metavar="ID", help="the contact's id, as the list shows it")
    command.add_argument("xero_id", nargs="?", metavar="XERO_ID", help="of link: the contact in Xero that it is")
    command.add_argument("--connection", metavar="NAME", help="list only those of this QicWorks organisation")
    command.add_argument("--json", action="store_true", help="print the list as a JSON array")
    command.set_defaults(run=run_contacts)


def run_contacts(engine: Engine, options: argparse.Namespace) -> int:
    """Lists those that wait: exit code 0 only if there is none. Or keeps a decision."""
    if options.decision:
        return _decide(engine, options)
    chosen = find_connection(engine, options.connection) if options.connection is not None else None
    with database.session(engine) as session:
        found = contact_decisions.waiting(session, chosen)
    if options.json:
        print(plain(json.dumps([_columns(one) for one in found], indent=2)))
    else:
        _print(found)
    if len(found) == MAX_LISTED:
        complain(f"only {MAX_LISTED} are listed: choose one organisation with --connection")
    if found:
        complain(f"{len(found)} wait: `python -m xero contacts link ID XERO_ID` or `… contacts create ID`, then push")
    return 1 if found else 0


def _decide(engine: Engine, options: argparse.Namespace) -> int:
    if options.contact is None or (options.xero_id is None) is (options.decision == "link"):
        raise ValueError("contacts link needs the ID and the XERO_ID; contacts create needs the ID alone")
    xero_id = _id(options.xero_id) if options.xero_id else None
    with database.session(engine) as session:
        who = f"{getpass.getuser()} (command line)"
        label = contact_decisions.decide(session, _id(options.contact), xero_id, who)
    out.print(f"{label}: the next push does so; `python -m xero push contacts` pushes now", markup=False)
    return 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"'{on_a_line(text)}' is not an id") from None


def _print(found: list[Undecided]) -> None:
    table = Table("organisation", "contact", "id", "may be in Xero", "why it waits")
    for one in found:
        candidates = "\n".join(_candidate(each) for each in one.candidates) or "–"
        table.add_row(one.organisation, on_a_line(one.name), str(one.id), candidates, on_a_line(one.error or ""))
    show(table, "no contact waits for a decision")


def _candidate(one: dict[str, Any]) -> str:
    name = on_a_line(one["name"] or "personal data erased in QicWorks")
    archived = ", archived" if one["is_active"] is False else ""
    return f"{name} ({', '.join(one['alike'])}{archived}): {one['xero_id']}"


def _columns(one: Undecided) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in vars(one).items()}
