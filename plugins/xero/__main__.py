"""The command line, `python -m xero …`: runs the same code as the DAGs. Exit code 0 only on success."""

import argparse
import logging
import sys
from collections.abc import Callable

import psycopg
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from xero.api.errors import XeroError
from xero.cli import (
    adopting,
    airflow_connections,
    contacts,
    differences,
    keys,
    links,
    people,
    pushing,
    settings,
    tie_out,
)
from xero.cli.pulling import run_pull, run_reconcile
from xero.cli.terminal import PlainFormatter, app_of, complain, log, out, show
from xero.composition import QICWORKS, opener
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.admin import grants
from xero.qicworks.admin.migrate import migrate
from xero.qicworks.connect import connections
from xero.qicworks.runs import events
from xero.qicworks.runs.events import LABELS
from xero.sync.connect.connect_all import connect_all
from xero.sync.runs.outcome import PullFailed, Skip

COUNTS = [name for name in LABELS if name != "unchanged"]


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    rich = RichHandler(console=Console(stderr=True), show_path=False, markup=False)
    handler = rich if sys.stderr.isatty() else logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    log.setLevel(logging.DEBUG if options.verbose else logging.WARNING)
    if not options.verbose:
        logging.getLogger("xero.events").setLevel(logging.CRITICAL)  # the outcome is printed below
    try:
        engine = database.engine(airflow_connections.get(QICWORKS))
        run: Callable[[Engine, argparse.Namespace], int] = options.run
        return run(engine, options)
    except (XeroError, PullFailed, Skip, LookupError, ValueError) as error:
        complain(f"error: {error if isinstance(error, XeroError) else error.args[0] if error.args else error}")
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again to resume where it stopped", file=sys.stderr)
        return 130
    except (SQLAlchemyError, psycopg.Error) as error:
        reason = str(error).splitlines()[0]
        complain(f"error: the QicWorks database ({QICWORKS}): {reason}{hint(error, options.run)}")
        return 1


def hint(error: Exception, run: object) -> str:
    """What to do about this database error; empty if unknown."""
    if isinstance(error, psycopg.errors.UndefinedTable):
        return "; run `python -m xero migrate` with the owner's connection"
    if not isinstance(error, psycopg.errors.InsufficientPrivilege):
        return ""
    if run in (run_migrate, people.run_erase):
        return f"; run it with the owner's connection as {QICWORKS}: this role may only pull, push and read"
    return (
        "; run `python -m xero migrate --grant-to ROLE` with the owner's connection, which gives this role its rights"
    )


def positive(text: str) -> int:
    """Parses a count for argparse."""
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 999999")
    return int(text)


PARTS = (
    ("differences", differences, "list what differs between QicWorks and Xero until it is settled"),
    ("contacts", contacts, "list new contacts that wait for a decision, or decide about one"),
    ("links", links, "list people and contacts that may be in Xero already; link them, or undo a link"),
    ("adopt", adopting, "list documents that may be in Xero already, decide about one, or link all certain ones"),
    ("settings", settings, "show or change how each organisation works"),
    ("tie-out", tie_out, "compare each document pushed in a period, except pay, with Xero"),
    ("keys", keys, "rotate or check the keys that encrypt stored tokens"),
    ("person", people, "export or erase what is stored about a person"),
)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m xero", description="Synchronises QicWorks with Xero.")
    top.add_argument("-v", "--verbose", action="store_true", help="log each step")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("migrate", help="update the QicWorks database to the newest schema")
    command.add_argument(
        "--grant-to", metavar="ROLE", help="also grant this role what pulls, pushes and the pages need, and no more"
    )
    command.set_defaults(run=run_migrate)

    command = commands.add_parser("connect", help="match the organisations that Xero lists to QicWorks organisations")
    command.add_argument(
        "--all", action="store_true", required=True, help="match all of them by name (grant client_credentials)"
    )
    command.add_argument("--app", default="xero_default", metavar="CONN_ID", help="Airflow connection of type xero")
    command.set_defaults(run=run_connect)

    command = commands.add_parser("connections", help="list the connections, and why any are skipped")
    command.set_defaults(run=run_connections)

    command = commands.add_parser("pull", help="pull a data set from Xero, for all organisations or one")
    command.add_argument("data_set", choices=[*DATASETS, "all"], metavar="DATA_SET", help=", ".join([*DATASETS, "all"]))
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    command.add_argument("--full", action="store_true", help="full refresh: fetch all records, not only changed ones")
    command.add_argument(
        "--force", action="store_true", help="load even if far fewer records came than before, or far more are invalid"
    )
    command.add_argument("--anyway", dest="force", action="store_true", help=argparse.SUPPRESS)  # its old name
    command.set_defaults(run=run_pull)

    command = commands.add_parser("push", help="push released documents to Xero, for all organisations or one")
    pushing.add_arguments(command)

    command = commands.add_parser(
        "reconcile", help="compare every data set with Xero, open and settle differences; changes nothing in Xero"
    )
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    command.set_defaults(run=run_reconcile)

    for name, module, help in PARTS:
        module.add_arguments(commands.add_parser(name, help=help))

    command = commands.add_parser("events", help="show the latest connection events")
    command.add_argument("-n", "--number", type=positive, default=20, help="how many to show (default: 20)")
    command.set_defaults(run=run_events)
    return top


def run_migrate(engine: Engine, options: argparse.Namespace) -> int:
    applied = migrate(engine)
    out.print("\n".join(f"applied {name}" for name in applied) or "the schema is up to date")
    if options.grant_to:
        with database.session(engine) as session:
            for odd in grants.grant_to(session, options.grant_to):
                complain(f"warning: {odd}")
        out.print(f"{options.grant_to} may pull, push and read")
    return 0


def run_connect(engine: Engine, options: argparse.Namespace) -> int:
    troubles = connect_all(engine, app_of(options.app), options.app, opener(engine, app_of), out.print)
    return 1 if troubles else 0


def run_connections(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        found = connections.every(session)
    table = Table("QicWorks organisation", "Xero organisation", "state", "id")
    for one in found:
        table.add_row(one.organisation, one.tenant_name, one.left_out or "connected", str(one.id))
    show(table, "no organisation is connected; run `python -m xero connect --all`")
    return 0


def run_events(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        found = events.latest(session, options.number)
    table = Table(
        "when (UTC)",
        "organisation",
        "data set",
        "status",
        *(LABELS[name] for name in COUNTS),
        "document",
        "message",
        "Xero-Correlation-Id",
    )
    for event in found:
        numbers = (event[name] for name in COUNTS)
        table.add_row(
            f"{event['started_at']:%Y-%m-%d %H:%M:%S}",
            event["organisation"],
            f"{event['direction']} {event['data_set']}",
            event["status"],
            *map(str, numbers),
            event["document"] or "",
            " ".join(filter(None, (event["message"], event["correction"]))),
            event["correlation_id"] or "",
        )
    show(table, "no events yet")
    return 0


if __name__ == "__main__":
    sys.exit(main())
