"""The list of differences, open or settled."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from xero.pages.access import Viewer, ViewerDep, reading
from xero.pages.database import SessionDep
from xero.pages.differences import deciding
from xero.pages.differences.shown import dag_of, show_each, visible
from xero.pages.rendering import page
from xero.qicworks.connect import connections
from xero.qicworks.views import differences as views

router = APIRouter()
router.include_router(deciding.router)

LIMIT = 25


@router.get("/differences")
def show(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    connection: str = "",
    kind: str = "",
    state: str = "",
    before: str = "",
) -> Response:
    if before and not (before.isdecimal() and len(before) < 19):
        raise HTTPException(422, "This page of the list cannot be found. Start with the newest.")
    known = connections.every(session, deleted=True)
    there = views.list_kinds(session, visible(who))
    settled = state == "settled"
    found, end = views.page(
        session,
        settled=settled,
        connection_id=_chosen(known, connection),
        kinds=[_kind(who, kind, there)] if kind else visible(who),
        before=int(before) if before else None,
        limit=LIMIT,
    )
    filters = {"connection": connection, "kind": kind, "state": "settled" if settled else ""}
    address = urlencode({name: value for name, value in filters.items() if value})
    return page(
        request,
        "differences.html",
        who,
        found=show_each(who, session, found),
        known=known,
        kinds=sorted({*there, *([kind] if kind else [])}, key=views.title_of),
        title_of=views.title_of,
        filters=filters,
        address=address,
        first=not before,
        older=f"{address}&before={end}" if end else None,
        days=deciding.DAYS,
    )


def _chosen(known: Sequence[connections.Connection], said: str) -> UUID | None:
    """The id of that connection. Raises LookupError if there is none."""
    if not said:
        return None
    for one in known:
        if str(one.id) == said:
            return one.id
    raise LookupError("There is no connection of that id. Choose an organisation from the list.")


def _kind(who: Viewer, kind: str, there: Sequence[str]) -> str:
    """That kind, if this user may see its differences."""
    dag = dag_of(kind)
    if dag is None and kind not in there:
        raise LookupError("There is no such type of document or data set. Choose one from the list.")
    if dag is not None and kind not in (visible(who) or (kind,)):
        reading(who, dag)
    return kind
