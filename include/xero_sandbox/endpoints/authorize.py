"""The page on which a user signs in, chooses organisations, and lets the app in or not."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.organisation import Organisation
from xero_sandbox.problems import Problem
from xero_sandbox.tokens import SCOPES, USER, Grant
from xero_sandbox.wire import Reply, text_reply

PATH = "/identity/connect/authorize"
HTML = "text/html; charset=utf-8"

#: No other site may frame or cache this page.
GUARDED = {
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}


def _shown(html: str, status: int = 200) -> Reply:
    reply = text_reply(html, status, HTML)
    reply.headers |= GUARDED
    return reply


@cache
def _template() -> Template:
    return Template((Path(__file__).resolve().parents[1] / "consent.html").read_text())


def _refuse(error: str) -> Problem:
    """An error shown to the user: a wrong app or address never redirects."""
    return Problem(
        _shown(
            f'<!doctype html><html lang="en"><title>Error</title><h1>Sorry, something went wrong</h1>'
            f"<p>Error: {escape(error)}</p></html>",
            400,
        )
    )


def _check(call: Call) -> None:
    """The app and its address. http is for localhost only, and 127.0.0.1 is not localhost."""
    if call.params.get("client_id") != call.world.client.client_id:
        raise _refuse("unauthorized_client")
    address = urlsplit(call.params.get("redirect_uri", ""))
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname == "localhost"):
        raise _refuse("unauthorized_client : Invalid redirect_uri")
    if call.params.get("response_type") != "code":
        raise _refuse("unsupported_response_type")


def _back(call: Call, **answer: str) -> Reply:
    """302 to the app, with its state."""
    uri, state = call.params["redirect_uri"], call.params.get("state")
    query = urlencode(answer | ({"state": state} if state is not None else {}))
    location = f"{uri}{'&' if '?' in uri else '?'}{query}"
    return Reply(302, content_type=HTML, headers={**GUARDED, "Location": location})


def _scope(call: Call) -> tuple[str, ...]:
    """What the app asks for; empty when it may not have it."""
    asked = tuple(call.params.get("scope", "").split())
    return asked if set(asked) <= SCOPES else ()


def page(call: Call) -> Reply:
    _check(call)
    return _page(call, _scope(call)) if _scope(call) else _back(call, error="invalid_scope")


def _page(call: Call, scope: tuple[str, ...], alert: str = "") -> Reply:
    return _shown(
        _template().substitute(
            client=escape(call.world.client.client_id),
            host=escape(urlsplit(call.params["redirect_uri"]).netloc),
            alert=f'<p role="alert">{escape(alert)}</p>' if alert else "",
            action=escape(f"{PATH}?{call.query}"),
            organisations="\n".join(_box(call, organisation) for organisation in call.world.organisations.values()),
            scopes="\n".join(f"<li><code>{escape(name)}</code></li>" for name in scope),
        )
    )


def _box(call: Call, organisation: Organisation) -> str:
    tenant = escape(organisation.tenant_id)
    connected = "<span>connected</span>" if tenant in call.world.connections.get(USER, {}) else ""
    return (
        f'<div class="one"><input type="checkbox" name="tenant" id="{tenant}" value="{tenant}">'
        f'<label for="{tenant}">{escape(organisation.name)}</label>{connected}</div>'
    )


def decide(call: Call) -> Reply:
    """The form: a code for the organisations that were ticked, or access_denied. None ticked, it is shown again.

    What the user connected before stays connected."""
    _check(call)
    fields = parse_qsl(call.body.decode())
    if ("decision", "approve") not in fields:
        return _back(call, error="access_denied")
    scope = _scope(call)
    if not scope:
        return _back(call, error="invalid_scope")
    chosen = [value for name, value in fields if name == "tenant" and value in call.world.organisations]
    if not chosen:
        return _page(call, scope, alert="Choose an organisation.")
    grant = Grant(str(uuid4()), USER, scope)
    for tenant in chosen:
        call.world.connect(USER, call.world.organisations[tenant], grant.id)
    return _back(call, code=call.world.tokens.new_code(grant, call.params["redirect_uri"]))


ENDPOINTS = (Endpoint("GET", PATH, page), Endpoint("POST", PATH, decide))
