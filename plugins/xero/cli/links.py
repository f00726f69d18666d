"""`links`: people and contacts that may be in Xero already; the decision about each, and undoing a link."""

import argparse
import getpass
import json
from typing import Any
from uuid import UUID

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import complain, out, plain, show
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.links.undoing import Undoing
from xero.qicworks.links.waiting import Waiting
from xero.qicworks.texts import on_a_line
from xero.sync.runs.participants import find_connection

MAX_LISTED = 500  # of an organisation
DECISIONS = ("link", "not-same", "create", "undo")


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "decision", nargs="?", choices=DECISIONS, help="what is to be done; without it: list who waits"
    )
    command.add_argument("what", nargs="?", choices=[*What], help="staff or contact")
    command.add_argument("id", nargs="?", metavar="ID", help="QicWorks' id, as the list shows it; create staff: Xero's")
    command.add_argument("xero_id", nargs="?", metavar="XERO_ID", help="of link and not-same: the id in Xero")
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation; decisions need it")
    command.add_argument(
        "--yes", action="store_true", help="undo: do it; without this only what hangs on the link is shown"
    )
    command.add_argument("--json", action="store_true", help="print the list as a JSON array")
    command.set_defaults(run=run_links)


def run_links(engine: Engine, options: argparse.Namespace) -> int:
    """Lists who waits: exit code 0 only if nobody does. Or carries out a decision."""
    if options.decision:
        return _decide(engine, options)
    with database.session(engine) as session:
        known = connections.every(session)
        if options.connection is not None:
            only = find_connection(engine, options.connection)
            known = [one for one in known if one.id == only]
        found = [(one, *_waiting(session, one)) for one in known]
    if options.json:
        columns = [_columns(one, row) for one, rows, _ in found for row in rows]
        print(plain(json.dumps(columns, indent=2, default=str)))
    else:
        _print(found)
    for one, rows, total in found:
        if total > len(rows):
            complain(f"{one.organisation}: only {len(rows)} of {total} are listed; the page Match shows all")
    return 1 if any(total for _, _, total in found) else 0


def _waiting(session: Session, one: Connection) -> tuple[list[Waiting], int]:
    rows, total = waiting.waiting(session, one.id, list(What), limit=MAX_LISTED)
    undone = waiting.undone_employees(session, one.id)
    for each in undone:
        candidate = {**each, "alike": [], "likely": False}
        rows.append(Waiting(What.STAFF, each["xero_id"], "nobody: the link was undone", None, None, False, [candidate]))
    return rows, total + len(undone)


def _decide(engine: Engine, options: argparse.Namespace) -> int:
    pair = options.decision in ("link", "not-same")
    if options.what is None or options.id is None or (options.xero_id is None) is pair:
        raise ValueError(
            "link and not-same need staff or contact, the ID and the XERO_ID; create and undo the ID alone"
        )
    if options.connection is None:
        raise ValueError("a decision needs --connection NAME")
    what, id = What(options.what), _id(options.id)
    with database.session(engine) as session:
        connection = connections.one(session, find_connection(engine, options.connection))
        desk = Undoing(session, connection, f"{getpass.getuser()} (command line)")
        if options.decision == "link":
            desk.link(what, [(id, _id(options.xero_id))])
        elif options.decision == "not-same":
            desk.not_same(what, id, _id(options.xero_id))
        elif options.decision == "create":
            desk.create(what, id)
        else:
            hanging = desk.hanging(what, id)
            for line in hanging.lines:
                out.print(line, markup=False)
            if not options.yes:
                complain(hanging.refused or "nothing was undone: --yes undoes the link")
                return 1
            desk.undo(what, id, hanging.seen)
    then = {
        "link": "linked",
        "not-same": "kept as not the same",
        "create": "the next pull of staff creates them"
        if what is What.STAFF
        else "the next push of contacts creates it",
        "undo": "undone; what is in Xero stays there",
    }
    out.print(then[options.decision], markup=False)
    return 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"'{on_a_line(text)}' is not an id") from None


def _print(found: list[tuple[Connection, list[Waiting], int]]) -> None:
    table = Table("organisation", "what", "in QicWorks", "id", "may be in Xero")
    for connection, rows, _ in found:
        for one in rows:
            said = "\n".join(_candidate(each) for each in one.candidates)
            table.add_row(connection.organisation, one.what, on_a_line(one.name), str(one.own_id), said)
    show(table, "nobody waits for a decision")


def _candidate(one: dict[str, Any]) -> str:
    why = ", ".join(waiting.words(one["alike"])) or "was linked before"
    return f"{on_a_line(one['name'] or '')} ({why}{', likely' if one['likely'] else ''}): {one['xero_id']}"


def _columns(connection: Connection, one: Waiting) -> dict[str, Any]:
    return {"organisation": connection.organisation, **vars(one)}
