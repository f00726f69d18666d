"""`settings`: how each organisation works: shown, changed, and compared with what was pulled."""

import argparse
import getpass
import json
from uuid import UUID

from rich.table import Table
from sqlalchemy import Engine

from xero.cli.terminal import complain, out, plain, show
from xero.qicworks import database
from xero.qicworks.connect import connections, departments, settings
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.declared_settings import Setting
from xero.qicworks.connect.offers import Offers
from xero.qicworks.connect.settings import SETTINGS
from xero.qicworks.database import Session
from xero.sync.follow.unfit_settings import compare_settings
from xero.sync.runs.participants import find_connection

NONE_CONNECTED = "no organisation is connected; run `python -m xero connect --all`"


def add_arguments(command: argparse.ArgumentParser) -> None:
    parts = command.add_subparsers(required=True, metavar="get|set|validate")

    part = parts.add_parser("get", help="show the settings")
    part.add_argument("name", nargs="?", metavar="NAME", help=_listed())
    part.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    part.add_argument("--json", action="store_true", help="print a JSON array, an object for each organisation")
    part.set_defaults(run=run_get)

    part = parts.add_parser("set", help="change settings of one organisation; an empty value is the default again")
    part.add_argument("changes", nargs="+", metavar="NAME=VALUE", help=_listed())
    part.add_argument("--connection", metavar="NAME", required=True, help="this QicWorks organisation")
    part.set_defaults(run=run_set)

    part = parts.add_parser("validate", help="list settings that no longer fit what was pulled from Xero")
    part.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    part.set_defaults(run=run_validate)


def _listed() -> str:
    def described(setting: Setting) -> str:
        choices = f"={'|'.join(setting.choices)}" if 0 < len(setting.choices) < 9 else ""
        return f"{setting.name}{choices}: {setting.help}"

    return "; ".join(map(described, SETTINGS.values()))


def run_get(engine: Engine, options: argparse.Namespace) -> int:
    if options.name is not None:
        settings.parse({options.name: ""})
    names = [options.name] if options.name is not None else [*SETTINGS]
    with database.session(engine) as session:
        found = [(one, _read(session, one.id, names)) for one in _chosen(session, engine, options.connection)]
    if options.json:
        columns = "organisation", "connection_id", "settings"
        rows = [dict(zip(columns, (one.organisation, str(one.id), values), strict=True)) for one, values in found]
        print(plain(json.dumps(rows, indent=2)))
        return 0
    table = Table("QicWorks organisation", "setting", "value", "changed by", "changed at (UTC)")
    for one, values in found:
        for name, value in values.items():
            cells = (value["shown"], value["changed_by"] or "", (value["changed_at"] or "")[:16].replace("T", " "))
            table.add_row(one.organisation, name, *cells)
    show(table, NONE_CONNECTED)
    return 0


def _read(session: Session, connection_id: UUID, names: list[str]) -> dict[str, dict[str, str | None]]:
    kept, offers = settings.kept(session, connection_id), Offers(session, connection_id)
    values: dict[str, dict[str, str | None]] = {}
    for name in names:
        last = kept.get(name)
        value = last.value if last else SETTINGS[name].default
        values[name] = {
            "value": value,
            "shown": settings.shown(SETTINGS[name], value, offers),
            "changed_by": last.changed_by if last else None,
            "changed_at": last.changed_at.isoformat() if last else None,
        }
    return values


def run_set(engine: Engine, options: argparse.Namespace) -> int:
    changes = _parse(options.changes)
    wanted = find_connection(engine, options.connection)
    with database.session(engine) as session:
        with session.transaction():
            settings.change(session, wanted, changes, f"{getpass.getuser()} (command line)")
            compare_settings(session, wanted)
        values = _read(session, wanted, list(changes))
    for name, value in values.items():
        out.print(f"{name} is {value['shown']}")
    return 0


def run_validate(engine: Engine, options: argparse.Namespace) -> int:
    """Exit code 1 if a setting no longer fits."""
    table = Table("QicWorks organisation", "setting", "problem")
    with database.session(engine) as session:
        chosen = _chosen(session, engine, options.connection)
        for one in chosen:
            for problem in settings.misfits(settings.read(session, one.id), Offers(session, one.id)):
                table.add_row(one.organisation, problem.setting.name, problem.says)
            for lacking in departments.lacking(session, one.id):
                table.add_row(one.organisation, "departments", f"'{lacking.name}' has no option in Xero")
    show(table, f"all settings of {len(chosen)} organisations fit" if chosen else NONE_CONNECTED)
    if table.row_count:
        complain("Choose others with `python -m xero settings set`, or restore or create them in Xero and pull again.")
    return 1 if table.row_count else 0


def _chosen(session: Session, engine: Engine, name: str | None) -> list[Connection]:
    wanted = find_connection(engine, name) if name is not None else None
    return [one for one in connections.every(session) if wanted in (None, one.id)]


def _parse(given: list[str]) -> dict[str, str]:
    """NAME=VALUE of each. Raises ValueError if one is not, or a name is given twice."""
    changes: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        name = name.strip()
        if not separator or name in changes:
            what = "is given twice" if name in changes else "is not NAME=VALUE, such as conflicts=ask"
            raise ValueError(f"'{text}' {what}")
        changes[name] = value.strip()
    settings.parse(changes)
    return changes
