"""`adopt`: documents that may be in Xero already, and what is decided about each."""

import argparse
import getpass
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import app_of, complain, out, plain, show
from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.push.adopting import decisions, undoing
from xero.qicworks.push.adopting.decisions import MAX_LISTED, Offer
from xero.qicworks.push.adopting.twins import Decision
from xero.qicworks.texts import on_a_line
from xero.sync.runs.participants import find_connection

PRICED = {kind.name: kind for kind in KINDS.values() if isinstance(kind, PricedKind)}
ACTS = (*Decision, "link-certain", "undo")
THEN = "`python -m xero adopt link ID XERO_ID`, `… leave ID`, `… skip ID` or `… link-certain`, then push"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("act", nargs="?", choices=ACTS, help="what is to be done; without it: list them")
    command.add_argument("document", nargs="?", metavar="ID", help="the document's id, as the list shows it")
    command.add_argument("xero_id", nargs="?", metavar="XERO_ID", help="of link: the record in Xero that it is")
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    command.add_argument("--kind", choices=list(PRICED), metavar="KIND", help=f"only these: {', '.join(PRICED)}")
    command.add_argument("--yes", action="store_true", help="of undo: also if payments or files hang on it")
    command.add_argument("--json", action="store_true", help="print the list as a JSON array")
    command.set_defaults(run=run_adopt)


def run_adopt(engine: Engine, options: argparse.Namespace) -> int:
    """Lists those that wait: exit code 0 only if there is none. Or keeps or undoes a decision."""
    chosen = find_connection(engine, options.connection) if options.connection is not None else None
    kinds = [PRICED[options.kind]] if options.kind else list(PRICED.values())
    if (options.document is None) is (options.act in (*Decision, "undo")):
        raise ValueError("adopt link needs the ID and the XERO_ID; leave, skip and undo need the ID alone")
    if (options.xero_id is None) is (options.act == Decision.LINK):
        raise ValueError("adopt link needs the ID and the XERO_ID; nothing else has a XERO_ID")
    who = f"{getpass.getuser()} (command line)"
    with database.session(engine) as session:
        if options.act == "link-certain":
            return _link_certain(session, kinds, chosen, who)
        if options.act == "undo":
            return _undo(session, kinds, _id(options.document), who, sure=options.yes)
        if options.act:
            return _decide(session, kinds, options, who)
        found = list(_offered(session, kinds, chosen))
    if options.json:
        print(plain(json.dumps([_columns(kind, one) for kind, one in found], indent=2)))
    else:
        _print(found)
    if found:
        complain(f"{len(found)} wait: {THEN}")
    return 1 if found else 0


def _offered(
    session: Session, kinds: list[PricedKind], connection_id: UUID | None, id: UUID | None = None
) -> Iterator[tuple[PricedKind, Offer]]:
    for kind in kinds:
        found = decisions.offered(session, kind, connection_id, id)
        if len(found) == MAX_LISTED:
            complain(f"{kind.title}: only {MAX_LISTED} are listed; choose one organisation with --connection")
        yield from ((kind, one) for one in found)


def _decide(session: Session, kinds: list[PricedKind], options: argparse.Namespace, who: str) -> int:
    id = _id(options.document)
    found = next(_offered(session, kinds, None, id), None)
    if found is None:
        raise LookupError(f"no document {id} waits for a decision: it may be decided already")
    kind, one = found
    xero_id = _id(options.xero_id) if options.xero_id else None
    label = decisions.decide(session, kind, one, Decision(options.act), xero_id, who)
    skipped = options.act == Decision.SKIP
    then = "it is not pushed" if skipped else f"the next push does so; `python -m xero push {kind.name}` pushes now"
    out.print(f"{label}: {then}", markup=False)
    return 0


def _link_certain(session: Session, kinds: list[PricedKind], connection_id: UUID | None, who: str) -> int:
    """Exit code 0 only if none is left."""
    left = 0
    for kind in kinds:
        found = decisions.offered(session, kind, connection_id, limit=None)
        done = decisions.link_certain(session, kind, found, who)
        left += len(found) - len(done)
        if done:
            out.print(f"{kind.title}: the next push links {len(done)}; `python -m xero push {kind.name}` pushes now")
    if left:
        complain(f"{left} are not certain, and wait: `python -m xero adopt` lists them")
    return 1 if left else 0


def _undo(session: Session, kinds: list[PricedKind], id: UUID, who: str, *, sure: bool) -> int:
    """Nothing is undone, and the exit code is 1, if something hangs on it and the user is not `sure`."""
    for kind in kinds:
        for one in decisions.undoable(session, kind, id=id, limit=1):
            if one.is_linked and (hangs := undoing.hangs_on_it(session, kind, id)):
                complain(f"undoing it removes from QicWorks: {', '.join(hangs)}" + ("" if sure else "; add --yes"))
                if not sure:
                    return 1
            seals = (
                Seals(app_of(connections.one(session, one.connection_id).airflow_conn_id)) if one.is_linked else None
            )
            label = undoing.undo(session, kind, one, who, seals)
            out.print(f"{label}: undone; nothing in Xero was changed", markup=False)
            return 0
    raise LookupError(f"of document {id} nothing can be undone")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"'{on_a_line(text)}' is not an id") from None


def _print(found: list[tuple[PricedKind, Offer]]) -> None:
    table = Table("organisation", "document", "id", "contact", "date", "total", "in Xero")
    for kind, one in found:
        records = "\n".join(_record(each) for each in one.twins)
        contact = on_a_line(one.contact or "–")
        total = f"{one.total} {one.currency or ''}"
        table.add_row(
            one.organisation, kind.called(one.number, one.id), str(one.id), contact, one.issued, total, records
        )
    show(table, "no document waits for a decision")


def _record(one: dict[str, Any]) -> str:
    shown = one["shown"]
    how = "" if one["is_certain"] else "perhaps "
    return f"{how}{one['xero_id']}: {shown['number']}, {shown['date']}, {shown['total']} {shown['currency']}"


def _columns(kind: PricedKind, one: Offer) -> dict[str, Any]:
    columns = {"kind": kind.name, **vars(one), "certain": one.certain}
    return {
        name: value if isinstance(value, (int, list)) or value is None else str(value)
        for name, value in columns.items()
    }
