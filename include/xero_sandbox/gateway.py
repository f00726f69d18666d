"""The way of a call through the server: latency, sign-in, limits, faults, endpoint, compression, journal."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any
from uuid import uuid4

from xero_sandbox.endpoints import Call, Endpoint, find
from xero_sandbox.faults import HELD_SECONDS, Fault
from xero_sandbox.journal import Entry, safe_headers
from xero_sandbox.problems import Problem, internal_error, missing_scope, not_connected, unavailable
from xero_sandbox.tokens import us_date
from xero_sandbox.wire import Reply
from xero_sandbox.world import World

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Below this a body is sent as it is.
GZIP_FROM = 500
WRITES = ("PUT", "POST", "PATCH")


class Gateway:
    """An ASGI application for all that is Xero's. `world` is asked for on each call, since a reset makes a new one."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        world = self._world()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        call = Call(world, scope["method"], scope["path"], query, headers, await _body(receive))
        entry = Entry(
            time=world.clock.iso(),
            method=call.method,
            path=call.path,
            query=call.query,
            headers=safe_headers(headers),
            tenant=headers.get("xero-tenant-id"),
            arrived=time.monotonic(),
            sha256=hashlib.sha256(call.body).hexdigest() if call.body else "",
        )
        world.journal.entries.append(entry)
        before, after = _latency(world)
        await asyncio.sleep(before)
        entry.arrived = time.monotonic()
        try:
            reply, fault = await self._answer(call, entry)
            entry.grant = call.grant
            await asyncio.sleep(after)
            whole = await self._send(call, entry, reply, fault.kind if fault else None, send)
        finally:
            if entry.admitted and entry.tenant:
                world.limits.leave(entry.tenant)
            entry.ended = time.monotonic()
        if not whole:
            await _hang_up(scope)

    async def _answer(self, call: Call, entry: Entry) -> tuple[Reply, Fault | None]:
        """The reply, with the limits' headers, and the fault to act out on it."""
        fault = None
        try:
            endpoint = find(call)
            if endpoint.scopes:
                self._sign_in(call)
                entry.tenant = call.organisation.tenant_id
                call.world.limits.admit(entry.tenant)
                entry.admitted = True
                entry.in_flight = call.world.limits.in_flight[entry.tenant]
            target = f"{call.path}?{call.query}" if call.query else call.path
            fault = call.world.faults.draw(call.method, target, entry.tenant, call.body)
            if fault:
                entry.fault = fault.kind
                problem = fault.answer(us_date(call.world.clock.now() - 1))
                if problem and fault.kind != "500":
                    raise problem
                if fault.kind == "cut":
                    return Reply(), fault
                if fault.kind == "hold":
                    await self._hold(call.world, fault)
            self._check_scope(call, endpoint)
            reply = _once(call, entry, endpoint, fault)
            if fault and fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
            if fault and fault.kind == "hold_answer":
                await self._hold(call.world, fault)
        except Problem as problem:
            reply = problem.reply
        if call.tenant:
            reply.headers |= call.world.limits.headers(call.tenant.tenant_id)
        return reply, fault

    async def _hold(self, world: World, fault: Fault) -> None:
        """Waits until the order is forgotten, or the world is reset."""
        until = time.monotonic() + HELD_SECONDS
        while world.faults.open(fault) and self._world() is world and time.monotonic() < until:
            await asyncio.sleep(0.005)

    def _sign_in(self, call: Call) -> None:
        """Token and connection. Without a tenant header only an app with a single organisation gets through."""
        world = call.world
        call.bearer = world.tokens.bearer(call.headers.get("authorization"))
        owned = world.connections.get(call.bearer.owner, {})
        tenant = call.headers.get("xero-tenant-id", "").lower()
        if not tenant and len(owned) == 1 and call.bearer.owner == "app":
            tenant = next(iter(owned))
        if tenant not in owned or tenant not in world.organisations:
            raise not_connected()
        call.tenant = world.organisations[tenant]

    def _check_scope(self, call: Call, endpoint: Endpoint) -> None:
        if call.bearer and not call.bearer.scope.intersection(endpoint.scopes):
            raise missing_scope()

    async def _send(self, call: Call, entry: Entry, reply: Reply, kind: str | None, send: Send) -> bool:
        """Sends the part of the reply that the fault leaves; returns False if the connection must be closed then."""
        headers, body = _framed(call, reply, kind)
        lost, cut = kind in ("cut", "lost_answer"), kind == "truncate"
        sent = b"" if lost else body[: len(body) // 2] if cut else body
        entry.status, entry.bytes, entry.correlation_id = reply.status, len(sent), headers["Xero-Correlation-Id"]
        if lost:
            return False
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        await send({"type": "http.response.body", "body": sent, "more_body": cut})
        return not cut


def _once(call: Call, entry: Entry, endpoint: Endpoint, fault: Fault | None) -> Reply:
    """Carries the call out, or repeats the response that is kept under its Idempotency-Key. Looking for the key and
    keeping the response are not interrupted, so of two calls at the same time one is first."""
    key, request = key_of(call), request_of(call)
    kept = call.world.answers.find(key, request)
    if kept:
        entry.replayed = True
        return kept
    kind = fault.kind if fault else ""
    try:
        reply = internal_error().reply if kind == "500" else endpoint.handle(call)
    except Problem as problem:
        reply = problem.reply
    if kind == "500_saved":
        reply = internal_error().reply
    if kind == "503_saved":
        reply = unavailable().reply
    if _is_whole(call):  # else the sender is gone: what it sends again is no other request
        call.world.answers.keep(key, request, reply)
    return reply


def _is_whole(call: Call) -> bool:
    """Whether all of the body that its header announces has arrived."""
    announced = call.headers.get("content-length", "")
    return not announced.isdecimal() or int(announced) == len(call.body)


def key_of(call: Call) -> str:
    """The key of a write; "" where there is none, or where it is not honoured."""
    path = call.path.lower()
    honoured = path.startswith("/api.xro/") or (
        path.startswith("/payroll.xro/") and call.world.settings.payroll_idempotency
    )
    return call.headers.get("idempotency-key", "") if honoured and call.method in WRITES else ""


def request_of(call: Call) -> str:
    tenant = call.tenant.tenant_id if call.tenant else ""
    head = f"{call.method} {call.path}?{call.query} {tenant}\n"
    return hashlib.sha256(head.encode() + call.body).hexdigest()


def _framed(call: Call, reply: Reply, kind: str | None) -> tuple[dict[str, str], bytes]:
    """The headers, and the body as it goes over the wire: half of it for a malformed response, cut before or after
    compression."""
    body = reply.body[: len(reply.body) // 2] if kind == "malformed" else reply.body
    headers = {
        "Content-Type": reply.content_type,
        "Date": formatdate(call.world.clock.now(), usegmt=True),
        "Xero-Correlation-Id": str(uuid4()),
        "Vary": "Accept-Encoding",
        **reply.headers,
    }
    takes_gzip = call.world.settings.gzip and "gzip" in call.headers.get("accept-encoding", "")
    if takes_gzip and (kind == "half_gzip" or len(body) >= GZIP_FROM):
        body = _gzip(body)
        body = body[: len(body) // 2] if kind == "half_gzip" else body
        headers["Content-Encoding"] = "gzip"
    if reply.status == 204:
        del headers["Content-Type"]
    else:
        headers["Content-Length"] = str(len(body))
    return headers, body


async def _body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _hang_up(scope: Scope) -> None:
    """Closes the connection under the client's feet (the transport is put there by `xero_sandbox.server`)."""
    scope["xero_sandbox.transport"].close()
    await asyncio.sleep(0.01)


def _latency(world: World) -> tuple[float, float]:
    """Seconds on the way here and on the way back."""
    low, high = world.settings.latency_ms
    if high <= 0:
        return 0.0, 0.0
    total = random.uniform(low, high) / 1000
    before = random.uniform(0, total)
    return before, total - before


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    return compressor.compress(body) + compressor.flush()
