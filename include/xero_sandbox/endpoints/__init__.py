"""The endpoints of Xero that the sandbox has. A new one is a new file with ENDPOINTS, and its name here."""

from __future__ import annotations

import re

from xero_sandbox.endpoints import authorize, connections, contacts, oauth, settings_data
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.problems import not_found, not_implemented

MODULES = (authorize, oauth, connections, contacts, settings_data)
_ROUTES: tuple[tuple[re.Pattern[str], Endpoint], ...] = tuple(
    (endpoint.pattern, endpoint) for module in MODULES for endpoint in module.ENDPOINTS
)

__all__ = ["Call", "Endpoint", "find"]


def find(call: Call) -> Endpoint:
    """The endpoint that a call is for; sets its parts. Raises 404, or 501 when only the method is wrong."""
    known = False
    for pattern, endpoint in _ROUTES:
        match = pattern.match(call.path)
        if match:
            known = True
            if endpoint.method == call.method:
                call.parts = match.groupdict()
                return endpoint
    raise not_implemented() if known else not_found()
