"""`settings`: how each organisation works, and changing it."""

import argparse
import getpass

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import show
from xero.qicworks import database
from xero.qicworks.connect import connections, settings
from xero.sync.runs.participants import find_connection


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    choices = "; ".join(f"{one.name}={'|'.join(one.choices)}: {one.help}" for one in settings.SETTINGS.values())
    command.add_argument("--set", dest="changes", metavar="NAME=VALUE", action="append", help=choices)
    command.set_defaults(run=run_settings)


def run_settings(engine: Engine, options: argparse.Namespace) -> int:
    changes = _parse(options.changes or [])
    if changes and options.connection is None:
        raise ValueError("--set needs --connection: the settings of one organisation are changed at a time")
    wanted = find_connection(engine, options.connection) if options.connection is not None else None
    with database.session(engine) as session:
        if wanted and changes:
            settings.change(session, wanted, changes, f"{getpass.getuser()} (command line)")
        table = Table("QicWorks organisation", *settings.SETTINGS)
        for connection in connections.every(session):
            if wanted in (None, connection.id):
                values = settings.read(session, connection.id)
                table.add_row(connection.organisation, *(str(getattr(values, name)) for name in settings.SETTINGS))
    show(table, "no organisation is connected; run `python -m xero connect --all`")
    return 0


def _parse(given: list[str]) -> dict[str, str]:
    """NAME=VALUE of each. Raises ValueError if one is not, or a name is given twice."""
    changes: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or name in changes:
            what = "is given twice" if name in changes else "is not NAME=VALUE, such as conflicts=ask"
            raise ValueError(f"--set '{text}' {what}")
        changes[name.strip()] = value.strip()
    settings.parse(changes)
    return changes
