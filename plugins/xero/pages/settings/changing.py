"""The page Settings of a connection: how its organisation works. Every choice is one that the page offered."""

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from xero.pages.access import EditorDep, FieldsDep, Viewer, ViewerDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page, to
from xero.pages.settings.shown import sections
from xero.qicworks.connect import connections, settings
from xero.qicworks.connect.offers import Offers
from xero.qicworks.connect.settings import SETTINGS, ConnectionSettings
from xero.sync.follow.unfit_settings import compare_settings

router = APIRouter()


@router.get("/connections/{id}/settings")
def show(request: Request, who: ViewerDep, session: SessionDep, id: UUID) -> Response:
    return _page(request, who, session, id)


def _page(
    request: Request,
    who: Viewer,
    session: SessionDep,
    id: UUID,
    wrong: str | None = None,
    chosen: Mapping[str, str] | None = None,
) -> Response:
    """`chosen`: what a user chose that was refused."""
    kept = settings.kept(session, id)
    current = settings.read(session, id)
    shown = ConnectionSettings({**current.values, **(chosen or {})})
    values: dict[str, Any] = {
        "one": connections.one(session, id),
        "sections": sections(shown, kept, Offers(session, id)),
        "seen": _seen(current),
        "wrong": [wrong] if wrong else [],
    }
    return page(request, "settings.html", who, status=422 if wrong else 200, **values)


@router.post("/connections/{id}/settings")
def change(request: Request, who: EditorDep, session: SessionDep, id: UUID, fields: FieldsDep) -> Response:
    """Saves those that were changed. `seen`: of the settings that the user saw."""
    given = {name: value for name, value in fields.items() if name not in ("form_token", "seen")}
    current = settings.read(session, id)
    if fields.get("seen") != _seen(current):
        raise HTTPException(409, "The settings were changed in the meantime. Reload the page.")
    fields_of = {one.setting.name: one for _, some in sections(current, {}, Offers(session, id)) for one in some}
    for name, value in given.items():
        if name not in fields_of or (fields_of[name].groups and value not in fields_of[name].offered):
            raise HTTPException(422, "Choose only what the page offers. Reload it if accounts were pulled since.")
    changed = {name: value for name, value in given.items() if value != current[name]}
    try:
        with session.transaction():
            after = settings.change(session, id, changed, who.name)
            compare_settings(session, id)
    except ValueError as error:
        return _page(request, who, session, id, str(error), changed)
    said = "Settings saved." if after != current else "Nothing to save: no setting was changed."
    return to(request, f"connections/{id}/settings", [said])


def _seen(current: ConnectionSettings) -> str:
    values = "\0".join(current[name] for name in SETTINGS)
    return hashlib.sha256(values.encode(errors="surrogatepass")).hexdigest()[:16]
