"""The list of documents by state, and pushing them now."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.dag_ids import push_dag_of
from xero.documents.declaration import Kind, PricedKind
from xero.documents.registry import KINDS
from xero.pages import document
from xero.pages.access import Viewer, ViewerDep, triggering
from xero.pages.adopting import deciding as already_there
from xero.pages.airflow_api import AirflowApiDep
from xero.pages.contacts import deciding
from xero.pages.database import SessionDep
from xero.pages.document import PUSHED_NOW, in_xero, kind_of, may_be_pushed
from xero.pages.rendering import page
from xero.pages.runs import start
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.push.adopting import decisions
from xero.qicworks.push.cancellations import state_of
from xero.qicworks.views import document_list
from xero.qicworks.views.document_list import DocumentPosition

router = APIRouter()

LIMIT = 50
MAX_PUSHED = 500  # documents in one push from here
STATES = {
    "failed": ("failed",),
    "waits": ("ready", "in_flight"),
    "pushed": ("pushed",),
    "draft": ("draft",),
    "skipped": ("skipped",),
}
WAITS = "waits"  # also documents in other states, if their cancellation waits
DIFFERS = "differs"  # in any state


@router.get("/documents")
def show(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    kind: str = "",
    state: str = "",
    connection: str = "",
    text: str = "",
    before: str = "",
) -> Response:
    if not who.kinds:
        raise HTTPException(403, "You may not read the DAGs that push documents.")
    chosen = kind_of(who, kind or who.kinds[0])
    known = connections.every(session)
    organisation = _organisation(known, connection)
    people = who.may_see_people(chosen)
    found, end = document_list.page(
        session,
        chosen,
        STATES.get(state),
        organisation,
        text if people else "",
        _place(before),
        LIMIT,
        differing=state == DIFFERS,
        cancelling=state == WAITS,
    )
    filters = {"state": state if state in (*STATES, DIFFERS) else "", "connection": connection, "text": text}
    may_push = who.may_trigger(push_dag_of(chosen.name))
    counts = _counts(session, who, chosen, organisation)
    paused = counts[chosen.name][WAITS] and push_dag_of(chosen.name) in api.paused()
    return page(
        request,
        "documents.html",
        who,
        kind=chosen,
        kinds=[KINDS[name] for name in who.kinds],
        counts=counts,
        paused=push_dag_of(chosen.name) if paused else None,
        known=known,
        filters=filters,
        address=lambda **others: urlencode({k: v for k, v in ({"kind": chosen.name} | filters | others).items() if v}),
        first=not before,
        older=str(end) if end else None,
        found=found,
        in_xero=in_xero(chosen, found, known),
        people=people,
        may_push=may_push,
        already=_count_already_there(session, chosen, known, connection),
        pushed_now=PUSHED_NOW,
        cap=document_list.CAP,
        at_once=MAX_PUSHED,
    )


@router.post("/documents/push")
def push(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    api: AirflowApiDep,
    kind: Annotated[str, Form()] = "",
    id: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Starts one run for each organisation of these documents."""
    chosen = kind_of(who, kind)
    triggering(who, push_dag_of(chosen.name))
    wanted = _wanted(session, chosen, list(dict.fromkeys(id or ())))
    live = {one.id: one for one in connections.every(session)}
    conf = []
    for connection_id, ids in wanted.items():
        to = live.get(connection_id)
        if to is None:
            raise HTTPException(409, "One of these organisations was disconnected in the meantime. Reload the page.")
        if not to.enabled:
            raise HTTPException(409, f"{to.organisation} is switched off. Switch it on under Connections first.")
        conf.append({"connection": str(connection_id), "document_ids": ids})
    return start(request, api, [(push_dag_of(chosen.name), one) for one in conf])


def _wanted(session: Session, kind: Kind, said: list[str]) -> dict[UUID, list[str]]:
    """Connection → ids of its documents that were ticked. Refuses all if one of them cannot be pushed."""
    if not said:
        raise HTTPException(422, "Tick at least one document, then push.")
    if len(said) > MAX_PUSHED:
        raise HTTPException(422, f"At most {MAX_PUSHED} documents can be pushed at a time from here. Tick fewer.")
    try:
        found = document_list.some(session, kind, [UUID(one) for one in said])
    except ValueError:
        raise LookupError(f"There is no such {kind.word}. Reload the page.") from None
    if len(found) < len(said):
        raise LookupError(f"Of these, {len(said) - len(found)} no longer exist. Reload the page.")
    wanted: dict[UUID, list[str]] = {}
    for one in found:
        name = one["number"] or one["id"]
        if one["connection_id"] is None:
            raise HTTPException(
                409, f"{one['organisation']} is not connected to Xero, so {kind.word} {name} cannot be pushed."
            )
        if not may_be_pushed(one, state_of(session, kind, one["id"], one["organisation_id"])):
            raise HTTPException(409, f"{kind.word.capitalize()} {name} is now {one['push_state']}. Reload the page.")
        wanted.setdefault(one["connection_id"], []).append(str(one["id"]))
    return wanted


def _organisation(known: list[connections.Connection], said: str) -> UUID | None:
    """Returns the organisation of this connection. Raises LookupError if there is no such connection."""
    if not said:
        return None
    for one in known:
        if str(one.id) == said:
            return one.organisation_id
    raise LookupError("There is no connection of that id. Choose an organisation from the list.")


def _count_already_there(session: Session, kind: Kind, known: list[connections.Connection], said: str) -> int:
    """How many documents may be in Xero already, and wait for a decision."""
    if not isinstance(kind, PricedKind):
        return 0
    return decisions.count(session, kind, next((one.id for one in known if str(one.id) == said), None))


def _place(said: str) -> DocumentPosition | None:
    try:
        return DocumentPosition.parse(said) if said else None
    except ValueError:
        raise HTTPException(422, "This page of the list cannot be found. Start with the newest.") from None


def _counts(session: Session, who: Viewer, chosen: Kind, organisation: UUID | None) -> dict[str, Any]:
    """How many of each type failed, wait and differ; of the type that is shown, all states. `deleted`: how many of
    those that wait are deleted in QicWorks: no list has them."""
    others = [KINDS[name] for name in who.kinds if name != chosen.name]
    states_of = document_list.counts(session, others, organisation, ("failed", "ready", "in_flight"))
    states_of |= document_list.counts(session, [chosen], organisation)
    found = {}
    for name, of in states_of.items():
        found[name] = {group: sum(of.get(state, 0) for state in states) for group, states in STATES.items()}
        found[name][DIFFERS] = document_list.count_differing(session, KINDS[name], organisation)
        cancelling = document_list.count_cancelling(session, KINDS[name], organisation)
        found[name][WAITS] += cancelling["waiting"]
        found[name]["deleted"] = cancelling["deleted"]
    return found


for part in (already_there, document, deciding):
    router.include_router(part.router)
