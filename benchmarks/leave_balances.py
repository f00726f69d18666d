"""Leave balances of 260 employees, at Xero's limits: 60 calls a minute and 5 at a time, answers in 200 to 600 ms.

One call an employee is the floor, and the list of 260 is three more: 263 calls take at least 4 windows of a minute.
"""

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests

from demo import postgres
from demo.place import Place
from xero.api.settings import XeroApp
from xero.datasets.registry import named
from xero.qicworks import database
from xero.qicworks.migrate import migrate
from xero.sync.clients import opener
from xero.sync.connect import connect_all
from xero.sync.pull import Origin, pull
from xero.sync.turns import who
from xero_sandbox.launch import launched

FIRM = "Harbour & Sons Plumbing Pty Ltd"
STAFF = 260
CLIENT = ("demo-client", "demo-secret-0000000000000000")


def run() -> dict[str, Any]:
    """What was measured, by name."""
    with ExitStack() as afterwards:
        home = Path(tempfile.mkdtemp(prefix="bench-"))
        home.chmod(0o755)
        afterwards.callback(shutil.rmtree, home, ignore_errors=True)
        place = Place.from_environment({"XERO_DEMO_HOME": str(home), "POSTGRES_PORT": "54399"})
        place.prepare()
        postgres.start(place)
        afterwards.callback(postgres.stop, place)
        engine = database.engine(f"{place.postgres}/qicworks")
        afterwards.callback(engine.dispose)
        migrate(engine)
        url = afterwards.enter_context(launched("--profile", "small"))
        session = afterwards.enter_context(requests.Session())
        session.trust_env = False

        def steer(method: str, path: str, body: Any = None) -> Any:
            answer = session.request(method, f"{url}/sandbox/{path}", json=body, timeout=60)
            answer.raise_for_status()
            return answer.json()

        steer("POST", "reset", {"staff": {FIRM: STAFF}})
        steer("PATCH", "settings", {"latency_ms": [200, 600]})
        extra = {"grant_type": "client_credentials", "identity_host": url}
        fields = {"login": CLIENT[0], "password": CLIENT[1], "host": url, "extra": extra, "schema": None, "port": None}
        app = XeroApp.from_connection(type("Connection", (), fields))
        open_client = opener(engine, lambda _: app)
        connect_all(engine, app, "xero_default", open_client, lambda _: None)
        dataset = named("leave_balances")
        [one], _ = who(engine, dataset, FIRM)
        steer("DELETE", "calls")
        steer("DELETE", "limits")

        began = time.monotonic()
        outcome = pull(dataset, one["connection_id"], engine=engine, open_client=open_client, origin=Origin())
        took = time.monotonic() - began
        stats = steer("GET", "stats")
        return {
            "employees": STAFF,
            "balances loaded": outcome.counts.inserted,
            "calls": outcome.counts.calls,
            "seconds": f"{took:.0f}",
            "calls a minute, in the windows that were full": full_windows(steer("GET", "calls")),
            "most in flight": max(stats["max_in_flight"].values()),
            "answers with status 429": sum(call["status"] == 429 for call in steer("GET", "calls")),
        }


def full_windows(calls: list[dict[str, Any]]) -> str:
    """How many of the 60 were used in each minute from the first call on, but for the last."""
    asked = sorted(call["arrived"] for call in calls if call["tenant"])
    counts = [0] * (int((asked[-1] - asked[0]) // 60) + 1)
    for moment in asked:
        counts[int((moment - asked[0]) // 60)] += 1
    return ", ".join(map(str, counts[:-1]))
