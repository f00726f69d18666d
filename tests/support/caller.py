"""Several processes that do one thing: `caller.py N renew|hang|calls|hold '{arguments}'`. Not a test itself.

It says "ready" when all are, starts them when it reads a line, and ends with a list of what each of them returned.
"""

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine

from xero.api.auth import OAuth
from xero.api.client import XeroClient
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import Token
from xero.qicworks import database
from xero.qicworks.runs.call_budget import DatabaseLimiter
from xero.sync.connect.token_store import DatabaseTokens

FORK = multiprocessing.get_context("fork")  # from a process without threads, that has imported everything
Begin = Callable[[], None]


def say(word: str) -> None:
    """In one piece: several processes write to the same pipe, and an unbuffered print writes its line end apart."""
    os.write(1, f"{word}\n".encode())


def renew(begin: Begin, engine: Engine, app: XeroApp, token_id: str) -> dict[str, Any]:
    """Renews the token that it, like all the others, has read before the start."""
    tokens = DatabaseTokens(engine, token_id, app)
    stale = tokens.get()
    begin()
    return {"token": tokens.renew(stale).access_token}


def hang(begin: Begin, engine: Engine, app: XeroApp, token_id: str) -> dict[str, Any]:
    """Is refreshed by Xero, and never comes to store it."""
    tokens = DatabaseTokens(engine, token_id, app)
    refresh = OAuth.refresh

    def refresh_and_hang(self: OAuth, token: Token) -> Token:
        refresh(self, token)
        say("refreshed")
        time.sleep(60)
        raise AssertionError("it should have been killed")

    OAuth.refresh = refresh_and_hang  # type: ignore[method-assign]
    stale = tokens.get()
    begin()
    return {"token": tokens.renew(stale).access_token}


def calls(
    begin: Begin, engine: Engine, app: XeroApp, token_id: str, tenant: str, count: int, threads: int
) -> dict[str, Any]:
    """Calls as fast as it may, from several threads."""
    client = XeroClient(
        app, new_session(), DatabaseTokens(engine, token_id, app), DatabaseLimiter(engine, app), tenant, max_wait=60
    )
    begin()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: client.get("/api.xro/2.0/TrackingCategories"), range(count)))
    return {"calls": client.calls}


def hold(begin: Begin, engine: Engine, app: XeroApp, tenant: str) -> dict[str, Any]:
    """Takes a permit and keeps it."""
    begin()
    with DatabaseLimiter(engine, app).permit(tenant, max_wait=5):
        say("holding")
        time.sleep(60)
    return {}


WORK = {"renew": renew, "hang": hang, "calls": calls, "hold": hold}


def work(what: str, arguments: dict[str, Any], ready: Any, results: Any) -> None:
    """One process: with an engine of its own."""
    given = {**arguments, "app": XeroApp(**arguments["app"]), "engine": database.engine(arguments["database_url"])}
    del given["database_url"]

    def begin() -> None:
        ready.wait()
        ready.wait()

    results.put(WORK[what](begin, **given))


def main(n: int, what: str, arguments: dict[str, Any]) -> None:
    ready, results = FORK.Barrier(n + 1), FORK.SimpleQueue()
    processes = [FORK.Process(target=work, args=(what, arguments, ready, results), daemon=True) for _ in range(n)]
    for process in processes:
        process.start()
    ready.wait()
    print("ready", *(process.pid for process in processes), flush=True)
    sys.stdin.readline()
    ready.wait()
    print(json.dumps([results.get() for _ in processes]), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
