"""`differences`: what differs between QicWorks and Xero, a line for each."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import complain, out, plain, show
from xero.qicworks import database
from xero.qicworks.database import Session
from xero.qicworks.follow import differences, wording
from xero.qicworks.follow.differences import MAX_LISTED, Difference
from xero.qicworks.texts import on_a_line
from xero.qicworks.views import differences as views
from xero.sync.runs.participants import find_connection

MAX_SETTLED = 200  # settled differences that are listed


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    command.add_argument("--open", action="store_true", help="only open ones, not those that were settled")
    command.add_argument("--json", action="store_true", help="print a JSON array of all columns")
    command.set_defaults(run=run_differences)


def run_differences(engine: Engine, options: argparse.Namespace) -> int:
    """Exit code 0 only if no difference is open. Acknowledged ones are open."""
    chosen = find_connection(engine, options.connection) if options.connection is not None else None
    with database.session(engine) as session:
        opened = differences.listed(session, chosen)
        settled, more = ([], None) if options.open else _settled(session, chosen)
    found = sorted([*opened, *settled], key=lambda one: one.id)
    if options.json:
        print(plain(json.dumps([_columns(one) for one in found], indent=2)))
    else:
        _print(found)
    if len(opened) == MAX_LISTED:
        complain(f"only {MAX_LISTED} open differences are listed: choose one organisation with --connection")
    if more:
        complain(f"only the newest {MAX_SETTLED} settled differences are listed")
    put_off = sum(one.is_acknowledged(datetime.now(UTC)) for one in opened)
    if opened:
        also = f", of which {put_off} acknowledged for now" if put_off else ""
        complain(f"{len(opened)} open{also}")
    return 1 if opened else 0


def _settled(session: Session, connection_id: UUID | None) -> tuple[list[Difference], int | None]:
    return views.page(session, settled=True, connection_id=connection_id, limit=MAX_SETTLED)


def _print(found: list[Difference]) -> None:
    table = Table("organisation", "document", "difference", "in QicWorks | in Xero", "since (UTC)", "status")
    for one in found:
        subject = f": {one.subject}" if one.subject else ""
        table.add_row(
            one.organisation,
            f"{one.label}{subject}",
            wording.TITLES[one.reason],
            _sides(one),
            _at(one.since),
            _status(one),
        )
    show(table, "no differences")
    if any(views.is_private(one.document_kind) for one in found):
        out.print("values of pay and leave are shown on the pages only")


def _sides(one: Difference) -> str:
    """Each field with both values; of pay and leave only the fields' names."""
    if views.is_private(one.document_kind):
        return ", ".join(name for name, _, _ in views.sides(one))
    return "; ".join(
        f"{name}: {'–' if ours is None else ours} | {'–' if theirs is None else theirs}"
        for name, ours, theirs in views.sides(one)
    )


def _status(one: Difference) -> str:
    if one.settled_at and one.settled_how:
        return f"settled {_at(one.settled_at)}: {wording.SETTLED[one.settled_how]}"
    if one.is_acknowledged(datetime.now(UTC)) and one.acknowledged_until:
        return f"open, acknowledged by {one.acknowledged_by} until {_at(one.acknowledged_until)}"
    return f"open, {one.chosen_by} chose {one.chosen}" if one.chosen else "open"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _columns(one: Difference) -> dict[str, Any]:
    """The columns of the table, and the organisation's name. Of pay and leave no values."""
    hidden = views.is_private(one.document_kind)
    values = {name: value for name, value in vars(one).items() if name != "seen"}
    for side in ("ours", "theirs"):
        values[side] = {on_a_line(name): None if hidden else on_a_line(value) for name, value in values[side].items()}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case UUID():
            return str(value)
        case str():
            return on_a_line(value)
        case _:
            return value
