"""The page First day of a connection: its steps, and the buttons of each. Opening it asks nothing of Xero."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import Response

from xero.dag_ids import pull_dag_of, push_dag_of
from xero.documents.declaration import Delivery, Kind
from xero.documents.registry import KINDS
from xero.pages import runs
from xero.pages.access import Viewer, ViewerDep
from xero.pages.airflow_api import AirflowApi, AirflowApiDep
from xero.pages.database import EngineDep, SessionDep
from xero.pages.document import kind_of
from xero.pages.first_day import dry_run
from xero.pages.first_day.dry_run import Checked
from xero.pages.first_day.shown import Pulled, SetUp
from xero.pages.first_day.steps import checklist
from xero.pages.rendering import page, to
from xero.pages.synchronise import live
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.views import document_list

router = APIRouter()

MAX_LISTED = 200  # organisations
MAX_REASONS = 10  # of a kind that are shown


@router.get("/first-day")
def several(
    request: Request, who: ViewerDep, session: SessionDep, connection: Annotated[list[UUID] | None, Query()] = None
) -> Response:
    """The organisations that were just matched, or all, with a link each."""
    found = [one for one in connections.every(session) if not connection or one.id in connection]
    return page(request, "first_days.html", who, found=found[:MAX_LISTED], total=len(found))


@router.get("/connections/{id}/first-day")
@router.get("/connections/{id}/first-day/dry-run", name="after_reload")
def show(request: Request, who: ViewerDep, session: SessionDep, api: AirflowApiDep, id: UUID) -> Response:
    return _page(request, who, session, api, id)


def _page(
    request: Request,
    who: Viewer,
    session: Session,
    api: AirflowApi,
    id: UUID,
    checked: Sequence[Checked] | None = None,
) -> Response:
    """`checked`: what a dry run has just found."""
    found = checklist(session, who, api, live(session, str(id)))
    return page(
        request,
        "first_day.html",
        who,
        one=found.connection,
        found=found,
        contacts=next((name for name in who.kinds if KINDS[name].delivery is Delivery.CONTACTS), None),
        may_pull=len(_to_pull(who, found.set_up)),
        may_check=bool(_to_check(who)),
        may_unpause={one.kind.name for one in found.pushes.paused if who.may_unpause(one.dag_id)},
        checked=checked,
        most_reasons=MAX_REASONS,
        cap=document_list.CAP,
    )


@router.post("/connections/{id}/first-day/pull")
def pull(request: Request, who: ViewerDep, session: SessionDep, api: AirflowApiDep, id: UUID) -> Response:
    """Pulls the set-up data that is left, as far as the user may."""
    if not who.may_trigger_any(map(pull_dag_of, who.data_sets)):
        raise HTTPException(403, "This needs the right to trigger the DAGs that pull.")
    chosen = live(session, str(id))
    if not chosen.enabled:
        raise HTTPException(409, f"{chosen.organisation} is switched off. Switch it on first.")
    wanted = _to_pull(who, checklist(session, who, api, chosen).set_up)
    if not wanted:
        return to(request, f"connections/{id}/first-day", ["Nothing is left to pull."])
    conf = {"connection": str(chosen.id), "full_refresh": False}
    return runs.start(request, api, [(pull_dag_of(one.dataset.name), conf) for one in wanted], first_day=id)


def _to_pull(who: Viewer, set_up: SetUp) -> list[Pulled]:
    return [one for one in set_up.left if who.may_trigger(one.dag_id)]


@router.post("/connections/{id}/first-day/dry-run")
def check(
    request: Request, who: ViewerDep, engine: EngineDep, session: SessionDep, api: AirflowApiDep, id: UUID
) -> Response:
    """Shows what a push would send and refuse. Sends nothing; may read from Xero."""
    kinds = _to_check(who)
    if not kinds:
        raise HTTPException(403, "This needs the right to trigger a DAG that pushes.")
    chosen = live(session, str(id))
    if chosen.left_out:
        raise HTTPException(409, f"{chosen.organisation} is not checked: it is {chosen.left_out}.")
    return _page(request, who, session, api, id, dry_run.dry_run(engine, session, chosen, kinds, who.name))


def _to_check(who: Viewer) -> list[Kind]:
    """Those who push documents, or may preview them, may know what would become of them."""
    return [KINDS[name] for name in who.kinds if who.may_edit or who.may_trigger(push_dag_of(name))]


@router.post("/connections/{id}/first-day/unpause")
def unpause(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    id: UUID,
    kind: Annotated[str, Form()] = "",
) -> Response:
    """Switches a push on, in Airflow and with the user's own rights there: it is one DAG for all organisations."""
    dag_id = push_dag_of(kind_of(who, kind).name)
    if not who.may_unpause(dag_id):
        raise HTTPException(403, f"This needs the right to edit the DAG {dag_id}.")
    chosen = live(session, str(id))
    api.unpause(dag_id)
    return to(request, f"connections/{chosen.id}/first-day", [f"The DAG {dag_id} is on."])
