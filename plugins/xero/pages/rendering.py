"""Renders pages. Templates escape everything they show."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from airflow.configuration import conf
from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from xero.documents.odd_values import OddInstant
from xero.pages.access import Viewer, form_token

HERE = Path(__file__).parent
STATIC = HERE / "static"

MAX_MESSAGES = 8  # that a page shows after a form

TABS = (
    ("", "Overview"),
    ("connections", "Connections"),
    ("events", "Events"),
    ("documents", "Documents"),
    ("links", "Match"),
    ("differences", "Differences"),
    ("tie-out", "Tie-out"),
)
BELOW = {  # page → tab
    "connect": "connections",
    "match": "connections",
    "synchronise": "connections",
    "first-day": "connections",
    "rejections": "",
}


def policy(form_action: str = "") -> str:
    """The content security policy. `form_action`: another site that a form of this page may lead to."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"base-uri 'none'; frame-ancestors 'self'; form-action 'self' {form_action}"
    ).strip()


def page(
    request: Request, template: str, who: Viewer, *, status: int = 200, policy: str | None = None, **values: Any
) -> HTMLResponse:
    """Renders a page, or a part of one (templates whose name begins with `_`)."""
    html = ENVIRONMENT.get_template(template).render(
        base=base(request),
        airflow=airflow(request),
        tabs=TABS,
        tab=_tab(request),
        who=who,
        form_token=form_token(who.user),
        said=_said(request),
        **values,
    )
    return HTMLResponse(html, status, headers={"Content-Security-Policy": policy} if policy else None)


def error_page(request: Request, status: int, message: str, correction: str | None = None) -> Response:
    """The problem and what to do, for a person, a part of a page, or a program."""
    if "text/html" not in request.headers.get("accept", "") and "hx-request" not in request.headers:
        return JSONResponse({"detail": message, "correction": correction}, status)
    html = ENVIRONMENT.get_template("error.html" if "hx-request" not in request.headers else "_error.html").render(
        base=base(request), airflow=airflow(request), status=status, message=message, correction=correction
    )
    return HTMLResponse(html, status)


def to(request: Request, path: str, said: Sequence[str] = (), kind: str = "success") -> RedirectResponse:
    """Redirects after a form to the next page, with messages to show there. `path` is below /xero."""
    address = f"{base(request)}/{path}"
    if said:
        shown = [line[:300] for line in said[:MAX_MESSAGES]]
        if more := len(said) - MAX_MESSAGES:
            shown += [f"And {more} more: see the events."] if more > 0 else []
        address += ("&" if "?" in path else "?") + urlencode({"said": _signer().dumps([kind, shown])})
    return RedirectResponse(address, 303)


def _tab(request: Request) -> str:
    """The tab that a page belongs to."""
    first = request.url.path.removeprefix(base(request)).strip("/").partition("/")[0]
    return BELOW.get(first, first)


def _said(request: Request) -> tuple[str, list[str]] | None:
    """The messages of `to`. They are signed, so that no link can put other messages on a page."""
    try:
        kind, lines = _signer().loads(request.query_params.get("said", ""), max_age=600)
    except BadSignature:
        return None
    return kind, lines


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="xero.pages.said")


def base(request: Request) -> str:
    """The path of the pages on this server, usually /xero."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow(request: Request) -> str:
    """The path of Airflow itself: empty, or that of `[api] base_url`."""
    return base(request).removesuffix("/xero")


def moment(value: datetime | None, brief: bool = False) -> Markup:
    """An instant: in the viewer's time zone if scripts run, else in UTC. `brief`: without the date if it is today."""
    if value is None:
        return Markup("–")
    if isinstance(value, OddInstant):
        return escape(value.said)
    at = value.astimezone(UTC)
    how = Markup(" data-brief") if brief else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(at.isoformat(), how, f"{at:%Y-%m-%d %H:%M} UTC")


def number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def money(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:,.2f}"


def size(value: int | None) -> str:
    """Bytes in megabytes; less than a tenth of one in kilobytes."""
    if value is None:
        return "–"
    return f"{value / 1e6:,.1f} MB" if value >= 1e5 else f"{value / 1e3:,.0f} kB"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "number": number, "money": money, "size": size}
    return environment


ENVIRONMENT = _environment()
