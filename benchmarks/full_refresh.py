"""A full refresh right after a first load of contacts, with autovacuum off: PostgreSQL has analysed no table.

Pulled by the owner of the tables, and by a role with only the rights of `migrate --grant-to`. Seconds are those of the
pull, from a sandbox that responds immediately and has its limits off.
"""

import time
from dataclasses import replace
from typing import Any

import psycopg

from benchmarks.surroundings import FIRM, Surroundings, surroundings
from xero.composition import opener
from xero.datasets.registry import named
from xero.preloading import preload
from xero.qicworks import database
from xero.qicworks.admin import grants
from xero.qicworks.admin.migrate import migrate
from xero.sync.connect.connect_all import connect_all
from xero.sync.pull.flow import Origin, pull
from xero.sync.runs.participants import select_connections

SIZES = (20_000, 50_000)
PORT = 54395
ROLE = "least_rights"


def run() -> dict[str, Any]:
    """Measures, and returns the figures by name."""
    facts: dict[str, Any] = {}
    preload()
    with surroundings(PORT) as around:
        with psycopg.connect(f"{around.place.postgres}/postgres", autocommit=True) as server:
            server.execute("ALTER SYSTEM SET autovacuum = off")
            server.execute("SELECT pg_reload_conf()")
            server.execute(f"CREATE ROLE {ROLE} LOGIN")
        for contacts in SIZES:
            for role in ("owner", ROLE):
                first, second = measured(around, contacts, role)
                name = f"{contacts:,} contacts, {role.replace('_', ' ')}"
                facts[f"{name}: first load, seconds"] = f"{first:.1f}"
                facts[f"{name}: full refresh, seconds"] = f"{second:.1f}"
                facts[f"{name}: full refresh / first load"] = f"{second / first:.2f}"
    return facts


def measured(around: Surroundings, contacts: int, role: str) -> tuple[float, float]:
    """Returns the seconds of the first load and of the full refresh after it."""
    url = around.new_database("qicworks")
    engine = database.engine(url)
    migrate(engine)
    if role == ROLE:
        with database.session(engine) as session:
            grants.grant_to(session, ROLE)
        engine.dispose()
        engine = database.engine(url.replace("postgres@", f"{ROLE}@"))
    around.steer("POST", "reset", {"contacts": {FIRM: contacts}})
    around.steer("PATCH", "settings", {"limits": False})
    app = replace(around.app, minute_limit=1_000, minute_seconds=1.0)
    open_client = opener(engine, lambda _: app)
    connect_all(engine, app, "xero_default", open_client, lambda _: None)
    dataset = named("contacts")
    [one], _ = select_connections(engine, dataset, FIRM)

    def seconds(**how: bool) -> float:
        began = time.monotonic()
        outcome = pull(dataset, one["connection_id"], engine=engine, open_client=open_client, origin=Origin(), **how)
        took = time.monotonic() - began
        if outcome.counts.read != contacts:
            raise RuntimeError(f"{outcome.counts.read} of {contacts} contacts were fetched")
        return took

    first, second = seconds(), seconds(full=True)
    engine.dispose()
    return first, second
