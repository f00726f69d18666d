"""Leave balances of 260 employees, at Xero's limits: 60 calls a minute and 5 at a time, responses in 200 to 600 ms.

The minimum is one call per employee and three for the list of 260: 263 calls take at least 4 windows of a minute.
"""

import time
from typing import Any

from benchmarks.surroundings import FIRM, surroundings
from xero.composition import opener
from xero.datasets.registry import named
from xero.qicworks import database
from xero.qicworks.admin.migrate import migrate
from xero.sync.connect.connect_all import connect_all
from xero.sync.pull.flow import Origin, pull
from xero.sync.runs.participants import select_connections

STAFF = 260
PORT = 54399


def run() -> dict[str, Any]:
    """Measures, and returns the figures by name."""
    with surroundings(PORT) as around:
        engine = database.engine(around.new_database("qicworks"))
        migrate(engine)
        steer = around.steer
        steer("POST", "reset", {"staff": {FIRM: STAFF}})
        steer("PATCH", "settings", {"latency_ms": [200, 600]})
        app = around.app
        open_client = opener(engine, lambda _: app)
        connect_all(engine, app, "xero_default", open_client, lambda _: None)
        dataset = named("leave_balances")
        [one], _ = select_connections(engine, dataset, FIRM)
        steer("DELETE", "calls")
        steer("DELETE", "limits")

        began = time.monotonic()
        outcome = pull(dataset, one["connection_id"], engine=engine, open_client=open_client, origin=Origin())
        took = time.monotonic() - began
        stats = steer("GET", "stats")
        engine.dispose()
        return {
            "employees": STAFF,
            "balances loaded": outcome.counts.inserted,
            "calls": outcome.counts.calls,
            "seconds": f"{took:.0f}",
            "calls a minute, in the windows that were full": full_windows(steer("GET", "calls")),
            "most in flight": max(stats["max_in_flight"].values()),
            "responses with status 429": sum(call["status"] == 429 for call in steer("GET", "calls")),
        }


def full_windows(calls: list[dict[str, Any]]) -> str:
    """Calls used of the 60 in each minute from the first call on, without the last minute."""
    asked = sorted(call["arrived"] for call in calls if call["tenant"])
    counts = [0] * (int((asked[-1] - asked[0]) // 60) + 1)
    for moment in asked:
        counts[int((moment - asked[0]) // 60)] += 1
    return ", ".join(map(str, counts[:-1]))
