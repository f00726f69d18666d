"""A user decides which contact in Xero a new one is, or that it is created; a push carries it out at once."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.dag_ids import push_dag_of
from xero.documents.contacts import CONTACTS
from xero.pages.access import ViewerDep, reading, triggering
from xero.pages.airflow_api import AirflowApiDep
from xero.pages.database import SessionDep
from xero.pages.runs import start
from xero.qicworks.push import contact_decisions

router = APIRouter()

CHANGED = "This contact was changed or linked in the meantime. Reload the page."


@router.post("/documents/contacts/{id}/decide")
def decide(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    id: UUID,
    version: Annotated[str, Form()] = "",
    xero_id: Annotated[str, Form()] = "",
) -> Response:
    """`xero_id`: the contact that it is; empty: create it. `version`: of the contact that the user saw."""
    dag = push_dag_of(CONTACTS.name)
    reading(who, dag)
    triggering(who, dag)
    found = contact_decisions.waiting(session, id=id)
    try:
        chosen = UUID(xero_id) if xero_id else None
    except ValueError:
        raise HTTPException(422, "Choose one of the contacts that the page shows.") from None
    if not found or str(found[0].version) != version:
        raise LookupError(CHANGED)
    if chosen and str(chosen) not in {str(one["xero_id"]) for one in found[0].candidates}:
        raise HTTPException(422, "Choose one of the contacts that the page shows.")
    try:
        contact_decisions.decide(session, id, chosen, who.name, found[0].version)
    except (LookupError, ValueError):
        raise LookupError(CHANGED) from None
    return start(request, api, [(dag, {"connection": str(found[0].connection_id), "document_ids": [str(id)]})])
