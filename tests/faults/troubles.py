"""What goes wrong, how it is begun and ended. Each by its name in `plan.TROUBLES`."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg
import redis

from demo.cluster import Cluster
from demo.place import DemoError
from tests.faults.operator import Operator
from tests.faults.plan import How
from tests.faults.sides import Live, patiently
from tests.faults.tally import NotNow

log = logging.getLogger(__name__)

API = "/(api|payroll).xro/"
WORKERS = ("airflow-worker-1", "airflow-worker-2")

#: Orders for the sandbox: of the calls that match each `every`th goes wrong.
ORDERS: dict[str, How] = {
    "Xero says 429": {"kind": "429", "every": 3},
    "Xero says 503": {"kind": "503", "every": 2},
    "Xero says 503, and has done it": {"kind": "503_saved", "every": 3},
    "Xero says 500, and has done it": {"kind": "500_saved", "every": 4},
    "Xero is slow": {"kind": "slow", "every": 2, "seconds": 6.0},
    "connections are cut before Xero reads": {"kind": "cut", "every": 2},
    "connections are cut before Xero answers": {"kind": "lost_answer", "every": 2},
    "Xero's JSON ends half-way": {"kind": "malformed", "every": 2},
    "Xero's gzip ends half-way": {"kind": "half_gzip", "every": 2},
    "a page of HTML comes instead of Xero": {"kind": "html", "every": 3},
    "access tokens expire at once": {"kind": "token_expired", "every": 3},
    "the identity server is not available": {"kind": "503", "every": 1, "path": "/connect/token"},
}

#: A full disk cannot be had without being root of it; what PostgreSQL says of one can: SQLSTATE 53100, when a row is to
#: be staged, for as long as `disk_is_full` has a row.
DISK = """
    CREATE SCHEMA faults;
    CREATE TABLE faults.disk_is_full (at timestamptz DEFAULT now());
    GRANT USAGE ON SCHEMA faults TO PUBLIC;
    CREATE FUNCTION faults.no_space() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF EXISTS (SELECT FROM faults.disk_is_full) THEN
            RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE
        staging text;
    BEGIN
        FOR staging IN SELECT table_name FROM information_schema.tables
                        WHERE table_schema = 'xero_sync' AND table_name LIKE 'stage\\_%%' AND table_type = 'BASE TABLE'
        LOOP
            EXECUTE format('CREATE TRIGGER no_space BEFORE INSERT ON xero_sync.%%I
                            FOR EACH STATEMENT EXECUTE FUNCTION faults.no_space()', staging);
        END LOOP;
    END $$;
"""


class Services:
    """The cluster's services, with what Docker's `restart: unless-stopped` would do: who ends by itself is started."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.down: set[str] = set()  # stopped on purpose
        self.revived: dict[str, int] = defaultdict(int)
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def keep(self) -> None:
        self._keeper.start()

    def leave(self) -> None:
        self._over.set()
        self._keeper.join()

    @contextmanager
    def without(self, name: str, how: str) -> Iterator[None]:
        """The service is stopped or killed for as long as the block lasts."""
        with self._locks[name]:
            self.down.add(name)
            try:
                getattr(self.cluster, how)(name)
                yield
            finally:
                self.start(name)
                self.down.discard(name)

    def start(self, name: str) -> None:
        """Until it is up: on a busy machine a start may fail for want of time, or of a database that is away, too."""
        patiently(lambda: self.cluster.start(name), DemoError, psycopg.Error, patience=900, pause=2.0)

    def _keep(self) -> None:
        while not self._over.wait(2.0):
            for name in self.cluster.services:
                if name in self.down or self.cluster.ends(name) or not self._locks[name].acquire(blocking=False):
                    continue
                try:
                    if not self.cluster.running(name):
                        self.revived[name] += 1
                        self.cluster.start(name)
                except (DemoError, psycopg.Error) as error:
                    log.warning("%s does not come up again: %s", name, str(error).splitlines()[0])
                finally:
                    self._locks[name].release()


class Troubles:
    """The troubles of a run. `call` is given the name and the rest of the step; it returns when the trouble is over, or
    raises NotNow if it met nobody."""

    def __init__(self, world: Live, services: Services, operator: Operator, metadata: str, broker: str) -> None:
        self.world = world
        self.services = services
        self.operator = operator
        self.metadata = metadata
        self.broker = broker
        self.wait: Callable[[float], object] = time.sleep
        self.acts: dict[str, Callable[[How], str]] = {
            "a worker is killed": lambda how: self._away(WORKERS[int(how["pick"] * 2)], "kill", how),
            "a push is killed": lambda how: self._kill_task("push", how),
            "a pull is killed": lambda how: self._kill_task("pull", how),
            "the scheduler is restarted": lambda how: self._away("airflow-scheduler", "stop", how),
            "the scheduler is killed": lambda how: self._away("airflow-scheduler", "kill", how),
            "the API server is restarted": lambda how: self._away("airflow-apiserver", "stop", how),
            "QicWorks' database crashes": lambda how: self._away("qicworks-db", "kill", how),
            "QicWorks' database is restarted": lambda how: self._away("qicworks-db", "stop", how),
            "Airflow's database crashes": lambda how: self._away("airflow-db", "kill", how),
            "Redis is killed": lambda how: self._away("redis", "kill", how),
            "Redis is emptied": self._empty_redis,
            "the disk is full": self._fill_disk,
            "the authorisation was revoked": self._revoke,
            "an organisation disconnects the app": self._disconnect,
            "Xero's clock is put right by ten minutes": self._put_clock_right,
            **{name: lambda how, name=name: self._order(name, how) for name in ORDERS},  # type: ignore[misc]
        }

    def __call__(self, name: str, **how: Any) -> str:
        return self.acts[name](how)

    def _away(self, service: str, by: str, how: How) -> str:
        """Best while somebody is at work: it waits for that, for a while."""
        at_work = self._until(self._something_runs, 20)
        self.wait(how["pick"])
        with self.services.without(service, by):
            self.wait(how["lasts"])
        return f"{service}: {by}, {how['lasts']} s, {'at work' if at_work else 'idle'}"

    def _until(self, met: Callable[[], bool], patience: float) -> bool:
        deadline = time.monotonic() + patience
        while not met():
            if time.monotonic() > deadline:
                return False
            self.wait(0.1)
        return True

    def _something_runs(self) -> bool:
        return bool(self.world.query("SELECT id FROM xero_sync.connection_event WHERE status = 'running' LIMIT 1"))

    def _kill_task(self, direction: str, how: How) -> str:
        """kill -9 of a task's own process, at a moment that nobody chose."""
        for _ in range(300):
            for process in self._at_work(direction):
                self.wait(how["pick"] * 1.5)
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue  # it was quicker
                return f"{direction} killed, process {process.pid}"
            self.wait(0.2)
        raise NotNow(f"no {direction} was at work for a minute")

    def _at_work(self, direction: str) -> list[psutil.Process]:
        """Processes of running tasks of that name; they bear the ids of their task instances."""
        running = "SELECT id::text FROM task_instance WHERE task_id = %s AND state = 'running'"
        try:
            with psycopg.connect(self.metadata, connect_timeout=5) as session:
                titles = {f"airflow worker -- {id}" for (id,) in session.execute(running, (direction,))}
        except psycopg.Error:
            return []
        found = []
        for process in psutil.process_iter(["cmdline"]):
            if " ".join(process.info["cmdline"] or ()).strip() in titles:
                found.append(process)
        return found

    def _empty_redis(self, how: How) -> str:
        with redis.Redis.from_url(self.broker) as broker:
            self._until(lambda: broker.llen("default") > 0, 30)
            lost = broker.llen("default")
            broker.flushall()
        return f"Redis is empty, {lost} messages are lost"

    def _fill_disk(self, how: How) -> str:
        self.world.query("INSERT INTO faults.disk_is_full DEFAULT VALUES")
        self.wait(how["lasts"])
        self.world.query("DELETE FROM faults.disk_is_full")
        return f"the disk was full for {how['lasts']} s"

    def _order(self, name: str, how: How) -> str:
        order = {"path": API, "times": None, "name": name, **ORDERS[name]}
        if order["kind"] == "429":
            order["retry_after"] = 3 + int(how["pick"] * 20)
        self.world.sandbox.control("POST", "faults", order)
        self.wait(how["lasts"])
        hits = sum(one["hits"] for one in self.world.sandbox.control("GET", "faults") if one["name"] == name)
        self.world.sandbox.control("DELETE", "faults", {"name": name})
        if not hits:
            raise NotNow(f"no call in {how['lasts']} s")
        return f"{hits} calls in {how['lasts']} s"

    def _revoke(self, how: How) -> str:
        ended = self.world.sandbox.control("POST", "revoke")
        self.wait(how["lasts"])
        return f"revoked {ended}, {self.operator.reconnect()}"

    def _disconnect(self, how: How) -> str:
        tenant = self.world.tenants[how["organisation"]]
        for owned in self.world.sandbox.control("GET", "connections").values():
            for one in owned:
                if one["tenantId"] == tenant:
                    self.world.sandbox.control("DELETE", f"connections/{one['id']}")
        self.wait(how["lasts"])
        return f"disconnected, {self.operator.reconnect()}"

    def _put_clock_right(self, how: How) -> str:
        """It was slow all the time; no time has passed for what Xero keeps for a while."""
        self.world.sandbox.control("PUT", "clock", {"ahead_by": 600})
        return "Xero's clock is ten minutes further"


def prepare_disk(world: Live) -> None:
    world.query(DISK)


def repair_disk(world: Live) -> None:
    world.query("DROP SCHEMA IF EXISTS faults CASCADE")
