"""What a user decides about people and contacts that may be the same. Nothing is sent to Xero."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.pages.access import Viewer, ViewerDep, reading, triggering
from xero.pages.database import SessionDep
from xero.pages.links.shown import dag_of, may_decide
from xero.pages.rendering import page, to
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.links.undoing import Undoing

router = APIRouter()

Id = Annotated[UUID, Form()]
Of = Annotated[What, Form()]
Search = Annotated[str, Form()]

THEN = {
    What.STAFF: "The next pull of staff brings what Xero has.",
    What.CONTACT: "Documents that failed without it are ready again.",
}


@router.post("/links/link")
def link(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    connection: Id,
    what: Of,
    own_id: Id,
    xero_id: Id,
    search: Search = "",
) -> Response:
    _do(who, session, connection, what, lambda desk: desk.link(what, [(own_id, xero_id)]))
    return _back(request, connection, search, f"Linked. {THEN[what]}")


@router.post("/links/likely")
def likely(
    request: Request, who: ViewerDep, session: SessionDep, connection: Id, what: Of, seen: Annotated[int, Form(ge=1)]
) -> Response:
    """All that the page calls likely. `seen`: how many it said."""
    _do(who, session, connection, what, lambda desk: desk.link_likely(what, seen))
    return _back(request, connection, "", f"{seen} linked. {THEN[what]}")


@router.post("/links/not-same")
def not_same(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    connection: Id,
    what: Of,
    own_id: Id,
    xero_id: Id,
    search: Search = "",
) -> Response:
    _do(who, session, connection, what, lambda desk: desk.not_same(what, own_id, xero_id))
    return _back(request, connection, search, "Kept as not the same. They are not offered again.")


@router.post("/links/create")
def create(
    request: Request, who: ViewerDep, session: SessionDep, connection: Id, what: Of, id: Id, search: Search = ""
) -> Response:
    """`id`: an employee's in Xero, or a contact's in QicWorks."""
    _do(who, session, connection, what, lambda desk: desk.create(what, id))
    where = (
        "The next pull of staff creates them in QicWorks."
        if what is What.STAFF
        else "The next push creates it in Xero."
    )
    return _back(request, connection, search, where)


@router.get("/links/{what}/{own_id}/undo")
def ask(request: Request, who: ViewerDep, session: SessionDep, what: What, own_id: UUID, connection: UUID) -> Response:
    """What hangs on a link, before it is undone."""
    reading(who, dag_of(what))
    one = connections.one(session, connection)
    link = waiting.link_of(session, one, what, own_id)
    hanging = Undoing(session, one, who.name).hanging(what, own_id)
    return page(request, "unlink.html", who, chosen=one, link=link, hanging=hanging, may_decide=may_decide(who, what))


@router.post("/links/undo")
def undo(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    connection: Id,
    what: Of,
    own_id: Id,
    seen: Annotated[str, Form()],
) -> Response:
    _do(who, session, connection, what, lambda desk: desk.undo(what, own_id, seen))
    return _back(request, connection, "", "The link is undone. No pull or push makes it again by itself.")


def _do(who: Viewer, session: Session, connection: UUID, what: What, decide: Callable[[Undoing], object]) -> None:
    reading(who, dag_of(what))
    triggering(who, dag_of(what))
    one = connections.one(session, connection)
    try:
        decide(Undoing(session, one, who.name))
    except ValueError as refusal:
        raise HTTPException(409, str(refusal)) from None


def _back(request: Request, connection: UUID, search: str, said: str) -> Response:
    about = {"connection": str(connection), "search": search}
    return to(request, f"links?{urlencode({name: value for name, value in about.items() if value})}", [said])
