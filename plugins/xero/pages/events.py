"""The pages of connection events: the list, one event, its log, the export."""

import csv
import io
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from xero import dag_ids
from xero.hooks import qicworks_engine
from xero.pages import runs
from xero.pages.access import Viewer, ViewerDep
from xero.pages.airflow_api import AirflowApiDep
from xero.pages.database import SessionDep
from xero.pages.rendering import airflow, page, to
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.runs.events import LABELS, Counts
from xero.qicworks.runs.outcome import Direction, Status
from xero.qicworks.texts import for_a_spreadsheet
from xero.qicworks.views import event_log
from xero.qicworks.views.event_log import EventPosition, Filter

router = APIRouter()

GONE = "Airflow no longer has this run or its log: they were cleaned up there. The event itself is complete."
LIMIT = 50
MAX_ID = 2**63 - 1
COLUMNS = (
    "id",
    "started_at",
    "ended_at",
    "organisation",
    "tenant_name",
    "direction",
    "data_set",
    "document",
    "status",
    "message",
    "correction",
    *(field.name for field in fields(Counts)),
    "correlation_id",
    *("dag_id", "run_id", "task_id", "map_index", "try_number", "log_url"),
)
COUNTS = [(name, label) for name, label in LABELS.items() if name not in ("unchanged", "calls")]


class Asked:
    """The filter in the address. Empty values do not count; values that make no sense are refused."""

    def __init__(
        self,
        who: ViewerDep,
        connection: str = "",
        direction: str = "",
        data_set: str = "",
        status: str = "",
        text: str = "",
        since: str = "",
        until: str = "",
        zone: str = "",
        before: str = "",
    ) -> None:
        self.given = {
            "connection": connection,
            "direction": direction,
            "data_set": data_set,
            "status": status,
            "text": text,
            "since": since,
            "until": until,
            "zone": zone,
        }
        try:
            self.before = EventPosition.parse(before) if before else None
            home = ZoneInfo(zone) if zone else UTC
            self.filter = Filter(
                connection_id=UUID(connection) if connection else None,
                direction=direction or None,
                data_set=data_set or None,
                status=status or None,
                text=text or None,
                since=_instant(since, home),
                until=_instant(until, home),
                scope=who.event_scope,
            )
        except (ValueError, LookupError, OSError):
            raise HTTPException(422, "This filter cannot be read. Choose it again from the fields.") from None

    def address(self, **others: str) -> str:
        """The query of the same filter, for a link."""
        return urlencode({name: value for name, value in (self.given | others).items() if value})


def _instant(said: str, home: Any) -> datetime | None:
    """A value of a field of the page, in the viewer's time zone; or an instant with its time zone."""
    if not said:
        return None
    at = datetime.fromisoformat(said)
    return at if at.tzinfo else at.replace(tzinfo=home)


AskedDep = Annotated[Asked, Depends(Asked)]
EventId = Annotated[int, Path(ge=1, le=MAX_ID)]


@router.get("/events")
def show(request: Request, who: ViewerDep, session: SessionDep, asked: AskedDep) -> Response:
    found, end = event_log.page(session, asked.filter, asked.before, LIMIT)
    return page(
        request,
        "events.html",
        who,
        found=found,
        asked=asked,
        older=asked.address(before=str(end)) if end else None,
        organisations=[(one.id, one.organisation, one.state) for one in connections.every(session, deleted=True)],
        data_sets=_data_sets(who, session),
        directions=list(Direction),
        statuses=list(Status),
        counts=COUNTS,
    )


@router.get("/events/{id}")
def one(request: Request, who: ViewerDep, session: SessionDep, api: AirflowApiDep, id: EventId) -> Response:
    event = event_log.get_event(session, id, who.event_scope)
    ran = bool(event["dag_id"] and event["run_id"])
    there = ran and api.has_run(event["dag_id"], event["run_id"])
    return page(request, "event.html", who, event=event, counts=COUNTS, ran=ran, there=there)


@router.get("/events/{id}/log")
def log(request: Request, who: ViewerDep, session: SessionDep, api: AirflowApiDep, id: EventId) -> Response:
    """Redirects to the Airflow log of the task that wrote the event, or to the event if there is no log any longer."""
    event = event_log.get_event(session, id, who.event_scope)
    if not (event["dag_id"] and event["run_id"] and event["task_id"]):
        raise HTTPException(404, "Nothing of this event ran in Airflow, so there is no log of it.")
    if not api.has_run(event["dag_id"], event["run_id"]):
        return to(request, f"events/{id}", [GONE], "warning")
    run = dag_ids.run_path(event["dag_id"], event["run_id"])
    return RedirectResponse(f"{airflow(request)}/{runs.log_address(run, event)}", 303)


@router.get("/events.csv")
def export(who: ViewerDep, asked: AskedDep) -> Response:
    """All that the filter lets through, as it is read. What fails does so before the first line is sent, as a rule."""

    def lines() -> Iterator[str]:
        # Not the request's session: that one may be closed before the last line is sent.
        with database.session(qicworks_engine()) as session:
            yield _line(COLUMNS)
            for event in event_log.export(session, asked.filter):
                yield _line([_harmless(event[name]) for name in COLUMNS])

    sent = lines()
    begun = list(islice(sent, 2))
    name = f"connection-events-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chain(begun, sent), media_type="text/csv; charset=utf-8", headers=headers)


def _line(values: Any) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(values)
    return written.getvalue()


def _harmless(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else for_a_spreadsheet(value)


def _data_sets(who: Viewer, session: SessionDep) -> list[str]:
    scope = who.event_scope
    return sorted(
        {name for direction, name in event_log.list_pairs(session) if scope is None or (direction, name) in scope}
    )
