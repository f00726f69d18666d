"""How an organisation works: its settings, each declared once, as a field of `ConnectionSettings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.sql import Identifier

from xero.qicworks import sql
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line

QUERIES = sql.Statements("settings")
CONNECTIONS = sql.Statements("connections")
LONGEST_NAME = 200  # characters of who changed it


class Conflicts(StrEnum):
    """What happens with a document that was changed in Xero after it was pushed."""

    ASK = "ask"  # a difference, and nothing is overwritten until a user chooses
    QICWORKS = "qicworks"  # QicWorks' version overwrites Xero's
    XERO = "xero"  # QicWorks takes Xero's version over


class NewContacts(StrEnum):
    """What happens with a customer or supplier of QicWorks that is not linked to a contact in Xero."""

    OFF = "off"  # it is not looked for and not sent
    ASK = "ask"  # one certain match is linked; otherwise a user decides
    CREATE = "create"  # one certain match is linked; if Xero has none like it, it is created


@dataclass(frozen=True)
class ConnectionSettings:
    """The settings of an organisation. Each field is a column of `xero_sync.connection_setting`, with its default.

    Its type has to be an enum of texts; `help` is one line for users.
    """

    conflicts: Conflicts = field(
        default=Conflicts.ASK,
        metadata={"help": "whose version stays if a document was changed in Xero after its push", "type": Conflicts},
    )
    new_contacts: NewContacts = field(
        default=NewContacts.ASK,
        metadata={"help": "whether customers and suppliers that Xero lacks are created there", "type": NewContacts},
    )


@dataclass(frozen=True)
class Setting:
    """One of them: its name, what it may be, and what it is for."""

    name: str
    choices: tuple[str, ...]
    help: str


SETTINGS = {
    one.name: Setting(one.name, tuple(one.metadata["type"]), one.metadata["help"]) for one in fields(ConnectionSettings)
}


def parse(given: Mapping[str, str]) -> dict[str, Any]:
    """Checks names and values. Raises ValueError, which lists what there is."""
    parsed = {}
    types = {one.name: one.metadata["type"] for one in fields(ConnectionSettings)}
    for name, value in given.items():
        if name not in types:
            raise ValueError(f"there is no setting '{on_a_line(name)}'; there is {', '.join(types)}")
        if value not in tuple(types[name]):
            raise ValueError(f"{name} cannot be '{on_a_line(value)}'; it is one of {', '.join(types[name])}")
        parsed[name] = types[name](value)
    return parsed


def read(session: Session, connection_id: UUID) -> ConnectionSettings:
    """The settings of this connection; those that were never changed have their defaults."""
    found = QUERIES.read(session, connection_id=connection_id)
    kept = found["setting"] if found else {}
    return ConnectionSettings(**parse({name: kept[name] for name in SETTINGS if name in kept}))


def change(session: Session, connection_id: UUID, changes: Mapping[str, str], who: str) -> ConnectionSettings:
    """Changes these settings, and writes an event that names who did it; none if nothing changes.

    Raises:
        ValueError: There is no such setting, or it cannot have that value. Nothing was changed.
        LookupError: There is no such connection, or it is deleted.
    """
    wanted = parse(changes)
    with session.transaction():
        CONNECTIONS.lock(session, id=connection_id)
        connection = connections.one(session, connection_id)
        if connection.state == "deleted":
            raise LookupError(f"{connection.organisation} is deleted; connect it again")
        before = read(session, connection_id)
        after = replace(before, **wanted)
        changed = {name: value for name, value in asdict(after).items() if value != getattr(before, name)}
        if not changed:
            return before
        user = fit(on_a_line(who), LONGEST_NAME)
        QUERIES.begin(session, connection_id=connection_id)
        for name, value in changed.items():
            update = sql.template("settings", "set").format(column=Identifier(name))
            session.execute(update, {"value": value, "who": user, "connection_id": connection_id})
        what = ", ".join(f"{name} from {getattr(before, name)} to {value}" for name, value in changed.items())
        about = Direction.CONNECT, "connection", Status.SUCCESS, EventOutcome.DONE
        events.record(session, connection_id, *about, f"settings changed by {user}: {what}", Origin())
    return after
