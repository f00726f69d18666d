"""A user decides about documents that may be in Xero already, one by one or all certain ones, and undoes it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.dag_ids import push_dag_of
from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.pages.access import Viewer, ViewerDep, reading, triggering
from xero.pages.airflow_api import AirflowApiDep
from xero.pages.apps import app_of
from xero.pages.database import SessionDep
from xero.pages.rendering import page, to
from xero.pages.runs import start
from xero.qicworks.connect import connections
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.push.adopting import decisions, undoing
from xero.qicworks.push.adopting.decisions import Offer, Undoable
from xero.qicworks.push.adopting.twins import Decision

router = APIRouter()

LISTED = 200  # documents on the page
CHANGED = "This document was changed, linked or decided about in the meantime. Reload the page."
NOT_OFFERED = "Choose one of the records and buttons that the page shows."


@router.get("/documents/already-in-xero")
def show(request: Request, who: ViewerDep, session: SessionDep, kind: str = "", connection: str = "") -> Response:
    """All documents of a type that wait for a decision, and the decisions that can be undone."""
    named = kind or next((name for name in who.kinds if isinstance(KINDS[name], PricedKind)), "invoices")
    chosen = _kind(who, named)
    known = connections.every(session)
    if connection and connection not in {str(one.id) for one in known}:
        raise LookupError("There is no connection of that id. Choose an organisation from the list.")
    of = UUID(connection) if connection else None
    found = decisions.offered(session, chosen, of, limit=None)
    shown = sorted({one.connection_id: one.organisation for one in found}.items(), key=lambda one: one[1])
    return page(
        request,
        "already_in_xero.html",
        who,
        kind=chosen,
        kinds=[KINDS[name] for name in who.kinds if isinstance(KINDS[name], PricedKind)],
        known=known,
        connection=connection,
        found=found[:LISTED],
        more=max(0, len(found) - LISTED),
        certain=[(id, name, some) for id, name in shown if (some := _certain(found, id))],
        seen_of=decisions.seen_of,
        undoable=[_with_hanging(session, chosen, one) for one in decisions.undoable(session, chosen, of, limit=LISTED)],
        may_push=who.may_trigger(push_dag_of(chosen.name)),
    )


@router.post("/documents/already-in-xero/link")
def link_all(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    kind: Annotated[str, Form()] = "",
    connection: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """Links all certain ones of an organisation. `seen`: of those that the user saw."""
    chosen = _decidable(who, kind)
    known = {str(one.id): one for one in connections.every(session)}
    if connection not in known:
        raise HTTPException(422, "Choose one of the organisations that the page shows.")
    found = _certain(decisions.offered(session, chosen, known[connection].id, limit=None), known[connection].id)
    if not found or decisions.seen_of(found) != seen:
        raise LookupError("These documents were changed or decided about in the meantime. Reload the page.")
    decisions.link_certain(session, chosen, found, who.name)
    return start(request, api, [(push_dag_of(chosen.name), {"connection": connection})])


@router.post("/documents/{kind}/{id}/already-in-xero")
def decide(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    kind: str,
    id: UUID,
    decision: Annotated[str, Form()] = "",
    xero_id: Annotated[str, Form()] = "",
    version: Annotated[int, Form()] = 0,
    seen: Annotated[str, Form()] = "",
) -> Response:
    """`xero_id`: the record to link to; empty for another decision. `version` and `seen`: what the user saw."""
    chosen = _decidable(who, kind)
    found = of_document(session, chosen, id)
    if found is None or (found.version, found.seen) != (version, seen):
        raise LookupError(CHANGED)
    if decision not in tuple(Decision) or xero_id not in {"", *(one["xero_id"] for one in found.twins)}:
        raise HTTPException(422, NOT_OFFERED)
    try:
        label = decisions.decide(
            session, chosen, found, Decision(decision), UUID(xero_id) if xero_id else None, who.name
        )
    except ValueError as error:
        raise HTTPException(422, f"{NOT_OFFERED} {str(error).capitalize()}.") from None
    if decision == Decision.SKIP:
        return to(request, f"documents/{chosen.name}/{id}", [f"The {label} is not pushed. It is marked as skipped."])
    conf = {"connection": str(found.connection_id), "document_ids": [str(id)]}
    return start(request, api, [(push_dag_of(chosen.name), conf)])


@router.post("/documents/{kind}/{id}/undo")
def undo(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    kind: str,
    id: UUID,
    decision: Annotated[int, Form()] = 0,
) -> Response:
    """`decision`: the one that the page showed."""
    chosen = _decidable(who, kind)
    found = next((one for one in decisions.undoable(session, chosen, id=id) if one.id == decision), None)
    if found is None:
        raise LookupError("This decision was undone, or can no longer be. Reload the page.")
    connection = connections.one(session, found.connection_id)
    try:
        label = undoing.undo(session, chosen, found, who.name, Seals(app_of(connection.airflow_conn_id)))
    except ValueError as error:
        raise HTTPException(409, f"{str(error).capitalize()}.") from None
    said = f"Undone. The {label} is not in Xero for QicWorks, and nothing was changed there: decide about it again."
    return to(request, f"documents/{chosen.name}/{id}", [said])


def of_document(session: Session, kind: PricedKind, id: UUID) -> Offer | None:
    """The document, if a user has to decide about it."""
    return next(iter(decisions.offered(session, kind, id=id)), None)


def undoable(session: Session, kind: PricedKind, id: UUID) -> list[tuple[Undoable, list[str]]]:
    """The newest decision about a document that can be undone, and what an undoing takes away."""
    return [_with_hanging(session, kind, one) for one in decisions.undoable(session, kind, id=id, limit=1)]


def _with_hanging(session: Session, kind: PricedKind, one: Undoable) -> tuple[Undoable, list[str]]:
    return one, undoing.hangs_on_it(session, kind, one.document_id) if one.is_linked else []


def _certain(found: list[Offer], connection_id: UUID) -> list[Offer]:
    return decisions.certain([one for one in found if one.connection_id == connection_id])


def _kind(who: Viewer, name: str) -> PricedKind:
    """That kind of document with prices, if this user may read it."""
    kind = KINDS.get(name)
    if not isinstance(kind, PricedKind):
        raise LookupError(f"There is no document type {name} that can be in Xero already.")
    reading(who, push_dag_of(name))
    return kind


def _decidable(who: Viewer, name: str) -> PricedKind:
    """The same, if this user may decide about it."""
    kind = _kind(who, name)
    triggering(who, push_dag_of(name))
    return kind
