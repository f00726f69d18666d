"""What an endpoint is, and what it is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from uuid import uuid4

from xero_sandbox.wire import Reply, encode, ms_date

if TYPE_CHECKING:
    from xero_sandbox.organisation import Organisation
    from xero_sandbox.tokens import Bearer
    from xero_sandbox.world import World


@dataclass(slots=True)
class Call:
    """A request on its way through. `organisation` is set where the endpoint belongs to one."""

    world: World
    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    parts: dict[str, str] = field(default_factory=dict)  # named parts of the path
    params: dict[str, str] = field(default_factory=dict)
    bearer: Bearer | None = None
    tenant: Organisation | None = None
    grant: str | None = None

    def __post_init__(self) -> None:
        self.params = dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def organisation(self) -> Organisation:
        assert self.tenant is not None, "only endpoints with scopes have an organisation"
        return self.tenant

    def flag(self, name: str) -> bool:
        return self.params.get(name, "").lower() == "true"

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method and a path such as /api.xro/2.0/Contacts/{id}. With `scopes` (any of them will do) it is a call on an
    organisation: token, connection, scope and limits are checked before `handle` runs."""

    method: str
    path: str
    handle: Callable[[Call], Reply]
    scopes: tuple[str, ...] = ()

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path) + "/?$", re.IGNORECASE)


def envelope(call: Call, plural: str, bodies: list[bytes], pagination: dict[str, int] | None = None) -> Reply:
    """The records, already encoded, in Xero's frame."""
    return framed(call, plural, b"[%b]" % b",".join(bodies), pagination)


def framed(call: Call, name: str, body: bytes, pagination: dict[str, int] | None = None) -> Reply:
    """Anything, already encoded, in Xero's frame."""
    head = {
        "Id": str(uuid4()),
        "Status": "OK",
        "ProviderName": "Xero sandbox",
        "DateTimeUTC": ms_date(call.world.clock.now_ms(), ""),
    }
    if pagination:
        head["pagination"] = pagination  # type: ignore[assignment]
    return Reply(body=b'%b,"%b":%b}' % (encode(head)[:-1], name.encode(), body))
