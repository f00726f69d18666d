"""A server between a client and the sandbox, which makes of Xero's answers what a test says."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests

from tests.support.sandbox import Sandbox

Said = tuple[int, bytes]  # status and body
OWN = ("host", "content-length", "accept-encoding")  # headers of a hop
OF_THE_BODY = ("content-length", "content-encoding", "transfer-encoding", "connection")


class Between:
    """`change(method, path, answer)` makes another answer of one, None: it stays; `instead(method, path)` answers
    before Xero has heard of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._upstream = sandbox, sandbox.url
        self.calls = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._handle(self)

            do_PUT = do_POST = do_DELETE = do_PATCH = do_GET

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        sandbox.url = f"http://127.0.0.1:{self._http.server_port}"
        self.honest()

    def honest(self) -> None:
        """From here on everything is as Xero says."""
        self.change: Callable[[str, str, Said], Said | None] = lambda method, path, answer: None
        self.instead: Callable[[str, str], Said | None] = lambda method, path: None

    def edit(self, edit: Callable[[Any], Any], *, path: str, method: str = "GET", after: int = 0) -> None:
        """Good answers of the paths that have this in them, from the one after so many on: edited in place, or what is
        returned."""
        met = 0

        def change(verb: str, of: str, answer: Said) -> Said | None:
            nonlocal met
            if answer[0] != 200 or verb != method or path not in of:
                return None
            met += 1
            if met <= after:
                return None
            said = json.loads(answer[1])
            made = edit(said)
            return 200, json.dumps(said if made is None else made).encode()

        self.change = change

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        sent = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        ours = not request.path.startswith(("/sandbox/", "/connect/"))
        self.calls += ours
        said = self.instead(request.command, request.path) if ours else None
        headers: dict[str, str] = {}
        if said is None:
            kept = {name: value for name, value in request.headers.items() if name.lower() not in OWN}
            answer = requests.request(
                request.command,
                self._upstream + request.path,
                headers=kept,
                data=sent,
                allow_redirects=False,
                timeout=60,
            )
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in OF_THE_BODY}
            said = answer.status_code, answer.content
            said = (self.change(request.command, request.path, said) if ours else None) or said
        request.send_response_only(said[0])
        for name, value in {**headers, "Content-Length": str(len(said[1]))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(said[1])

    def close(self) -> None:
        self._sandbox.url = self._upstream
        self._http.shutdown()
        self._http.server_close()
