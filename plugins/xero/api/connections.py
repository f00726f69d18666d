"""The organisations that an authorisation covers (`/connections`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote

import requests

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, Refused, cleaned
from xero.api.limits import NoLimiter
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import Token, TokenStore

PATH = "/connections"
LONGEST_NAME = 200
_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)

# A user is waiting: report outages quickly.
HASTE: dict[str, Any] = {"max_wait": 15.0, "backoff": (0.5, 1.5), "timeouts": (5.0, 20.0)}


@dataclass(frozen=True, slots=True)
class XeroConnection:
    """One organisation as Xero lists it. `id` is that of the connection, for deleting it; calls carry `tenant_id`."""

    id: str
    tenant_id: str
    tenant_name: str
    tenant_type: str
    auth_event_id: str | None


def get_connections(
    app: XeroApp, tokens: Token | TokenStore, session: requests.Session | None = None
) -> list[XeroConnection]:
    """Returns all that Xero lists for this authorisation, including practices. Not counted against any call limit."""
    data = _client(app, tokens, session).get(PATH).data
    if not isinstance(data, list):
        raise _unreadable()
    return [_connection(entry) for entry in data]


def delete_connection(
    app: XeroApp, tokens: Token | TokenStore, connection_id: str, session: requests.Session | None = None
) -> bool:
    """Disconnects one organisation, by the connection's own id. False: Xero no longer had it."""
    try:
        _client(app, tokens, session).delete(f"{PATH}/{quote(connection_id, safe='')}")
    except Refused as error:
        if error.status == 404:
            return False
        raise
    return True


def _client(app: XeroApp, tokens: Token | TokenStore, session: requests.Session | None) -> XeroClient:
    store = FixedToken(tokens) if isinstance(tokens, Token) else tokens
    return XeroClient(app, session or new_session(), store, NoLimiter(), None, **HASTE)


def _connection(entry: Any) -> XeroConnection:
    try:
        return XeroConnection(
            id=_id(entry.get("id") or "") or "",
            tenant_id=_id(entry["tenantId"]) or _nothing(),
            tenant_name=cleaned(entry.get("tenantName") or "")[:LONGEST_NAME],
            tenant_type=cleaned(entry.get("tenantType") or "ORGANISATION"),
            auth_event_id=_id(entry.get("authEventId")),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _unreadable() from None


def _id(said: Any) -> str | None:
    """Returns the id in its canonical spelling. Raises ValueError if it is not one."""
    if said is None or said == "":
        return None
    try:
        return str(wire.uuid(said))
    except ValueError:
        if isinstance(said, str) and _ID.fullmatch(said):  # of a server that imitates Xero
            return said
        raise


def _nothing() -> NoReturn:
    raise ValueError("no tenantId")


def _unreadable() -> BadAnswer:
    return BadAnswer(
        "Xero's list of connections cannot be read.",
        "Check the host in the Airflow connection; if it is right, try again later.",
    )


class FixedToken:
    """A token store for a new token that is not saved yet."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def get(self) -> Token:
        return self._token

    def renew(self, stale: Token | None) -> Token:
        return self._token
