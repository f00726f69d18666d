"""Which organisations a token may reach."""

from __future__ import annotations

from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.problems import not_found
from xero_sandbox.tokens import Bearer
from xero_sandbox.wire import Reply, json_reply


def _bearer(call: Call) -> Bearer:
    return call.world.tokens.bearer(call.headers.get("authorization"))


def connections(call: Call) -> Reply:
    owned = call.world.connections.get(_bearer(call).owner, {}).values()
    event = call.params.get("authEventId")
    return json_reply([connection for connection in owned if event in (None, connection.auth_event_id)])


def disconnect(call: Call) -> Reply:
    if not call.world.disconnect(call.parts["id"], _bearer(call).owner):
        raise not_found()
    return Reply(204)


ENDPOINTS = (Endpoint("GET", "/connections", connections), Endpoint("DELETE", "/connections/{id}", disconnect))
