"""A scripted HTTP server that remembers what came over the wire, header by header."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.clock import Clock
from tests.support.scripted import SECRET, Reply, Rig, Server, Tokens, as_json
from xero.api.client import XeroClient
from xero.api.limits import NoLimiter
from xero.api.session import new_session
from xero.api.settings import XeroApp


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def app(server: Server) -> XeroApp:
    return XeroApp(
        "the-client", SECRET, api_host=server.url, identity_host=server.url, login_host=server.url,
        redirect_uri="https://qicworks.example/back", scopes=("offline_access", "accounting.contacts"),
    )  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rig(app: XeroApp, clock: Clock) -> Rig:
    tokens = Tokens()
    client = XeroClient(app, new_session(), tokens, NoLimiter(), "tenant-1", sleep=clock.sleep, clock=clock)
    return Rig(client, tokens, clock.slept)


@pytest.fixture
def reply() -> Callable[..., Reply]:
    return Reply


@pytest.fixture
def json_reply() -> Callable[..., Reply]:
    return as_json
