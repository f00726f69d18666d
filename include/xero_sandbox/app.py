"""The application: Xero's paths to the gateway, /sandbox to its control."""

from __future__ import annotations

from xero_sandbox.control import Control
from xero_sandbox.current import Current
from xero_sandbox.gateway import Gateway, Receive, Scope, Send
from xero_sandbox.making import make_world
from xero_sandbox.world import Client, World


class App:
    """ASGI."""

    def __init__(self, world: World) -> None:
        self._current = Current(world)
        self._gateway = Gateway(lambda: self._current.world)
        self._control = Control(self._current)

    @property
    def world(self) -> World:
        return self._current.world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/sandbox/"):
            await self._control(scope, receive, send)
        else:
            await self._gateway(scope, receive, send)


def create_app(client: Client | None = None, seed: int = 1, profile: str = "demo", many: int = 0) -> App:
    return App(make_world(client or Client(), seed, profile, many=many))
