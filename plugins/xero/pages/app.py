"""The application: its routes, headers and error pages."""

import logging

import psycopg
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from python_multipart.exceptions import FormParserError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xero.api.errors import XeroError, cleaned
from xero.pages import connect, connections, documents, events, overview, rejections, synchronise
from xero.pages.access import legible, not_forged
from xero.pages.differences import listing
from xero.pages.first_day import showing as first_day
from xero.pages.links import listing as links
from xero.pages.rendering import STATIC, error_page, policy
from xero.pages.settings import changing as settings
from xero.pages.tie_out import report as tie_out
from xero.qicworks.texts import on_a_line

log = logging.getLogger(__name__)

CALLBACK = "/callback"

CONNECTED = (connect, connections, first_day, settings, synchronise)
PARTS = (overview, *CONNECTED, events, documents, listing, links, rejections, tie_out)
ROUTERS = tuple(part.router for part in PARTS)


def application() -> FastAPI:
    app = FastAPI(title="Xero", docs_url=None, redoc_url=None, openapi_url=None)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(not_forged), Depends(legible)])
    app.add_api_route("/static/{name}", static, methods=["GET"])
    app.add_middleware(Protected)
    app.add_exception_handler(HTTPException, refused)
    for foreseen in (XeroError, LookupError):
        app.add_exception_handler(foreseen, explained)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(FormParserError, damaged)
    app.add_exception_handler(psycopg.DataError, odd_value)
    for database in (psycopg.Error, SQLAlchemyError):
        app.add_exception_handler(database, no_database)
    app.add_exception_handler(Exception, unforeseen)
    return app


def static(name: str) -> Response:
    """Styles, scripts and pictures, also for users who are not logged in; all are files of this project."""
    known = {file.name: file for file in STATIC.iterdir()}
    if name not in known:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(known[name], headers={"Cache-Control": "max-age=3600"})


def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__context__, MultiPartException | FormParserError):
        return damaged(request, error.__context__)
    if error.status_code == 401:
        return error_page(
            request,
            401,
            "Log in to Airflow first.",
            "Your login is missing, or it has ended. Log in, then open this page again.",
        )
    return error_page(request, error.status_code, str(error.detail))


def damaged(request: Request, error: Exception) -> Response:
    """A form with more or longer fields than any page here has, or one that cannot be parsed."""
    return error_page(
        request,
        422,
        f"This form is too large or damaged: {error}",
        "Reload the page, and tick or fill in less at a time.",
    )


def explained(request: Request, error: Exception) -> Response:
    """An error with a message for people. A missing key or index is a fault of the program instead."""
    if isinstance(error, KeyError | IndexError):
        raise error
    if not isinstance(error, XeroError):
        return error_page(request, 404, str(error.args[0]) if error.args else "Not found.")
    return error_page(request, 409, error.message, error.correction)


def odd_value(request: Request, error: Exception) -> Response:
    """A value that the database refuses came with the request; one that only the driver cannot read is in a table."""
    assert isinstance(error, psycopg.DataError)
    if error.sqlstate is None:
        return no_database(request, error)
    log.warning("the QicWorks database refuses what a page was asked for: %s", _in_short(error))
    return error_page(
        request,
        422,
        "This address or form cannot be read: it contains a number or time that is not valid.",
        "Go back, and choose it again.",
    )


def no_database(request: Request, error: Exception) -> Response:
    log.error("the QicWorks database failed %s: %s", on_a_line(request.url.path), _in_short(error))
    unmigrated = isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn)
    return error_page(
        request,
        503,
        "The QicWorks database (Airflow connection qicworks_default) is not working.",
        "Run `python -m xero migrate`."
        if unmigrated
        else "Check that connection: the API server's log has the reason.",
    )


def _in_short(error: Exception) -> str:
    """Without PostgreSQL's detail, which repeats the row."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__}: {cleaned(primary or error)}"


def misread(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = ", ".join(str(one["loc"][-1]) for one in error.errors())
    return error_page(request, 422, f"This address or form cannot be read ({fields}).", "Go back, and reload the page.")


def unforeseen(request: Request, error: Exception) -> Response:
    """The error is raised again after this, and logged by the API server."""
    return error_page(request, 500, "Something went wrong.", "Ask your administrator to check the API server's log.")


class Protected:
    """Headers of every response: nothing is loaded from other sites, none frames the pages, nothing is cached."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [pair for pair in HEADERS if pair[0] not in present]
            await send(message)

        inner = dict(scope)
        if scope["type"] == "http" and scope["path"].endswith(CALLBACK):
            # Airflow's access log tells each address in the end: it is not to hold a code or a state.
            scope["query_string"] = b""
        await self.app(inner, receive, with_headers)


HEADERS = [
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": policy(),
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
    }.items()
]
