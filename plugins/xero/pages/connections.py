"""The connections page: which Xero organisation is matched to which QicWorks organisation, and the status of each."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.api.errors import XeroError
from xero.dag_ids import pull_dag_of
from xero.pages.access import EditorDep, ViewerDep
from xero.pages.airflow_api import AirflowApi, AirflowApiDep
from xero.pages.apps import app_of, open_client
from xero.pages.database import EngineDep, SessionDep
from xero.pages.first_day.steps import checklist
from xero.pages.rendering import page, to
from xero.qicworks.connect import connections, matches, switches
from xero.qicworks.views import status, unmatched_authorisations
from xero.sync.connect import consent
from xero.sync.connect.consent import WrongPairs
from xero.sync.connect.disconnect import disconnect

router = APIRouter()

LIMIT = 50  # connections on a page


@router.get("/connections")
def show(request: Request, who: ViewerDep, session: SessionDep, search: str = "", offset: int = 0) -> Response:
    found, total = status.page(session, search, LIMIT, max(offset, 0), who.event_scope)
    return page(
        request,
        "connections.html",
        who,
        found=found,
        total=total,
        search=search,
        offset=max(offset, 0),
        limit=LIMIT,
        may_pull=who.may_trigger_any(map(pull_dag_of, who.data_sets)),
        unmatched=unmatched_authorisations.unmatched(session) if who.may_edit else [],
    )


@router.get("/connections/{id}")
def one(request: Request, who: ViewerDep, session: SessionDep, api: AirflowApiDep, id: UUID) -> Response:
    """One connection: match it again, reconnect it, switch it on or off; and the status of its data sets."""
    return _one(request, who, session, api, id)


def _one(
    request: Request, who: ViewerDep, session: SessionDep, api: AirflowApi, id: UUID, wrong: list[str] | None = None
) -> Response:
    found = status.get_status(session, id, who.event_scope)
    is_live = found.connection.state != "deleted"
    return page(
        request,
        "connection.html",
        who,
        status=409 if wrong else 200,
        found=found,
        one=found.connection,
        choices=consent.choices(session) if who.may_edit else [],
        left=checklist(session, who, api, found.connection).left if is_live else [],
        wrong=wrong or [],
        may_pull=who.may_trigger_any(map(pull_dag_of, who.data_sets)),
    )


@router.post("/connections/{id}/switch")
def switch(
    request: Request,
    who: EditorDep,
    session: SessionDep,
    id: UUID,
    on: Annotated[str, Form()] = "",
    first_day: Annotated[str, Form()] = "",
) -> Response:
    """`first_day`: it was pressed there."""
    app = app_of(_live(session, id).airflow_conn_id)
    said = switches.switch(session, app, id, bool(on), who.name)
    return to(request, f"connections/{id}/first-day" if first_day else "connections", [said])


@router.post("/connections/{id}/match")
def match(
    request: Request,
    who: EditorDep,
    engine: EngineDep,
    session: SessionDep,
    api: AirflowApiDep,
    id: UUID,
    organisation: Annotated[UUID, Form()],
) -> Response:
    """Another QicWorks organisation for the same Xero organisation."""
    found = _live(session, id)
    if organisation == found.organisation_id and matches.holds(found, app_of(found.airflow_conn_id)):
        return to(request, f"connections/{id}", ["Nothing to save: this match is already in place."])
    granted = consent.authorised_tenants(engine, app_of, found.token_id)
    try:
        matched = consent.match(
            engine, found.token_id, granted, {found.tenant_id: organisation}, app_of, open_client, who.name
        )
    except WrongPairs as error:
        return _one(request, who, session, api, id, error.wrong)
    new = [one.connection_id for one in matched if one.connection_id != id]
    return to(request, f"connections/{new[0]}/first-day" if new else "connections", [one.message for one in matched])


@router.get("/connections/{id}/delete")
def ask(request: Request, who: EditorDep, session: SessionDep, id: UUID) -> Response:
    found = _live(session, id)
    return page(request, "delete.html", who, one=found, by_itself=_by_itself(found.airflow_conn_id))


@router.post("/connections/{id}/delete")
def delete(request: Request, who: EditorDep, engine: EngineDep, session: SessionDep, id: UUID) -> Response:
    _live(session, id)
    return to(request, "connections", disconnect(engine, app_of, id, who.name))


def _by_itself(conn_id: str) -> bool:
    """Whether it is a custom connection: no sign-in brings a deleted organisation back."""
    try:
        return app_of(conn_id).grant_type == "client_credentials"
    except (XeroError, LookupError):
        return False  # it cannot be used; deleting reports that


def _live(session: SessionDep, id: UUID) -> connections.Connection:
    found = connections.one(session, id)
    if found.state == "deleted":
        raise HTTPException(409, f"The connection of {found.organisation} was deleted. Connect to Xero again.")
    return found
