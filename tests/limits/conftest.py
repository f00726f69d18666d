"""A sandbox for limits and tokens, and callers that are processes of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from xero.api.auth import OAuth, Token
from xero.api.client import XeroClient
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.qicworks.call_budget import DatabaseLimiter
from xero.qicworks.tokens import DatabaseTokens, save_new
from xero_sandbox.launch import launched

CREDENTIALS = ("demo-client", "demo-secret-0000000000000000")
KEY = "V2nRBqHJ5DTnqnK2Lm4wGTgoqbfkO0dUPI3rY9DYHYY="
SCOPES = ("offline_access", "accounting.contacts", "accounting.settings.read")


@dataclass
class Sandbox:
    """A local Xero and its master's voice."""

    url: str
    tenants: list[str]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def app(self, **limits: Any) -> XeroApp:
        return XeroApp(
            *CREDENTIALS, api_host=self.url, identity_host=self.url, login_host=self.url, scopes=SCOPES,
            redirect_uri="http://localhost/back", token_keys=(KEY,), **limits,
        )  # fmt: skip

    def consent(self) -> Token:
        """The tokens of a user who has just connected every organisation."""
        order = {"scope": " ".join(SCOPES), "redirect_uri": "http://localhost/back", "tenants": self.tenants}
        return OAuth(self.app()).exchange(self.control("POST", "authorise", order)["code"])

    def arrivals(self, path: str) -> list[dict[str, Any]]:
        return [call for call in self.control("GET", "calls") if call["path"].endswith(path)]


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with launched("--profile", "small") as url:
        yield url


@pytest.fixture
def sandbox(sandbox_url: str) -> Sandbox:
    sandbox = Sandbox(sandbox_url, [])
    sandbox.control("POST", "reset", {})
    sandbox.tenants = [organisation["tenant"] for organisation in sandbox.control("GET", "organisations")]
    return sandbox


@pytest.fixture
def token_id(sandbox: Sandbox, engine: Engine) -> str:
    return str(save_new(engine, sandbox.app(), "xero_default", sandbox.consent()))


@pytest.fixture
def client(sandbox: Sandbox, engine: Engine, token_id: str) -> Callable[..., XeroClient]:
    def make(tenant: int = 0, *, manual: bool = False, patience: float = 30.0, **limits: Any) -> XeroClient:
        app = sandbox.app(**limits)
        limiter = DatabaseLimiter(engine, app, manual=manual)
        tokens = DatabaseTokens(engine, token_id, app)
        return XeroClient(
            app, new_session(), tokens, limiter, sandbox.tenants[tenant], patience=patience, backoff=(0.1,)
        )

    return make


@dataclass
class Callers:
    """The processes of one `caller.py`."""

    parent: subprocess.Popen[str]
    pids: list[int]

    def hear(self) -> str:
        assert self.parent.stdout is not None
        return self.parent.stdout.readline().strip()

    def go(self) -> None:
        assert self.parent.stdin is not None
        self.parent.stdin.write("go\n")
        self.parent.stdin.flush()

    def results(self) -> Any:
        """What each of them returned, when all have ended."""
        return json.loads(self.hear())

    def kill(self) -> None:
        """kill -9, all of them."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.parent.kill()
        self.parent.communicate()
        self.pids = []


@pytest.fixture
def callers() -> Iterator[Callable[..., Callers]]:
    """Starts n processes that all do one thing, and waits until they are ready."""
    started: list[Callers] = []

    def start(n: int, what: str, *, app: XeroApp, **arguments: Any) -> Callers:
        given = json.dumps({"app": asdict(app), **arguments})
        command = [sys.executable, str(Path(__file__).with_name("caller.py")), str(n), what, given]
        group = Callers(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True), [])
        started.append(group)
        ready, *pids = group.hear().split()
        assert ready == "ready"
        group.pids = [int(pid) for pid in pids]
        return group

    yield start
    for group in started:
        group.kill()
