"""The page Settings of a connection: how its organisation works. Every choice is one that the page offered."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from xero.pages.access import EditorDep, FieldsDep, Viewer, ViewerDep
from xero.pages.apps import open_client
from xero.pages.database import EngineDep, SessionDep
from xero.pages.rendering import page, to
from xero.pages.settings.shown import sections
from xero.qicworks.connect import connections, departments, settings
from xero.qicworks.connect.offers import Offers
from xero.qicworks.connect.settings import SETTINGS, ConnectionSettings
from xero.sync.follow.departments import create_option
from xero.sync.follow.unfit_settings import compare_settings
from xero.sync.runs.outcome import Skip

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
    offers = Offers(session, id)
    values: dict[str, Any] = {
        "one": connections.one(session, id),
        "sections": sections(shown, kept, offers),
        "category": departments.category(session, id, offers),
        "lacking": departments.lacking(session, id, offers),
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


@router.post("/connections/{id}/settings/departments")
def create_department(
    request: Request,
    who: EditorDep,
    engine: EngineDep,
    session: SessionDep,
    id: UUID,
    department: Annotated[str, Form()] = "",
    category: Annotated[str, Form()] = "",
) -> Response:
    """Creates the option of a department that the page listed, in the category that it named."""
    if connections.one(session, id).state == "deleted":
        raise HTTPException(409, "This connection is deleted. Connect the organisation again.")
    chosen = departments.category(session, id)
    if chosen is None or chosen.value != category:
        raise HTTPException(409, "The settings were changed in the meantime. Reload the page.")
    if department not in {one.name for one in departments.lacking(session, id)}:
        raise HTTPException(422, "Choose only a department that the page lists. Reload it.")
    try:
        is_there, said = create_option(department, id, engine=engine, open_client=open_client, user=who.name)
    except Skip as skip:
        is_there, said = False, [skip.message]
    return to(request, f"connections/{id}/settings", said, "success" if is_there else "warning")


def _seen(current: ConnectionSettings) -> str:
    values = "\0".join(current[name] for name in SETTINGS)
    return hashlib.sha256(values.encode(errors="surrogatepass")).hexdigest()[:16]
