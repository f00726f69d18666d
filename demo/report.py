"""What happened, per DAG and organisation, as the database tells it."""

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row
from rich.markup import escape
from rich.table import Table

from demo.place import Place

EVENTS = """
    SELECT event.dag_id, organisation.name AS organisation, event.status, event.read, event.inserted, event.updated,
           event.unchanged, event.deactivated, event.rejected, event.calls, event.bytes_received,
           concat_ws(' ', event.message, event.correction) AS message
      FROM xero_sync.connection_event event
      JOIN xero_sync.connection connection ON connection.id = event.connection_id
      JOIN qicworks.organisation organisation ON organisation.id = connection.organisation_id
     WHERE event.run_id = ANY(%s) AND event.dag_id = ANY(%s)
     ORDER BY event.dag_id, organisation.name, event.id
"""

ORGANISATIONS = """
    SELECT organisation.name
      FROM xero_sync.connection connection
      JOIN qicworks.organisation organisation ON organisation.id = connection.organisation_id
     WHERE connection.enabled AND connection.state <> 'deleted'
"""

COUNTS = ("read", "inserted", "updated", "unchanged", "deactivated", "rejected", "calls", "bytes_received")
COLOURS = {"success": "green", "warning": "yellow", "error": "red", "running": "cyan"}


@dataclass(frozen=True)
class Event:
    """One try of one pull."""

    dag_id: str
    organisation: str
    status: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    deactivated: int
    rejected: int
    calls: int
    bytes_received: int
    message: str


def events(place: Place, runs: dict[str, str]) -> list[Event]:
    """The events of these runs (DAG id → run id), in order."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=class_row(Event)) as connection:
        return connection.execute(EVENTS, (list(runs.values()), list(runs))).fetchall()


def organisations(place: Place) -> set[str]:
    """Every organisation that is connected."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        return {name for (name,) in connection.execute(ORGANISATIONS)}


def table(happened: list[Event]) -> Table:
    """One line per event, a rule between DAGs."""
    drawn = Table(title="What was pulled", header_style="bold")
    drawn.add_column("DAG")
    drawn.add_column("organisation")
    for count in COUNTS:
        drawn.add_column(count.replace("_received", ""), justify="right")
    drawn.add_column("status")
    drawn.add_column("message", overflow="fold")
    for number, event in enumerate(happened):
        last = number + 1 == len(happened) or happened[number + 1].dag_id != event.dag_id
        drawn.add_row(
            event.dag_id,
            escape(event.organisation),
            *(f"{getattr(event, count):,}" for count in COUNTS),
            f"[{COLOURS[event.status]}]{event.status}[/]",
            escape(event.message),
            end_section=last,
        )
    return drawn


def shortcomings(happened: list[Event], dag_ids: list[str], connected: set[str]) -> list[str]:
    """What is not as it should be: an organisation that a DAG did not pull, or not well in the end."""
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
                found.append(f"{dag_id} of {organisation} ended as {event.status}: {event.message}")
    return found
