"""The page Match: who waits, with whom each may be, side by side; and the links that there are."""

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from xero.pages.access import ViewerDep
from xero.pages.database import SessionDep
from xero.pages.links import deciding
from xero.pages.links.shown import TITLES, chosen, counted, may_decide, one_or_more, visible
from xero.pages.rendering import page
from xero.qicworks.connect import connections
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.links.waiting import Link, Waiting

router = APIRouter()
router.include_router(deciding.router)

LIMIT = 25


@router.get("/links")
def show(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    connection: str = "",
    state: str = "",
    search: str = "",
    offset: int = 0,
) -> Response:
    """`state`: `linked` for the links that there are; else those who wait."""
    known = connections.every(session)
    whats = visible(who)
    every = waiting.counts(session, whats)
    one = chosen(known, connection, every)
    offset, linked = max(offset, 0), state == "linked"
    found: Sequence[Waiting | Link] = ()
    total = 0
    if one and linked:
        found, total = waiting.linked(session, one, whats, search, LIMIT, offset)
    elif one:
        found, total = waiting.waiting(session, one.id, whats, search, LIMIT, offset)
    about = {"connection": one.id if one else "", "state": "linked" if linked else "", "search": search}
    return page(
        request,
        "links.html",
        who,
        known=known,
        chosen=one,
        linked=linked,
        search=search,
        found=found,
        total=total,
        offset=offset,
        limit=LIMIT,
        others=waiting.undone_employees(session, one.id) if one and not linked and "staff" in whats else [],
        likely=_likely(found),
        one_or_more=one_or_more,
        counted=counted(one.id if one else None, every),
        address=urlencode({name: value for name, value in about.items() if value}),
        words=waiting.words,
        titles=TITLES,
        may_decide={what: may_decide(who, what) for what in whats},
    )


def _likely(found: Sequence[Waiting | Link]) -> dict[What, list[str]]:
    """The likely pairs among them, as the form gives them back."""
    likely: dict[What, list[str]] = {}
    for row in found:
        for one in row.candidates if isinstance(row, Waiting) else ():
            if one["likely"]:
                likely.setdefault(row.what, []).append(f"{row.own_id}:{one['xero_id']}:{one['version']}")
    return likely
