"""A scripted HTTP server that remembers what came over the wire, header by header."""

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from xero.api.client import XeroClient
from xero.api.tokens import Token

SECRET = "s3cr3t-of-the-client"

ACCESS = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"


@dataclass
class Reply:
    """One scripted answer. `cut`: bytes of the body after which the connection is closed; `drip`: seconds between two
    bytes of it; `raw`: what comes instead of an answer, head and body alike."""

    status: int = 200
    body: bytes = b'{"Status": "OK"}'
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    drip: float | None = None
    raw: bytes | None = None


@dataclass
class Seen:
    """One request as it came: the headers in their order and spelling."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    port: int


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent of a client that has gone. Python 3.11 cannot print a traceback in two threads at once, and pytest
        would end with it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """Gives the replies in their order; the last one for ever."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [Reply()]
        self.seen: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.handle(self)

            do_PUT = do_POST = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._http = _Http(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        port = request.client_address[1]
        self.seen.append(Seen(request.command, request.path, list(request.headers.items()), body, port))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        with suppress(ConnectionError):  # the other side need not wait for all of it
            self._answer(request, reply)
        if reply.cut is not None or reply.raw is not None:
            request.close_connection = True

    @staticmethod
    def _answer(request: BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.raw is None:
            request.send_response_only(reply.status)
            standard = {"Date": formatdate(usegmt=True), "Content-Length": str(len(reply.body))}
            for name, value in {**standard, **reply.headers}.items():
                request.send_header(name, value)
            request.end_headers()
        content = reply.body if reply.raw is None else reply.raw
        if reply.drip is None:
            request.wfile.write(content[: reply.cut])
            return
        for byte in content:
            request.wfile.write(bytes([byte]))
            time.sleep(reply.drip)

    def says(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def as_json(status: int, content: object, **headers: str) -> Reply:
    return Reply(status, json.dumps(content).encode(), headers)


def fresh(access_token: str = ACCESS, refresh_token: str | None = "refresh-0") -> Token:
    return Token(access_token, refresh_token, datetime.now(UTC) + timedelta(minutes=30), "accounting.contacts")


class Tokens:
    """A token store in memory that counts its renewals."""

    def __init__(self) -> None:
        self.token = fresh()
        self.renewals = 0

    def get(self) -> Token:
        return self.token

    def renew(self, stale: Token | None) -> Token:
        self.renewals += 1
        self.token = fresh(f"renewed-{self.renewals}")
        return self.token


@dataclass
class Rig:
    """A client against the scripted server; its pauses are written down, and last no time."""

    client: XeroClient
    tokens: Tokens
    pauses: list[float]
