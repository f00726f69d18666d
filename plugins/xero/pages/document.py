"""One document: its state, its events, and a preview of what would be sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from xero.api.errors import XeroError
from xero.api.settings import API_HOST
from xero.dag_ids import push_dag_of
from xero.documents.declaration import Delivery, Kind, PricedKind
from xero.documents.registry import KINDS
from xero.pages.access import EditorDep, Viewer, ViewerDep, reading
from xero.pages.adopting import deciding
from xero.pages.apps import app_of, open_client
from xero.pages.database import EngineDep, SessionDep
from xero.pages.differences.deciding import DAYS
from xero.pages.differences.shown import show_each
from xero.pages.rendering import page
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.push import contact_decisions
from xero.qicworks.push.cancellations import CancellationState, state_of
from xero.qicworks.views import differences, document_list, event_log
from xero.sync.push.flow import preview
from xero.sync.push.strategies import Preview

router = APIRouter()

EVENTS = 50  # of a document that are shown
PUSHED_NOW = ("ready", "in_flight", "failed")  # the others are released in QicWorks, or are in Xero
SETTLED = 50  # differences, the same
ENCODE = msgspec.json.Encoder(decimal_format="number").encode  # numbers exactly as they are sent
NOTHING = {
    "draft": "It is a draft in QicWorks. Release it there first.",
    "skipped": "It is marked as not to be pushed in QicWorks.",
    "in_flight": "It is being sent now. The result appears within 15 minutes.",
    "pushed": "It is in Xero already, and there are no changes to send.",
}
NOTHING_NOW = "There is nothing to send now."
CANCELLED = {
    CancellationState.OPEN: "It is cancelled in QicWorks. The next push takes it back in Xero.",
    CancellationState.DIFFERS: "It is cancelled in QicWorks, but still in Xero. See its open difference for the fix.",
    CancellationState.DONE: "It is cancelled in QicWorks, and no longer in Xero.",
}


def may_be_pushed(found: Mapping[str, Any], cancellation: CancellationState | None) -> bool:
    """Whether a push would do something about a document; `cancellation`: its own."""
    still_there = cancellation in (CancellationState.OPEN, CancellationState.DIFFERS)
    return found["push_state"] in PUSHED_NOW or still_there


def kind_of(who: Viewer, name: str) -> Kind:
    """Returns that kind of document, if this user may read it."""
    if name not in KINDS:
        raise LookupError(f"There is no document type {name}.")
    reading(who, push_dag_of(name))
    return KINDS[name]


@router.get("/documents/{kind}/{id}")
def show_document(request: Request, who: ViewerDep, session: SessionDep, kind: str, id: UUID) -> Response:
    chosen = kind_of(who, kind)
    found = document_list.one(session, chosen, id)
    cancellation = state_of(session, chosen, id, found["organisation_id"])
    known = chosen.called(found["number"], id)
    open_ones, settled = differences.of_document(session, chosen.name, id)
    happened = event_log.of_document(session, chosen.name, id, found["organisation_id"], known, limit=EVENTS)
    return page(
        request,
        "document.html",
        who,
        kind=chosen,
        one=found,
        people=who.may_see_people(chosen),
        differing=show_each(who, session, open_ones),
        settled=show_each(who, session, settled[:SETTLED]),
        acknowledge_days=DAYS,
        happened=happened,
        more=urlencode({"text": known}),
        attachments=document_list.attachments(session, chosen, id),
        defaulted=document_list.defaulted_lines(session, chosen, id),
        in_xero=in_xero(chosen, [found], connections.every(session)).get(id),
        offer=deciding.of_document(session, chosen, id) if isinstance(chosen, PricedKind) else None,
        undoable=deciding.undoable(session, chosen, id) if isinstance(chosen, PricedKind) else [],
        undecided=next(iter(_undecided(session, chosen, id)), None),
        cancelled=CANCELLED.get(cancellation) if cancellation else None,
        is_waiting=may_be_pushed(found, cancellation),
        may_push=who.may_trigger(push_dag_of(chosen.name)),
    )


def _undecided(session: Session, kind: Kind, id: UUID) -> list[contact_decisions.Undecided]:
    """The contact, if a user has to decide about it."""
    return contact_decisions.waiting(session, id=id) if kind.delivery is Delivery.CONTACTS else []


@router.get("/documents/{kind}/{id}/preview")
def show_preview(
    request: Request, who: EditorDep, engine: EngineDep, session: SessionDep, kind: str, id: UUID
) -> Response:
    """Shows what would be sent, or why it would be refused. Sends nothing; may read from Xero."""
    chosen = kind_of(who, kind)
    found = document_list.one(session, chosen, id)
    if found["connection_id"] is None:
        raise HTTPException(409, f"{found['organisation']} is not connected to Xero. Connect it first.")
    shown = preview(chosen, found["connection_id"], engine=engine, open_client=open_client, documents=[str(id)])
    cancellation = state_of(session, chosen, id, found["organisation_id"])
    is_looked_at = found["push_state"] not in NOTHING or may_be_pushed(found, cancellation)
    previews = list(shown) if is_looked_at else []
    nothing = CANCELLED[cancellation] if cancellation else NOTHING.get(found["push_state"], NOTHING_NOW)
    return page(
        request,
        "preview.html",
        who,
        kind=chosen,
        one=found,
        people=True,
        requests=[(one, _address(one), _json(one.body)) for one in previews if one.body is not None],
        refused=[why for one in previews for why in one.refused],
        defaults=[line for one in previews for line in one.defaults],
        linked=[line for one in previews for line in one.linked],
        nothing=nothing,
    )


def _address(shown: Preview) -> str:
    return f"{shown.method} {shown.path}{'?' + urlencode(shown.query) if shown.query else ''}"


def _json(body: Any) -> str:
    return msgspec.json.format(ENCODE(body), indent=2).decode()


# -- the same document in Xero


def in_xero(kind: Kind, rows: Iterable[dict[str, Any]], known: Sequence[Connection]) -> dict[UUID, str]:
    """Document → its page in Xero. The sandbox has no such pages."""
    if kind.page is None:
        return {}
    apps = {one.id: one.airflow_conn_id for one in known}
    real = {conn_id for conn_id in set(apps.values()) if _is_xeros(conn_id)}
    return {
        row["id"]: kind.page(row["row"]) for row in rows if row["xero_id"] and apps.get(row["connection_id"]) in real
    }


def _is_xeros(conn_id: str) -> bool:
    try:
        return app_of(conn_id).api_host == API_HOST
    except (XeroError, LookupError, ValueError):
        return False  # the connections page shows the problem
