"""The connections page: which Xero organisation belongs to which QicWorks organisation, and how it is with each."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from xero.pages.access import ViewerDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page
from xero.qicworks import connections

router = APIRouter()


@router.get("/connections")
def show(request: Request, who: ViewerDep, session: SessionDep) -> Response:
    return page(request, "connections.html", who, connections=connections.every(session))
