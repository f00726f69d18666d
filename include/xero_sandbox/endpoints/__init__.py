"""The endpoints of Xero that the sandbox has. Each module here is found by itself: its ENDPOINTS, and its COLLECTIONS,
which are the records that its organisations have, and how they are made up."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from xero_sandbox.collection import Kind
from xero_sandbox.data.firms import Maker
from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.problems import not_found, not_implemented

__all__ = ["Call", "Endpoint", "find", "makers"]


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))


@cache
def _routes() -> tuple[tuple[re.Pattern[str], Endpoint], ...]:
    endpoints = (endpoint for module in _modules() for endpoint in getattr(module, "ENDPOINTS", ()))
    return tuple((endpoint.pattern, endpoint) for endpoint in endpoints)


@cache
def makers() -> dict[str, tuple[Kind, Maker]]:
    """The collections that every organisation has, by plural. ValueError when two modules have the same one."""
    found: dict[str, tuple[Kind, Maker]] = {}
    for module in _modules():
        for kind, make in getattr(module, "COLLECTIONS", ()):
            if kind.plural in found:
                raise ValueError(f"{module.__name__} has {kind.plural}, which another module has too")
            found[kind.plural] = kind, make
    return found


def find(call: Call) -> Endpoint:
    """The endpoint that a call is for; sets its parts. Raises 404, or 501 when only the method is wrong."""
    known = False
    for pattern, endpoint in _routes():
        match = pattern.match(call.path)
        if match:
            known = True
            if endpoint.method == call.method:
                call.parts = match.groupdict()
                return endpoint
    raise not_implemented() if known else not_found()
