"""The overview: what needs attention, and the traffic of the last days."""

from dataclasses import dataclass
from itertools import groupby
from math import log10
from operator import itemgetter

from fastapi import APIRouter, Request
from fastapi.responses import Response

from xero.pages.access import ViewerDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page
from xero.qicworks.views import status, traffic
from xero.qicworks.views.traffic import Day

router = APIRouter()

DAYS = 30
LIMIT = 25  # organisations on a page
MAX_ITEMS = 20  # of each kind that needs attention

# The chart, in its own units.
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 200, 52, 22, 8


@dataclass(frozen=True)
class Bar:
    """A day of the chart: its position and its data."""

    x: float
    y: float
    width: float
    height: float
    day: Day


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    lines: list[tuple[float, int]]  # height on the page, calls


@router.get("/")
def show(request: Request, who: ViewerDep, session: SessionDep, search: str = "", offset: int = 0) -> Response:
    days = traffic.by_day(session, scope=who.event_scope, days=DAYS)
    found, total = status.page(session, search, LIMIT, max(offset, 0), who.event_scope)
    needs = status.needs_attention(session, who.event_scope)
    failed = sorted(needs.documents, key=itemgetter("organisation"))
    return page(
        request,
        "overview.html",
        who,
        needs=needs,
        most=MAX_ITEMS,
        failed=[(name, list(rows)) for name, rows in groupby(failed, key=itemgetter("organisation"))],
        differing=[(name, list(rows)) for name, rows in groupby(needs.differences, key=itemgetter("organisation"))],
        found=found,
        total=total,
        search=search,
        offset=max(offset, 0),
        limit=LIMIT,
        days=days,
        chart=chart(days),
        calls=sum(day.calls for day in days),
        received=sum(day.bytes_received for day in days),
        runs=sum(day.runs for day in days),
        data_sets=traffic.by_data_set(session, scope=who.event_scope, days=DAYS),
        organisations=traffic.by_organisation(session, who.event_scope, days=DAYS, limit=10),
        columns=who.data_sets,
    )


def chart(days: list[Day]) -> Chart:
    """Calls per day as bars, in a picture of WIDTH by HEIGHT."""
    highest = max((day.calls for day in days), default=0)
    step = _step(highest)
    top = max(step * -(-highest // step), step)
    room = HEIGHT - BOTTOM - TOP
    slot = (WIDTH - LEFT) / max(len(days), 1)
    bars = [
        Bar(
            LEFT + number * slot + slot * 0.15,
            TOP + room * (1 - day.calls / top),
            slot * 0.7,
            room * day.calls / top,
            day,
        )
        for number, day in enumerate(days)
    ]
    lines = [(TOP + room * (1 - calls / top), calls) for calls in range(0, top + 1, step)]
    return Chart(bars, lines)


def _step(highest: int) -> int:
    """A round distance between the lines that gives two to five of them."""
    if highest < 4:
        return 1
    magnitude = int(10 ** int(log10(highest)))
    return next(
        step for step in (magnitude // 4 or 1, magnitude // 2 or 1, magnitude, 2 * magnitude) if highest / step <= 5
    )
