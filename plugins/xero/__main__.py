"""The command line beside the DAGs, over the same code: `python -m xero …`. Exit code 0 only on success."""

import argparse
import logging
import sys
from collections.abc import Callable
from functools import cache

import psycopg
from rich.console import Console
from rich.logging import RichHandler
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from xero import airflow_connections
from xero.api.errors import XeroError
from xero.api.settings import XeroApp
from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS
from xero.qicworks import connections, database, events
from xero.qicworks.migrate import migrate
from xero.sync.clients import opener
from xero.sync.connect import connect_all
from xero.sync.pull import Origin, PullFailed, Skip, pull
from xero.sync.reconcile import reconcile
from xero.sync.turns import who

QICWORKS = "qicworks_default"

out = Console(soft_wrap=not sys.stdout.isatty(), highlight=False, emoji=False, markup=False)
log = logging.getLogger("xero")


@cache
def app_of(conn_id: str) -> XeroApp:
    return XeroApp.from_connection(airflow_connections.get(conn_id))


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=Console(stderr=True), show_path=False, markup=False)]
        if sys.stderr.isatty()
        else None,
    )
    log.setLevel(logging.DEBUG if options.verbose else logging.WARNING)
    if not options.verbose:
        logging.getLogger("xero.events").setLevel(logging.CRITICAL)  # the outcome is printed anyway
    try:
        engine = database.engine(airflow_connections.get(QICWORKS))
        run: Callable[[Engine, argparse.Namespace], int] = options.run
        return run(engine, options)
    except (XeroError, PullFailed, Skip, LookupError, ValueError) as error:
        print(f"error: {error.args[0] if isinstance(error, LookupError) else error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again, and it goes on where it stopped", file=sys.stderr)
        return 130
    except (SQLAlchemyError, psycopg.Error) as error:
        hint = "; run `python -m xero migrate`" if isinstance(error, psycopg.errors.UndefinedTable) else ""
        print(f"error: the QicWorks database ({QICWORKS}): {str(error).splitlines()[0]}{hint}", file=sys.stderr)
        return 1


def positive(text: str) -> int:
    """A count, as argparse wants it."""
    if not text.isdecimal() or not 0 < int(text) < 1_000_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 999999")
    return int(text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m xero", description="Keeps QicWorks and Xero in step.")
    top.add_argument("-v", "--verbose", action="store_true", help="tell each step")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("migrate", help="bring the QicWorks database to the newest schema")
    command.set_defaults(run=run_migrate)

    command = commands.add_parser("connect", help="match the organisations that Xero lists to QicWorks organisations")
    command.add_argument(
        "--all", action="store_true", required=True, help="every one, by name (grant client_credentials)"
    )
    command.add_argument("--app", default="xero_default", metavar="CONN_ID", help="Airflow connection of type xero")
    command.set_defaults(run=run_connect)

    command = commands.add_parser("connections", help="which organisations are connected")
    command.set_defaults(run=run_connections)

    command = commands.add_parser("pull", help="pull a data set of all organisations, or of one")
    command.add_argument("data_set", choices=[*DATASETS, "all"], metavar="DATA_SET", help=", ".join([*DATASETS, "all"]))
    command.add_argument("--connection", metavar="NAME", help="one organisation only")
    command.add_argument("--full", action="store_true", help="read everything again, not only what changed")
    command.add_argument(
        "--anyway", action="store_true", help="load even if far less came than before, or far more of it is bad"
    )
    command.set_defaults(run=run_pull)

    command = commands.add_parser("reconcile", help="compare every data set with Xero; changes nothing")
    command.add_argument("--connection", metavar="NAME", help="one organisation only")
    command.set_defaults(run=run_reconcile)

    command = commands.add_parser("events", help="the latest connection events")
    command.add_argument("-n", "--number", type=positive, default=20, help="how many (20)")
    command.set_defaults(run=run_events)
    return top


def run_migrate(engine: Engine, options: argparse.Namespace) -> int:
    applied = migrate(engine)
    out.print("\n".join(f"applied {name}" for name in applied) or "the schema is up to date")
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
    show(table, "no organisation is connected; `python -m xero connect --all` connects")
    return 0


def run_pull(engine: Engine, options: argparse.Namespace) -> int:
    failed = 0
    # Those of the night come last: what the others have just read they need not read again.
    every = sorted(DATASETS, key=lambda name: DATASETS[name].timing is not Timing.ANY)
    names = every if options.data_set == "all" else [options.data_set]
    open_client = opener(engine, app_of)
    for name in names:
        dataset = DATASETS[name]
        taken, left_out = who(engine, dataset, options.connection)
        for reason in left_out:
            print(f"left out: {reason}", file=sys.stderr)
        if not taken and not left_out:
            print("no organisation is connected; `python -m xero connect --all` connects", file=sys.stderr)
        failed += (not taken) + any("connected again" in reason for reason in left_out)
        for one in taken:
            label = f"{dataset.title}, {one['organisation']}"
            with _progress() as bar:
                task = bar.add_task(label, total=None, rows=0)
                try:
                    outcome = pull(
                        dataset,
                        one["connection_id"],
                        engine=engine,
                        open_client=open_client,
                        origin=Origin(),
                        full=options.full,
                        anyway=options.anyway,
                        progress=lambda records, bar=bar, task=task: bar.update(
                            task, rows=bar.tasks[0].fields["rows"] + records
                        ),  # type: ignore[misc]
                    )
                except (XeroError, PullFailed, Skip) as error:
                    failed += 1
                    print(f"{label}: {'skipped' if isinstance(error, Skip) else 'failed'}: {error}", file=sys.stderr)
                    continue
                except Exception as error:
                    failed += 1
                    log.debug("%s", label, exc_info=True)
                    said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
                    print(f"{label}: failed: {said} (-v tells where)", file=sys.stderr)
                    continue
            counts = outcome.counts
            out.print(
                f"{label}: {outcome.status}: {counts.read} read, {counts.inserted} inserted, {counts.updated} updated,"
                f" {counts.unchanged} unchanged, {counts.deactivated} deactivated, {counts.rejected} rejected;"
                f" {counts.calls} calls, {counts.bytes_received} bytes; {outcome.message}"
            )
    return 1 if failed else 0


def run_reconcile(engine: Engine, options: argparse.Namespace) -> int:
    """Exit code 0 only if all is in step."""
    taken, left_out = who(engine, None, options.connection)
    for reason in left_out:
        print(f"left out: {reason}", file=sys.stderr)
    differing = 0
    open_client = opener(engine, app_of)
    for one in taken:
        try:
            outcome = reconcile(one["connection_id"], engine=engine, open_client=open_client, origin=Origin())
        except (XeroError, Skip) as error:
            differing += 1
            how = "skipped" if isinstance(error, Skip) else "failed"
            print(f"{one['organisation']}: {how}: {error}", file=sys.stderr)
            continue
        differing += outcome.status != "success"
        out.print(f"{one['organisation']}: {outcome.message}; {outcome.counts.calls} calls")
    return 1 if differing or not taken else 0


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[rows]} records"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not sys.stdout.isatty(),
    )


def run_events(engine: Engine, options: argparse.Namespace) -> int:
    with database.session(engine) as session:
        found = events.latest(session, options.number)
    table = Table(
        "when (UTC)",
        "organisation",
        "data set",
        "status",
        "read",
        "new",
        "changed",
        "gone",
        "rejected",
        "calls",
        "message",
    )
    for event in found:
        numbers = (event[name] for name in ("read", "inserted", "updated", "deactivated", "rejected", "calls"))
        table.add_row(
            f"{event['started_at']:%Y-%m-%d %H:%M:%S}",
            event["organisation"],
            f"{event['direction']} {event['data_set']}",
            event["status"],
            *map(str, numbers),
            " ".join(filter(None, (event["message"], event["correction"]))),
        )
    show(table, "no events yet")
    return 0


def show(table: Table, if_empty: str) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    if not table.row_count:
        print(if_empty)
    elif sys.stdout.isatty():
        out.print(table)
    else:
        columns = [[str(column.header), *map(str, column.cells)] for column in table.columns]
        for row in zip(*columns, strict=True):
            print("\t".join(row))


if __name__ == "__main__":
    sys.exit(main())
