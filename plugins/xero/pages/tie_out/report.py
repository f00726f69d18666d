"""The tie-out of an organisation and period, as last read; the button that ties out now; the CSV."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response, StreamingResponse

from xero.dag_ids import dag_id
from xero.pages import runs
from xero.pages.access import Viewer, ViewerDep, reading, triggering
from xero.pages.airflow_api import AirflowApiDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page
from xero.pages.synchronise import live
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.views.last_tie_out import last_tie_out
from xero.sync.follow.tie_out import NAME, Period, TieOut, as_last_read
from xero.sync.follow.tie_out.export import COLUMNS, line, rows
from xero.sync.follow.tie_out.summary import STATES, difference_line

router = APIRouter()

MAX_SHOWN = 200  # documents that are not equal; the CSV has all


@router.get("/tie-out")
def show(request: Request, who: ViewerDep, session: SessionDep, connection: str = "", period: str = "") -> Response:
    reading(who, dag_id(NAME))
    known = connections.every(session)
    if not connection and len(known) == 1:
        connection = str(known[0].id)
    chosen = live(session, connection) if connection else None
    result = last = None
    if chosen:
        result = _result(who, session, chosen, _period(period, chosen))
        last = last_tie_out(session, chosen.id)
    return page(
        request,
        "tie_out.html",
        who,
        known=known,
        chosen=chosen,
        period=str(result.period) if result else period,
        result=result,
        last=last,
        shown=result.unequal[:MAX_SHOWN] if result else [],
        left_out=result.left_out[:MAX_SHOWN] if result else [],
        sees_all=who.event_scope is None,
        states=STATES,
        difference_line=difference_line,
        may_trigger=who.may_trigger(dag_id(NAME)),
    )


@router.post("/tie-out")
def start(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    connection: Annotated[str, Form()] = "",
    period: Annotated[str, Form()] = "",
    heal: Annotated[str, Form()] = "",
) -> Response:
    chosen = live(session, connection)
    triggering(who, dag_id(NAME))
    if not chosen.enabled:
        raise HTTPException(409, f"{chosen.organisation} is switched off. Switch it on under Connections first.")
    conf = {"connection": str(chosen.id), "period": str(_period(period, chosen)), "heal": bool(heal)}
    return runs.start(request, api, [(dag_id(NAME), conf)])


@router.get("/tie-out.csv")
def export(who: ViewerDep, session: SessionDep, connection: str = "", period: str = "") -> Response:
    """A row for each document with its total on both sides, and one for each other field that differs."""
    reading(who, dag_id(NAME))
    chosen = live(session, connection)
    result = _result(who, session, chosen, _period(period, chosen))

    def lines() -> Iterator[str]:
        yield "\ufeff" + line(COLUMNS)
        yield from (line(row) for row in rows(result))

    headers = {"Content-Disposition": f'attachment; filename="tie-out-{result.period}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=headers)


def _period(said: str, chosen: Connection) -> Period:
    try:
        return Period.parse(said) if said.strip() else Period.current(chosen.zone)
    except ValueError as error:
        raise HTTPException(422, f"{str(error.args[0])[0].upper()}{str(error.args[0])[1:]}.") from None


def _result(who: Viewer, session: Session, chosen: Connection, period: Period) -> TieOut:
    """Of what this user may see."""
    result = as_last_read(session, chosen, period)
    visible = {*who.kinds, *who.data_sets}
    return replace(
        result,
        kinds=tuple(one for one in result.kinds if one.kind.name in visible),
        documents=tuple(one for one in result.documents if one.kind.name in visible),
        others=tuple(one for one in result.others if one.document_kind in visible),
    )
