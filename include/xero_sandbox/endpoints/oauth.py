"""The identity server: codes for tokens, tokens for newer ones, and their end."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote
from uuid import uuid4

from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.problems import oauth_error
from xero_sandbox.tokens import APP, SCOPES, Grant
from xero_sandbox.wire import Reply, json_reply

#: What only a signed-in user can give.
USERS_SCOPES = {"offline_access", "openid", "profile", "email"}


def check_client(call: Call) -> None:
    """Basic authentication with the app's id and secret. Raises invalid_client."""
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise oauth_error("invalid_client") from error
    client = call.world.client
    if scheme.lower() != "basic" or (unquote(client_id), unquote(secret)) != (client.client_id, client.client_secret):
        raise oauth_error("invalid_client")


def read_scope(text: str) -> tuple[str, ...]:
    """The scopes asked for. Raises invalid_scope for one that this app cannot have."""
    scope = tuple(text.split())
    if not set(scope) <= SCOPES:
        raise oauth_error("invalid_scope")
    return scope


def token(call: Call) -> Reply:
    check_client(call)
    form, world = call.form(), call.world
    call.grant = form.get("grant_type")
    match call.grant:
        case "client_credentials":
            scope = read_scope(form.get("scope", "")) or tuple(sorted(SCOPES - USERS_SCOPES))
            if USERS_SCOPES.intersection(scope):
                raise oauth_error("invalid_scope")
            grant = Grant(str(uuid4()), APP, scope)
            return json_reply(world.tokens.answer(grant, world.settings))
        case "authorization_code":
            grant = world.tokens.redeem(form.get("code", ""), form.get("redirect_uri", ""), world.settings)
            refresh = world.tokens.new_refresh_token(grant) if "offline_access" in grant.scope else None
            return json_reply(world.tokens.answer(grant, world.settings, refresh))
        case "refresh_token":
            grant, refresh = world.tokens.rotate(form.get("refresh_token", ""), world.settings)
            return json_reply(world.tokens.answer(grant, world.settings, refresh))
    raise oauth_error("unsupported_grant_type")


def revocation(call: Call) -> Reply:
    """Ends the refresh token's grant and all connections of its user. 200 for unknown tokens too."""
    check_client(call)
    grant = call.world.tokens.revoke(call.form().get("token", ""))
    if grant:
        call.world.connections.pop(grant.owner, None)
    return Reply(200)


ENDPOINTS = (Endpoint("POST", "/connect/token", token), Endpoint("POST", "/connect/revocation", revocation))
