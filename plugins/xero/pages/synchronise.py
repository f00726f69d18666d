"""Synchronise: pulls data sets of one organisation now, and shows the runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.dag_ids import pull_dag_of
from xero.datasets.declaration import Dataset, Follows
from xero.datasets.registry import DATASETS
from xero.pages import runs
from xero.pages.access import Viewer, ViewerDep, triggering
from xero.pages.airflow_api import AirflowApiDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.views import status

router = APIRouter()
router.include_router(runs.router)

SET_UP = "set-up"  # what the button for all of them sends


def is_set_up(dataset: Dataset) -> bool:
    """Whether documents are made of it; the others belong to a day, or follow what was pushed."""
    return not dataset.timing.of_a_day and dataset.follows in (None, Follows.CONTACTS)


@router.get("/synchronise")
def show(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    connection: str = "",
    data_set: str = "",
) -> Response:
    """`data_set`: the one that is ticked at first."""
    known = connections.every(session)
    if not connection and len(known) == 1:
        connection = str(known[0].id)
    chosen = live(session, connection) if connection else None
    offered = [DATASETS[name] for name in who.data_sets if who.may_trigger(pull_dag_of(name))]
    paused = api.paused() if chosen else set()
    last = {}
    if chosen:
        data_sets = status.get_status(session, chosen.id, who.event_scope).data_sets
        last = {one.data_set: one for one in data_sets if one.direction == "pull"}
    return page(
        request,
        "synchronise.html",
        who,
        known=known,
        chosen=chosen,
        groups=[
            ("Set-up data", [one for one in offered if is_set_up(one)]),
            ("Data for each day", [one for one in offered if not is_set_up(one)]),
        ],
        offered=offered,
        ticked=data_set,
        last=last,
        set_up=SET_UP,
        pull_dag_of=pull_dag_of,
        paused=[one for one in offered if pull_dag_of(one.name) in paused],
    )


@router.post("/synchronise")
def pull(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    connection: Annotated[str, Form()] = "",
    data_set: Annotated[list[str] | None, Form()] = None,
    full_refresh: Annotated[str, Form()] = "",
    every: Annotated[str, Form()] = "",
) -> Response:
    chosen = live(session, connection)
    if not chosen.enabled:
        raise HTTPException(409, f"{chosen.organisation} is switched off. Switch it on under Connections first.")
    wanted = _wanted(who, data_set or [], every == SET_UP)
    conf = {"connection": str(chosen.id), "full_refresh": bool(full_refresh)}
    return runs.start(request, api, [(pull_dag_of(name), conf) for name in wanted])


def live(session: Session, said: str) -> Connection:
    """Returns the connection of that id. Raises LookupError if there is none, or it was deleted."""
    try:
        found = connections.one(session, UUID(said))
    except ValueError:
        raise LookupError("Choose an organisation first: there is no such connection.") from None
    if found.state == "deleted":
        raise LookupError(f"The connection of {found.organisation} was deleted. Connect to Xero again.")
    return found


def _wanted(who: Viewer, ticked: list[str], set_up: bool) -> list[str]:
    """The data sets to pull, all of which this user may trigger."""
    if set_up:
        ticked = [name for name, one in DATASETS.items() if is_set_up(one) and who.may_trigger(pull_dag_of(name))]
    if unknown := [name for name in ticked if name not in DATASETS]:
        raise LookupError(f"There is no data set {unknown[0]}.")
    if not ticked:
        raise HTTPException(422, "Tick at least one data set, then pull.")
    for name in ticked:
        triggering(who, pull_dag_of(name))
    return list(dict.fromkeys(ticked))
