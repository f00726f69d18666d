"""Starting the server: arguments, socket, one line when it is ready."""

from __future__ import annotations

import argparse
import os
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from xero_sandbox.app import create_app
from xero_sandbox.data.firms import PROFILES
from xero_sandbox.world import Client

# A secret in the environment is in no process list; the option is for a value that is not secret.
SECRET = "XERO_SANDBOX_CLIENT_SECRET"  # noqa: S105 - its name


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, with the transport in the scope so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["xero_sandbox.transport"] = self.transport


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="xero_sandbox", description="A local server that behaves as Xero does.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8787, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other ids and names")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="demo")
    parser.add_argument("--organisations", type=int, default=200, help='how many the profile "many" has')
    parser.add_argument("--client-id", default=Client().client_id)
    secret = os.environ.get(SECRET) or Client().client_secret
    parser.add_argument("--client-secret", default=secret, help=f"else {SECRET} in the environment, else a known one")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Serves until SIGTERM or SIGINT."""
    options = arguments(argv)
    listener = socket.create_server((options.host, options.port), backlog=512)
    app = create_app(
        Client(options.client_id, options.client_secret), options.seed, options.profile, options.organisations
    )
    print(f"Xero sandbox ready at http://{options.host}:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_level="critical",  # a cut connection is no error here
        access_log=False,
        date_header=False,  # the gateway sends the sandbox's own time
        server_header=False,
        timeout_keep_alive=75,  # longer than a client waits between calls, or it meets a closing connection
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])
