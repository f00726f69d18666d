"""Connect to Xero: to its login, back with a code, and which organisation is which."""

from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from airflow.api_fastapi.common.db.common import SessionDep as AirflowSessionDep
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from xero.pages import apps
from xero.pages.access import EditorDep, FieldsDep
from xero.pages.apps import App, app_of, open_client
from xero.pages.database import EngineDep
from xero.pages.rendering import page, policy, to
from xero.qicworks import database
from xero.qicworks.connect import connections, tokens
from xero.sync.connect import consent, disconnect
from xero.sync.connect.consent import Tenant, WrongPairs
from xero.sync.connect.match_checks import Wanted

router = APIRouter()

FIELD = "organisation:"  # a drop-down's name, then the Xero organisation's id


@router.get("/connect")
def show(request: Request, who: EditorDep, airflow: AirflowSessionDep) -> Response:
    """A separate page: Xero's login may not be framed."""
    known = apps.known(airflow)
    hosts = sorted({apps.origin(one.app.login_host) for one in known if one.app and one.by_consent})
    return page(
        request,
        "connect.html",
        who,
        apps=known,
        elsewhere=[one for one in known if _elsewhere(request, one)],
        callback=apps.callback(),
        policy=policy(" ".join(hosts)),
    )


@router.post("/connect")
def begin(
    request: Request, who: EditorDep, engine: EngineDep, airflow: AirflowSessionDep, app: Annotated[str, Form()]
) -> Response:
    """Redirects to Xero; for a custom connection, directly to its organisations."""
    if app not in {one.conn_id for one in apps.known(airflow)}:
        raise HTTPException(404, f"There is no Airflow connection {app} of type Xero.")
    chosen = app_of(app)
    if chosen.grant_type == "client_credentials":
        return to(request, f"match/{consent.without_consent(engine, chosen, app)}")
    return RedirectResponse(consent.begin(engine, chosen, app, who.id), 303)


@router.get("/callback")
def finish(
    request: Request,
    who: EditorDep,
    engine: EngineDep,
    state: str = "",
    code: str = "",
    error: str = "",
    error_description: str = "",
) -> Response:
    """Where Xero sends the user back to. What makes it safe is the state: the user's own, good once, for 10 minutes."""
    if error or not code:
        consent.denied(engine, who.id, state, error or "no_code", error_description)
    token_id = consent.finish(engine, app_of, who.id, state, code, user=who.name)
    return to(request, f"match/{token_id}")


@router.get("/match/{token_id}")
def ask(request: Request, who: EditorDep, engine: EngineDep, token_id: UUID) -> Response:
    return _form(request, who, engine, token_id, consent.authorised_tenants(engine, app_of, token_id))


@router.post("/match/{token_id}")
def save(request: Request, who: EditorDep, engine: EngineDep, token_id: UUID, given: FieldsDep) -> Response:
    chosen = {name.removeprefix(FIELD): value for name, value in given.items() if name.startswith(FIELD)}
    granted = consent.authorised_tenants(engine, app_of, token_id)
    with database.session(engine) as session:
        before = {one.id for one in connections.every(session)}
    try:
        matched = consent.match(engine, token_id, granted, _wanted(chosen), app_of, open_client, who.name)
    except WrongPairs as error:
        return _form(request, who, engine, token_id, granted, error.wrong, chosen)
    said = [one.message for one in matched] or ["Nothing was chosen, so nothing was connected."]
    said += [f"Connected, but not readable yet: {one.trouble}" for one in matched if one.trouble]
    kind = "warning" if not matched or any(one.trouble for one in matched) else "success"
    return to(request, _next([one.connection_id for one in matched if one.connection_id not in before]), said, kind)


def _next(new: list[UUID]) -> str:
    """The page that leads on, from these new connections."""
    if len(new) == 1:
        return f"connections/{new[0]}/first-day"
    return f"first-day?{urlencode({'connection': new}, doseq=True)}" if new else "connections"


@router.post("/match/{token_id}/discard")
def discard(request: Request, who: EditorDep, engine: EngineDep, token_id: UUID) -> Response:
    """Discards an authorisation that will not be matched."""
    return to(request, "connections", disconnect.discard(engine, app_of, token_id, who.name))


def _wanted(chosen: dict[str, str]) -> Wanted:
    """What the drop-downs say, by Xero organisation."""
    wanted: dict[str, UUID | Literal["new"] | None] = {}
    for tenant_id, value in chosen.items():
        try:
            wanted[tenant_id] = value if value == "new" else UUID(value) if value else None  # type: ignore[assignment]
        except ValueError:
            raise HTTPException(422, "This is not an organisation of QicWorks. Reload the page.") from None
    return wanted


def _form(
    request: Request,
    who: EditorDep,
    engine: EngineDep,
    token_id: UUID,
    granted: list[Tenant],
    wrong: list[str] | None = None,
    chosen: dict[str, str] | None = None,
) -> Response:
    with database.session(engine) as session:
        choices = consent.choices(session)
        app = tokens.about(session, token_id).airflow_conn_id
    # Connections of another app stay with it, unless the user chooses otherwise.
    elsewhere = {one.tenant_id for one in granted if one.connection and one.connection.airflow_conn_id != app}
    usual = {one.tenant_id: "" if one.tenant_id in elsewhere else str(one.organisation_id or "") for one in granted}
    return page(
        request,
        "match.html",
        who,
        status=409 if wrong else 200,
        granted=granted,
        choices=choices,
        chosen=usual | (chosen or {}),
        elsewhere=elsewhere,
        wrong=wrong or [],
        token_id=token_id,
        field=FIELD,
    )


def _elsewhere(request: Request, one: App) -> bool:
    """Whether Xero would send the user to another host than this one, where Airflow's login is not known."""
    assert not one.app or one.app.redirect_uri
    back = urlsplit(one.app.redirect_uri or "").netloc if one.app else ""
    return one.by_consent and back != request.headers.get("host")
