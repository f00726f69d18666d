"""The page on which a user signs in, chooses organisations, and lets the app in or not."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.problems import Problem
from xero_sandbox.tokens import SCOPES, USER, Grant
from xero_sandbox.wire import Reply, text_reply

PATH = "/identity/connect/authorize"
HTML = "text/html; charset=utf-8"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Xero sandbox | Allow access</title>
<style>body{{font:16px system-ui;max-width:34em;margin:3em auto;padding:0 1em}}label{{display:block;margin:.4em 0}}
button{{font:inherit;padding:.5em 1.2em;margin-right:.6em}}fieldset{{margin:1em 0;border:1px solid #bbb}}</style></head>
<body><h1>{client} wants access to</h1>
<form method="post" action="{action}">
<fieldset><legend>Your organisations</legend>{organisations}</fieldset>
<fieldset><legend>Log in</legend>
<label>Email <input name="email" type="email" value="demo@example.com.au" autocomplete="off"></label>
<label>Password <input name="password" type="password" value="demo" autocomplete="off"></label></fieldset>
<details><summary>It asks for</summary><ul>{scopes}</ul></details>
<p><button name="decision" value="approve">Allow access</button>
<button name="decision" value="deny">Cancel</button></p></form></body></html>"""


def _refuse(error: str) -> Problem:
    """An error shown to the user: with a wrong app or address nobody is sent anywhere."""
    page = f"<!doctype html><title>Error</title><h1>Sorry, something went wrong</h1><p>Error: {escape(error)}</p>"
    return Problem(text_reply(page, 400, HTML))


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
    return Reply(302, content_type=HTML, headers={"Location": f"{uri}{'&' if '?' in uri else '?'}{query}"})


def page(call: Call) -> Reply:
    _check(call)
    scope = call.params.get("scope", "").split()
    if not scope or not set(scope) <= SCOPES:
        return _back(call, error="invalid_scope")
    boxes = "".join(
        f'<label><input type="checkbox" name="tenant" value="{tenant}" checked> {escape(organisation.name)}</label>'
        for tenant, organisation in call.world.organisations.items()
    )
    return text_reply(
        PAGE.format(
            client=escape(call.world.client.client_id),
            action=escape(f"{PATH}?{call.query}"),
            organisations=boxes,
            scopes="".join(f"<li>{escape(name)}</li>" for name in scope),
        ),
        content_type=HTML,
    )


def decide(call: Call) -> Reply:
    """The form: a code for the organisations that were ticked, or access_denied."""
    _check(call)
    fields = parse_qsl(call.body.decode())
    if ("decision", "approve") not in fields:
        return _back(call, error="access_denied")
    grant = Grant(str(uuid4()), USER, tuple(call.params.get("scope", "").split()))
    for name, tenant in fields:
        if name == "tenant" and tenant in call.world.organisations:
            call.world.connect(USER, call.world.organisations[tenant], grant.id)
    return _back(call, code=call.world.tokens.new_code(grant, call.params["redirect_uri"]))


ENDPOINTS = (Endpoint("GET", PATH, page), Endpoint("POST", PATH, decide))
