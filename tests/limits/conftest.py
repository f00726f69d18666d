"""A sandbox for limits and tokens, and callers that are processes of their own."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.support import caller
from tests.support.callers import Callers, Sandbox
from tests.support.database_clock import DatabaseClock
from xero.api.client import XeroClient
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.qicworks.connect.tokens import save_new
from xero.qicworks.runs.call_budget import DatabaseLimiter
from xero.sync.connect.token_store import DatabaseTokens


@pytest.fixture
def sandbox(sandbox_url: str) -> Sandbox:
    sandbox = Sandbox(sandbox_url, [])
    sandbox.control("POST", "reset", {"seed": 1, "profile": "small"})
    sandbox.tenants = [organisation["tenant"] for organisation in sandbox.control("GET", "organisations")]
    return sandbox


@pytest.fixture
def token_id(sandbox: Sandbox, engine: Engine) -> str:
    return str(save_new(engine, sandbox.app(), "xero_default", sandbox.consent()))


@pytest.fixture
def client(sandbox: Sandbox, engine: Engine, token_id: str, database_clock: DatabaseClock) -> Callable[..., XeroClient]:
    """Clients by a clock that moves only while one of them waits, and when the test moves it."""
    advance, monotonic = database_clock.advance, database_clock.monotonic

    def make(
        tenant: int = 0,
        *,
        manual: bool = False,
        max_wait: float = 30.0,
        sleep: Callable[[float], None] = advance,
        **limits: Any,
    ) -> XeroClient:
        app = sandbox.app(**limits)
        limiter = DatabaseLimiter(engine, app, manual=manual, sleep=advance, clock=monotonic)
        tokens = DatabaseTokens(engine, token_id, app)
        how = {"max_wait": max_wait, "backoff": (0.1,), "sleep": sleep, "clock": monotonic}
        return XeroClient(app, new_session(), tokens, limiter, sandbox.tenants[tenant], **how)

    return make


@pytest.fixture
def callers() -> Iterator[Callable[..., Callers]]:
    """Starts n processes that all do one thing, and waits until they are ready."""
    started: list[Callers] = []

    def start(n: int, what: str, *, app: XeroApp, **arguments: Any) -> Callers:
        given = json.dumps({"app": asdict(app), **arguments})
        command = [sys.executable, str(Path(caller.__file__)), str(n), what, given]
        group = Callers(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True), [])
        started.append(group)
        ready, *pids = group.hear().split()
        assert ready == "ready"
        group.pids = [int(pid) for pid in pids]
        return group

    yield start
    for group in started:
        group.kill()
