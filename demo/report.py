"""Reports what happened, by DAG and organisation, from the events in the database."""

import re
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row
from rich.markup import escape
from rich.table import Table

from demo.place import Place

EVENTS = """
    SELECT event.dag_id, organisation.name AS organisation, event.status, event.read, event.inserted, event.updated,
           event.unchanged, event.deactivated, event.rejected, event.pushed, event.failed, event.calls,
           event.bytes_received, event.document, event.message, event.correction
      FROM xero_sync.connection_event event
      JOIN xero_sync.connection connection ON connection.id = event.connection_id
      JOIN qicworks.organisation organisation ON organisation.id = connection.organisation_id
     WHERE event.run_id = ANY(%s) AND event.dag_id = ANY(%s)
     ORDER BY event.dag_id, organisation.name, event.id
"""

RUNNING = "SELECT count(*) FROM xero_sync.connection_event WHERE status = 'running'"

ORGANISATIONS = """
    SELECT organisation.name
      FROM xero_sync.connection connection
      JOIN qicworks.organisation organisation ON organisation.id = connection.organisation_id
      JOIN xero_sync.token ON token.id = connection.token_id
     WHERE connection.enabled AND connection.state <> 'deleted'
       AND (connection.state = 'connected' OR token.airflow_conn_id = 'xero_default')
"""

PULLED = ("read", "inserted", "updated", "unchanged", "deactivated", "rejected", "calls", "bytes_received")
PUSHED = ("read", "pushed", "failed", "calls", "bytes_received")
UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")  # shown as … so that equal messages are grouped
COLOURS = {"success": "green", "warning": "yellow", "error": "red", "running": "cyan"}


@dataclass(frozen=True)
class Event:
    """An event: one attempt of a pull or push, or a message about one document."""

    dag_id: str
    organisation: str
    status: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    deactivated: int
    rejected: int
    pushed: int
    failed: int
    calls: int
    bytes_received: int
    document: str | None
    message: str
    correction: str | None

    @property
    def text(self) -> str:
        return " ".join(filter(None, (self.message, self.correction)))


def events(place: Place, runs: dict[str, str]) -> list[Event]:
    """Returns the events of these runs (DAG id → run id), in order."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=class_row(Event)) as connection:
        return connection.execute(EVENTS, (list(runs.values()), list(runs))).fetchall()


def organisations(place: Place) -> set[str]:
    """Names of the connected organisations."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        return {name for (name,) in connection.execute(ORGANISATIONS)}


def nothing_is_running(place: Place) -> bool:
    """True if no pull or push runs: a scheduled one may have started in addition to ours, and taken an organisation."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        return connection.execute(RUNNING).fetchone() == (0,)


def table(title: str, happened: list[Event], counts: tuple[str, ...]) -> Table:
    """A table with one line per event, and a rule between DAGs."""
    drawn = Table(title=title, header_style="bold")
    drawn.add_column("DAG")
    drawn.add_column("organisation")
    for count in counts:
        drawn.add_column(count.replace("_received", ""), justify="right")
    drawn.add_column("status")
    drawn.add_column("message", overflow="fold")
    for number, event in enumerate(happened):
        drawn.add_row(
            event.dag_id,
            escape(event.organisation),
            *(f"{getattr(event, count):,}" for count in counts),
            f"[{COLOURS[event.status]}]{event.status}[/]",
            escape(event.text),
            end_section=is_last(happened, number),
        )
    return drawn


def failures(happened: list[Event]) -> Table:
    """A table of documents that failed or got a warning, one line per message, with the number of organisations."""
    drawn = Table(title="Messages about single documents", header_style="bold")
    for heading in ("DAG", "document", "organisations"):
        drawn.add_column(heading)
    drawn.add_column("message", overflow="fold")
    drawn.add_column("fix", overflow="fold")
    grouped: dict[tuple[str, ...], set[str]] = {}
    for event in happened:
        key = (event.dag_id, UUID.sub("…", event.document or ""), event.message, event.correction or "")
        grouped.setdefault((*key[:2], *(UUID.sub("…", part) for part in key[2:])), set()).add(event.organisation)
    for (dag_id, document, message, correction), organisations in grouped.items():
        drawn.add_row(dag_id, escape(document), str(len(organisations)), escape(message), escape(correction))
    return drawn


def is_last(happened: list[Event], number: int) -> bool:
    """True for the last event of its DAG."""
    return number + 1 == len(happened) or happened[number + 1].dag_id != happened[number].dag_id


def shortcomings(happened: list[Event], dag_ids: list[str], connected: set[str]) -> list[str]:
    """Lists organisations that a DAG did not pull, or whose last attempt failed."""
    if not connected:
        return ["No organisation is connected."]
    last = {(event.dag_id, event.organisation): event for event in happened}
    found = []
    for dag_id in dag_ids:
        for organisation in sorted(connected):
            event = last.get((dag_id, organisation))
            if event is None:
                found.append(f"{dag_id} did not pull {organisation}.")
            elif event.status not in ("success", "warning"):
                found.append(f"{dag_id} of {organisation} ended as {event.status}: {event.text}")
    return found
