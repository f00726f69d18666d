"""How much of Xero's limits four processes use together: 60 calls a window, 5 at a time, responses in 0 to 200 ms.

A window is 6 s here and a minute at Xero. Xero does not document whether it is fixed or sliding: both are measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

import psycopg

from benchmarks.surroundings import Surroundings, surroundings
from tests.support import caller
from xero.composition import opener
from xero.qicworks import database
from xero.qicworks.admin.migrate import migrate
from xero.sync.connect.connect_all import connect_all

LIMIT, SECONDS, WINDOWS = 60, 6.0, 5
PROCESSES, THREADS = 4, 2
PORT = 54397
CONNECTED_BY = """
    SELECT token_id::text FROM xero_sync.connection JOIN xero_sync.token ON token.id = token_id WHERE tenant_id = %s
"""


def run() -> dict[str, Any]:
    """Measures, and returns the figures by name."""
    facts: dict[str, Any] = {"processes, with two threads each": PROCESSES}
    with surroundings(PORT) as around:
        for window in ("fixed", "sliding"):
            facts |= {f"{name}, {window} window": value for name, value in measured(around, window).items()}
    return facts


def measured(around: Surroundings, window: str) -> dict[str, Any]:
    url = around.new_database("qicworks")
    engine = database.engine(url)
    migrate(engine)
    around.steer("POST", "reset", {})
    app = replace(around.app, minute_limit=LIMIT, minute_seconds=SECONDS)
    connect_all(engine, app, "xero_default", opener(engine, lambda _: app), lambda _: None)
    engine.dispose()
    around.steer("PATCH", "settings", {"window": window, "minute_seconds": SECONDS, "latency_ms": [0, 200]})
    for seen in ("calls", "limits"):
        around.steer("DELETE", seen)

    tenant = around.tenant
    with psycopg.connect(url) as connection:
        [token] = connection.execute(CONNECTED_BY, (tenant,)).fetchone() or ("",)
    # The last calls belong to the window after the counted ones.
    count = WINDOWS * LIMIT // PROCESSES + 1
    given = {"app": asdict(app), "database_url": url, "token_id": token, "tenant": tenant}
    together([PROCESSES, "calls", json.dumps(given | {"count": count, "threads": THREADS})])

    stats = around.steer("GET", "stats")
    arrived = sorted(call["arrived"] for call in around.steer("GET", "calls") if call["tenant"] == tenant)
    used = WINDOWS * LIMIT / ((arrived[WINDOWS * LIMIT] - arrived[0]) / SECONDS)
    return {
        "calls made": len(arrived),
        f"calls a window, of {LIMIT}": f"{used:.1f}",
        "most in flight": max(stats["max_in_flight"].values()),
        "responses with status 429": sum(stats["refused"].values()),
    }


def together(arguments: list[Any]) -> None:
    """Starts the processes, releases them at the same time, and waits until the last has made its calls."""
    command = [sys.executable, str(caller.__file__), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdin
        assert parent.stdout
        if not parent.stdout.readline().startswith("ready"):
            raise RuntimeError("the processes did not start")
        parent.communicate("go\n")
    if parent.returncode:
        raise RuntimeError(f"the processes ended with {parent.returncode}")
