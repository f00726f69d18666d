"""The control API, for tests and demonstrations. JSON in and out; a wrong order is a 400 with {"error": …}.

| call | body | does |
|---|---|---|
| GET    /sandbox/health | | {"status": "ok", "profile", "seed", "now"} |
| GET    /sandbox/settings | | the switches (`xero_sandbox.settings`) |
| PATCH  /sandbox/settings | {name: value, …} | changes some of them; answers with all |
| POST   /sandbox/reset | {"seed", "profile", "contacts": {organisation's name: n}, "same_second": n or "all"} | a new world: \
data, settings, clock, limits, faults, calls, drift, refresh tokens; seed and profile stay when not given. Access tokens \
stay valid while the seed is the same |
| GET    /sandbox/faults | | the orders, with what is left of them and `hits` |
| POST   /sandbox/faults | one order or a list (`xero_sandbox.faults`) | adds; the first that matches a call is carried out |
| DELETE /sandbox/faults | | forgets them |
| GET    /sandbox/calls | | every call to Xero's paths, Authorization as a hash |
| DELETE /sandbox/calls | | forgets them, and what stats counts |
| GET    /sandbox/stats | | counts by status, path, tenant, grant; refreshes; max_in_flight, max_in_window, refused (429s) |
| PUT    /sandbox/limits | {"tenant", "day_remaining": n} | as if only n calls were left today |
| DELETE /sandbox/limits | | windows and days start afresh |
| GET    /sandbox/organisations | | [{"tenant", "name", "timezone", "counts": {collection: n}}] |
| GET    /sandbox/organisations/{tenant} | | the organisation's own record |
| PATCH  /sandbox/organisations/{tenant} | fields | changes it; a new Name is also the connection's tenantName |
| GET    /sandbox/organisations/{tenant}/{collection} | | the whole truth, unpaged, as an array |
| POST   /sandbox/organisations/{tenant}/{collection} | a record | adds it (a missing key is made up) |
| PATCH  /sandbox/organisations/{tenant}/{collection}/{id} | fields, raw values too; "_touch": false | changes a record; stamps \
UpdatedDateUTC with the sandbox's clock, unless it is among the fields or _touch is false |
| DELETE /sandbox/organisations/{tenant}/{collection}/{id} | | removes it without a trace |
| POST   /sandbox/organisations/{tenant}/{collection}/touch | {"share"} or {"count"} or {"ids"}, "rename": true | stamps \
random or named records, and changes their Name unless rename is false; {"touched": [ids]} |
| GET    /sandbox/drift | | what is ordered, with "left" and "changed" (ids) |
| PUT    /sandbox/drift | {"tenant", "collection", "changes_per_page", "total"} | that many random records change after \
each list answer of that collection; replaces the order for the same pair |
| DELETE /sandbox/drift | | forgets them |
| GET    /sandbox/clock | | {"now", "offset_seconds"} |
| PUT    /sandbox/clock | {"offset_seconds"} or {"now": ISO} | moves the clock; tokens age with it, limits do not |
| GET    /sandbox/connections | | all connections by owner ("app" is client_credentials, "user" the signed-in user) |
| DELETE /sandbox/connections/{id} | | as if the user disconnected the organisation in Xero |
| POST   /sandbox/authorise | {"scope", "redirect_uri", "tenants": [ids]} | a consent without the page: {"code"} |
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from .collection import Collection
from .endpoints.oauth import read_scope
from .limits import Limits
from .organisation import Organisation
from .problems import Problem
from .tokens import USER, Grant
from .wire import decode, encode, read_instant
from .world import Connection, Drift, World

if TYPE_CHECKING:
    from .app import App

Handler = Callable[[Request], Awaitable[Response]]
Action = Callable[[Request, Any], Any]
COLLECTION = "/sandbox/organisations/{tenant}/{collection}"


class Control:
    """Routes under /sandbox. Each action takes the request and its decoded body, and returns what is answered."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._router = Router(
            [
                self._route("GET", "/sandbox/health", self.health),
                self._route("GET", "/sandbox/settings", lambda *_: self.world.settings),
                self._route("PATCH", "/sandbox/settings", self.set_settings),
                self._route("POST", "/sandbox/reset", self.reset),
                self._route("GET", "/sandbox/faults", lambda *_: self.world.faults.orders),
                self._route("POST", "/sandbox/faults", self.add_faults),
                self._route("DELETE", "/sandbox/faults", lambda *_: self.world.faults.orders.clear()),
                self._route("GET", "/sandbox/calls", lambda *_: list(self.world.journal.entries)),
                self._route("DELETE", "/sandbox/calls", self.forget_calls),
                self._route("GET", "/sandbox/stats", self.stats),
                self._route("PUT", "/sandbox/limits", self.set_day_remaining),
                self._route("DELETE", "/sandbox/limits", self.fresh_limits),
                self._route("GET", "/sandbox/organisations", self.organisations),
                self._route("GET", "/sandbox/organisations/{tenant}", lambda request, _: self._organisation(request).record),
                self._route("PATCH", "/sandbox/organisations/{tenant}", self.change_organisation),
                self._route("GET", COLLECTION, lambda request, _: msgspec.Raw(self._collection(request).truth())),
                self._route("POST", COLLECTION, self.add_record),
                self._route("POST", COLLECTION + "/touch", self.touch),
                self._route("PATCH", COLLECTION + "/{id:path}", self.change_record),
                self._route("DELETE", COLLECTION + "/{id:path}", self.remove_record),
                self._route("GET", "/sandbox/drift", lambda *_: [asdict(drift) for drift in self.world.drifts]),
                self._route("PUT", "/sandbox/drift", self.set_drift),
                self._route("DELETE", "/sandbox/drift", lambda *_: self.world.drifts.clear()),
                self._route("GET", "/sandbox/clock", self.clock),
                self._route("PUT", "/sandbox/clock", self.set_clock),
                self._route("GET", "/sandbox/connections", self.connections),
                self._route("DELETE", "/sandbox/connections/{id}", self.disconnect),
                self._route("POST", "/sandbox/authorise", self.authorise),
            ]
        )

    @property
    def world(self) -> World:
        return self._app.world

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._router(scope, receive, send)

    def _route(self, method: str, path: str, action: Action) -> Route:
        async def handle(request: Request) -> Response:
            body = await request.body()
            try:
                answer, status = action(request, decode(body) if body else {}), 200
            except Problem as problem:
                answer, status = msgspec.Raw(problem.reply.body), problem.reply.status
            except KeyError as error:
                answer, status = {"error": f"{error} is not there"}, 404
            except (ValueError, TypeError) as error:
                answer, status = {"error": str(error)}, 400
            return Response(encode({} if answer is None else answer), status, media_type="application/json")

        return Route(path, handle, methods=[method])

    def _organisation(self, request: Request) -> Organisation:
        return self.world.organisations[request.path_params["tenant"]]

    def _collection(self, request: Request) -> Collection:
        return self._organisation(request).collections[request.path_params["collection"]]

    # -- the server as a whole

    def health(self, *_: Any) -> dict[str, Any]:
        return {"status": "ok", "profile": self.world.profile, "seed": self.world.seed, "now": self.world.clock.iso()}

    def set_settings(self, _: Request, body: dict[str, Any]) -> Any:
        self.world.settings = self.world.settings.changed(body)
        return self.world.settings

    def reset(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        unknown = set(body) - {"seed", "profile", "contacts", "same_second"}
        if unknown:
            raise ValueError(f"a reset has no {', '.join(sorted(unknown))}")
        old = self.world
        self._app.world = World(old.client, body.get("seed", old.seed), body.get("profile", old.profile),
                                body.get("contacts"), body.get("same_second", 0))
        return self.health()

    def clock(self, *_: Any) -> dict[str, Any]:
        return {"now": self.world.clock.iso(), "offset_seconds": self.world.clock.offset_ms / 1000}

    def set_clock(self, _: Request, body: dict[str, Any]) -> dict[str, Any]:
        if "now" in body:
            self.world.clock.set_now(read_instant(body["now"]))
        else:
            self.world.clock.set_offset(float(body["offset_seconds"]))
        return self.clock()

    # -- calls, limits and faults

    def add_faults(self, _: Request, body: Any) -> Any:
        self.world.faults.order(body)
        return self.world.faults.orders

    def forget_calls(self, *_: Any) -> None:
        self.world.journal.entries.clear()
        self.world.limits.max_in_flight.clear()
        self.world.limits.refused.clear()

    def stats(self, *_: Any) -> dict[str, Any]:
        world = self.world
        return {
            **world.journal.stats(world.settings.minute_seconds),
            "max_in_flight": dict(world.limits.max_in_flight),
            "in_flight": {tenant: count for tenant, count in world.limits.in_flight.items() if count},
            "refused": dict(world.limits.refused),
        }

    def set_day_remaining(self, _: Request, body: dict[str, Any]) -> None:
        self.world.limits.set_day_remaining(self.world.organisations[body["tenant"]].tenant_id, int(body["day_remaining"]))

    def fresh_limits(self, *_: Any) -> None:
        world, running = self.world, self.world.limits.in_flight
        world.limits = Limits(lambda: world.settings)
        world.limits.in_flight = running

    # -- organisations and their records

    def organisations(self, *_: Any) -> list[dict[str, Any]]:
        return [
            {"tenant": organisation.tenant_id, "name": organisation.name, "timezone": organisation.record["Timezone"],
             "counts": {plural: len(collection.rows) for plural, collection in organisation.collections.items()}}
            for organisation in self.world.organisations.values()
        ]

    def change_organisation(self, request: Request, body: dict[str, Any]) -> Any:
        organisation = self._organisation(request)
        organisation.record.update(body)
        for owned in self.world.connections.values():
            if organisation.tenant_id in owned:
                owned[organisation.tenant_id].tenant_name = organisation.name
        return organisation.record

    def add_record(self, request: Request, body: dict[str, Any]) -> Any:
        collection = self._collection(request)
        body.setdefault(collection.kind.key, str(uuid4()))
        return collection.add(body, self.world.clock)

    def change_record(self, request: Request, body: dict[str, Any]) -> Any:
        touch = body.pop("_touch", True)
        return self._collection(request).change(request.path_params["id"], body, self.world.clock, touch)

    def remove_record(self, request: Request, _: Any) -> None:
        self._collection(request).remove(request.path_params["id"])

    def touch(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        collection = self._collection(request)
        if "ids" in body:
            keys = [collection.rows[key].key for key in body["ids"]]
        else:
            count = body["count"] if "count" in body else max(1, round(len(collection.rows) * float(body["share"])))
            keys = collection.sample(self.world.dice, int(count))
        return {"touched": collection.touch(keys, self.world.clock, body.get("rename", True))}

    def set_drift(self, _: Request, body: dict[str, Any]) -> None:
        tenant, plural = body["tenant"], body.get("collection", "Contacts")
        collection = self.world.organisations[tenant].collections[plural]
        self.world.drifts = [d for d in self.world.drifts if (d.tenant, d.collection) != (tenant, plural)]
        per_page = int(body["changes_per_page"])
        self.world.drifts.append(Drift(tenant, collection.kind.plural, per_page, int(body.get("total", 1_000_000)), []))

    # -- consent

    def connections(self, *_: Any) -> dict[str, list[Connection]]:
        return {owner: list(owned.values()) for owner, owned in self.world.connections.items()}

    def disconnect(self, request: Request, _: Any) -> None:
        if not self.world.disconnect(request.path_params["id"]):
            raise KeyError(request.path_params["id"])

    def authorise(self, _: Request, body: dict[str, Any]) -> dict[str, str]:
        grant = Grant(str(uuid4()), USER, read_scope(body.get("scope", "offline_access accounting.contacts accounting.settings")))
        for tenant in body.get("tenants", list(self.world.organisations)):
            self.world.connect(USER, self.world.organisations[tenant], grant.id)
        return {"code": self.world.tokens.new_code(grant, body.get("redirect_uri", ""))}
