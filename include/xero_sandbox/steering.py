"""Control of the server as a whole: switches, reset, clock, limits, faults, calls, consent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from xero_sandbox.current import Current
from xero_sandbox.data.firms import COUNTED
from xero_sandbox.endpoints.oauth import read_scope
from xero_sandbox.faults import Fault
from xero_sandbox.journal import Entry
from xero_sandbox.limits import Limits
from xero_sandbox.making import make_world
from xero_sandbox.settings import Settings
from xero_sandbox.tokens import APP, USER, Grant
from xero_sandbox.wire import read_instant
from xero_sandbox.world import Connection, World


@dataclass(frozen=True, slots=True)
class Order:
    """A control call: the named parts of its path, its decoded body ({} when it has none)."""

    current: Current
    parts: dict[str, str]
    body: Any

    @property
    def world(self) -> World:
        return self.current.world


#: Returns what is answered. KeyError is a 404, ValueError and TypeError a 400.
Action = Callable[[Order], Any]


def health(order: Order) -> dict[str, Any]:
    world = order.world
    return {"status": "ok", "profile": world.profile, "seed": world.seed, "now": world.clock.iso()}


def settings(order: Order) -> Settings:
    return order.world.settings


def set_settings(order: Order) -> Settings:
    order.world.settings = order.world.settings.changed(order.body)
    return order.world.settings


def reset(order: Order) -> dict[str, Any]:
    unknown = set(order.body) - {"seed", "profile", "same_second"} - COUNTED
    if unknown:
        raise ValueError(f"a reset has no {', '.join(sorted(unknown))}")
    old = order.world
    order.current.world = make_world(
        old.client,
        order.body.get("seed", old.seed),
        order.body.get("profile", old.profile),
        {what: order.body[what] or {} for what in COUNTED.intersection(order.body)},
        order.body.get("same_second", 0),
        old.many,
    )
    return health(order)


def clock(order: Order) -> dict[str, Any]:
    return {"now": order.world.clock.iso(), "offset_seconds": order.world.clock.offset_ms / 1000}


def set_clock(order: Order) -> dict[str, Any]:
    if "now" in order.body:
        order.world.clock.set_now(read_instant(order.body["now"]))
    elif "ahead_by" in order.body:
        _put_clock_ahead(order.world, float(order.body["ahead_by"]))
    else:
        order.world.clock.set_offset(float(order.body["offset_seconds"]))
    return clock(order)


def _put_clock_ahead(world: World, seconds: float) -> None:
    """As a wrong clock is put right: no time has passed, so what is kept for a while is kept as long as before. Only
    access tokens, whose end is written in them, end earlier. Never back: no change would be newer than those before."""
    if seconds <= 0:
        raise ValueError("ahead_by must be more than 0")
    world.clock.offset_ms += int(seconds * 1000)
    world.answers.keep_longer(int(seconds * 1000))
    world.tokens.keep_longer(seconds)


def faults(order: Order) -> list[Fault]:
    return order.world.faults.orders


def add_faults(order: Order) -> list[Fault]:
    order.world.faults.order(order.body)
    return order.world.faults.orders


def forget_faults(order: Order) -> None:
    order.world.faults.forget(order.body.get("name"))


def calls(order: Order) -> list[Entry]:
    return list(order.world.journal.entries)


def forget_calls(order: Order) -> None:
    order.world.journal.entries.clear()
    order.world.limits.max_in_flight.clear()
    order.world.limits.refused.clear()


def stats(order: Order) -> dict[str, Any]:
    world = order.world
    return {
        **world.journal.stats(world.settings.minute_seconds),
        "max_in_flight": dict(world.limits.max_in_flight),
        "in_flight": {tenant: count for tenant, count in world.limits.in_flight.items() if count},
        "refused": dict(world.limits.refused),
    }


def set_day_remaining(order: Order) -> None:
    tenant = order.world.organisations[order.body["tenant"]].tenant_id
    order.world.limits.set_day_remaining(tenant, int(order.body["day_remaining"]))


def fresh_limits(order: Order) -> None:
    world, running = order.world, order.world.limits.in_flight
    world.limits = Limits(lambda: world.settings)
    world.limits.in_flight = running


def connections(order: Order) -> dict[str, list[Connection]]:
    return {owner: list(owned.values()) for owner, owned in order.world.connections.items()}


def connect(order: Order) -> Connection:
    """As if a user connected the custom connection (again)."""
    organisation = order.world.organisations[order.body["tenant"]]
    order.world.connect(APP, organisation, str(uuid4()))
    return order.world.connections[APP][organisation.tenant_id]


def disconnect(order: Order) -> None:
    if not order.world.disconnect(order.parts["id"]):
        raise KeyError(order.parts["id"])


def tokens(order: Order) -> dict[str, list[str]]:
    """The tokens and codes that were given out and must appear nowhere; access tokens are not kept."""
    return {"refresh_tokens": list(order.world.tokens.refresh_tokens), "codes": list(order.world.tokens.codes)}


def revoke(order: Order) -> dict[str, int]:
    """As if the user took the app away in Xero: every consent ends, and with it what it had connected."""
    world = order.world
    ended = world.tokens.revoke_all(USER)
    return {"grants": ended, "connections": len(world.connections.pop(USER, {}))}


def authorise(order: Order) -> dict[str, str]:
    world, body = order.world, order.body
    scope = read_scope(body.get("scope", "offline_access accounting.contacts accounting.settings"))
    grant = Grant(str(uuid4()), USER, scope)
    for tenant in body.get("tenants", list(world.organisations)):
        world.connect(USER, world.organisations[tenant], grant.id)
    return {"code": world.tokens.new_code(grant, body.get("redirect_uri", ""))}
