"""The pages of DAG runs, watched until they end; and starting them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from xero import dag_ids
from xero.datasets.registry import DATASETS
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.pages.access import Viewer, ViewerDep, reading
from xero.pages.airflow_api import AirflowApi, AirflowApiDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page, to
from xero.qicworks.database import Session
from xero.qicworks.runs.events import LABELS, counts_of
from xero.qicworks.views import dag_runs, document_list

router = APIRouter()

MAX_EVENTS = 200  # of a run that are shown
MAX_DOCUMENTS = 500
MAX_RUNS = 50  # on one page
MAX_PACE_SECONDS = 10  # between two updates of each run; with fewer runs, one update each second in all
SEPARATOR = "~"  # between a DAG's id and a run's, in an address; neither of them begins with it


@dataclass(frozen=True)
class Run:
    """A run as Airflow reports it, its events, and its tasks that have a problem."""

    dag_id: str
    run_id: str
    direction: str
    data_set: str
    title: str
    state: str
    paused: bool
    began: datetime | None
    ended: datetime | None
    by: str | None
    events: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    kind: Kind | None
    found: list[dict[str, Any]]  # the documents that were asked for, as they are now; empty: all that are ready

    @property
    def over(self) -> bool:
        return self.state in dag_runs.ENDED

    @property
    def path(self) -> str:
        """Below /xero."""
        return f"synchronise/{quote(self.dag_id, safe='')}/{quote(self.run_id, safe='')}"

    @property
    def in_airflow(self) -> str:
        """Below Airflow's own address."""
        return dag_ids.run_path(self.dag_id, self.run_id)

    @property
    def mark(self) -> str:
        """Changes whenever something that is shown changes."""
        return blake2b(repr(self).encode(), digest_size=9).hexdigest()

    def log_of(self, task: dict[str, Any]) -> str:
        """Below Airflow's own address: the log of the task that an event comes from."""
        return log_address(self.in_airflow, task)


def log_address(run: str, task: Mapping[str, Any]) -> str:
    """The log of a task of the run at that address."""
    mapped = "" if task["map_index"] in (None, -1) else f"/mapped/{task['map_index']}"
    tries = f"?try_number={task['try_number']}" if task["try_number"] else ""
    return f"{run}/tasks/{quote(task['task_id'] or '', safe='')}{mapped}{tries}"


def counted(event: dict[str, Any], direction: str) -> list[tuple[str, int]]:
    """The counts that mean something for that direction, with their labels."""
    return [(LABELS[name], event[name]) for name in counts_of(direction) if name in LABELS]


def start(
    request: Request,
    api: AirflowApi,
    wanted: Sequence[tuple[str, dict[str, Any]]],
    first_day: UUID | None = None,
) -> Response:
    """Triggers these DAGs with these settings, and shows their runs. Reports what Airflow refuses; the others start.

    `first_day`: the connection to whose first day the page of the runs leads back.
    """
    started: list[tuple[str, str]] = []
    refused: list[str] = []
    for dag_id, conf in wanted:
        try:
            started.append((dag_id, api.trigger(dag_id, conf)))
        except HTTPException as refusal:
            if len(wanted) == 1:
                raise
            refused.append(f"{dag_id} was not started. {refusal.detail}")
    if not started:
        raise HTTPException(409, " ".join(refused))
    return _watch(request, started, refused, first_day)


def _watch(
    request: Request, started: list[tuple[str, str]], refused: list[str], first_day: UUID | None
) -> RedirectResponse:
    """Redirects to the page that shows these runs (DAG, run), with the messages about what could not be started."""
    back = {"first_day": str(first_day)} if first_day else {}
    if len(started) == 1:
        [(dag_id, run_id)] = started
        path, names = f"synchronise/{quote(dag_id, safe='')}/{quote(run_id, safe='')}", urlencode(back)
    else:
        runs = [f"{dag_id}{SEPARATOR}{run_id}" for dag_id, run_id in started]
        path, names = "synchronise/runs", urlencode({"run": runs, **back}, doseq=True)
    return to(request, f"{path}?{names}" if names else path, refused, "warning")


@router.get("/synchronise/runs")
def several(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    run: Annotated[list[str] | None, Query()] = None,
    first_day: UUID | None = None,
) -> Response:
    asked = [name.partition(SEPARATOR) for name in dict.fromkeys(run or ())][:MAX_RUNS]
    found = [_found(who, session, api, dag_id, run_id) for dag_id, _, run_id in asked]
    if not found:
        raise HTTPException(404, "The address names no run. Start one under Connections › Synchronise.")
    return page(
        request,
        "runs.html",
        who,
        runs=found,
        counted=counted,
        people=who.may_see_people,
        limit=MAX_EVENTS,
        pace=min(len(found), MAX_PACE_SECONDS),
        first_day=first_day,
    )


@router.get("/synchronise/{dag_id}/{run_id}")
def one(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    dag_id: str,
    run_id: str,
    first_day: UUID | None = None,
) -> Response:
    found = [_found(who, session, api, dag_id, run_id)]
    return page(
        request,
        "runs.html",
        who,
        runs=found,
        counted=counted,
        people=who.may_see_people,
        limit=MAX_EVENTS,
        pace=1,
        first_day=first_day,
    )


@router.get("/synchronise/{dag_id}/{run_id}/now")
def now(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    dag_id: str,
    run_id: str,
    seen: str = "",
    pace: Annotated[int, Query(ge=1, le=MAX_PACE_SECONDS)] = 1,
) -> Response:
    """The part of the page that changes. If nothing changed, the browser keeps what it has, so that readers and screen
    readers are not interrupted."""
    found = _found(who, session, api, dag_id, run_id)
    part = page(
        request,
        "_run.html",
        who,
        run=found,
        counted=counted,
        people=who.may_see_people,
        limit=MAX_EVENTS,
        pace=pace,
    )
    if seen == found.mark:
        part.headers["HX-Reswap"] = "none"
    return part


def _found(who: Viewer, session: Session, api: AirflowApi, dag_id: str, run_id: str) -> Run:
    if dag_id not in dag_ids.on_pages():
        raise HTTPException(404, f"There is no DAG {dag_id} of QicWorks and Xero.")
    reading(who, dag_id)
    run = api.run(dag_id, run_id)
    over = run["state"] in dag_runs.ENDED
    direction, data_set = dag_ids.flow(dag_id)
    made = _moment(run["queued_at"]) or _moment(run["run_after"]) or datetime.now(UTC)
    ended = _moment(run["end_date"])
    events = dag_runs.events_of(
        session, direction, data_set, dag_id, run_id, made, ended or datetime.now(UTC), limit=MAX_EVENTS
    )
    waiting = [] if over else ["up_for_retry"]
    kind = KINDS.get(data_set) if direction == "push" else None
    asked = _ids((run["conf"] or {}).get("document_ids"))
    return Run(
        dag_id=dag_id,
        run_id=run_id,
        direction=direction,
        data_set=data_set,
        title=_title(direction, data_set),
        state=run["state"],
        paused=not over and api.is_paused(dag_id),
        began=_moment(run["start_date"]),
        ended=ended,
        by=run["triggering_user_name"],
        events=events,
        tasks=api.tasks(dag_id, run_id, [*waiting, "failed"] if not events else waiting),
        kind=kind,
        found=document_list.some(session, kind, asked) if kind and asked else [],
    )


def _ids(asked: Any) -> list[UUID]:
    """The ids of documents; empty if they were asked for by number, as the pages never do."""
    try:
        return [UUID(str(one)) for one in asked[:MAX_DOCUMENTS]] if isinstance(asked, list) else []
    except ValueError:
        return []


def _title(direction: str, data_set: str) -> str:
    named = DATASETS.get(data_set) if direction == "pull" else KINDS.get(data_set)
    return f"{direction.capitalize()}: {named.title}" if named else data_set.replace("_", "-").capitalize()


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None
