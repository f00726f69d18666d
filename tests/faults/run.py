"""The run: a cluster, the plan carried out on it, the calm, the proof."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

import msgspec
import psycopg
from cryptography.fernet import Fernet, InvalidToken

from demo import earlier_invoices, own_records
from demo.cluster import Cluster
from tests.faults import plan, troubles
from tests.faults.airflow import Airflow
from tests.faults.calm import Calm, Unsettled
from tests.faults.operator import Operator
from tests.faults.place import IMPATIENT, POLICY, XERO, fresh
from tests.faults.proof import equality, gather, once, provenance, secrecy, tasks, told
from tests.faults.proof.facts import Facts, Result
from tests.faults.sides import Live
from tests.faults.tally import Tally
from tests.faults.troubles import Services, Troubles
from tests.faults.workload import Workload
from tests.support.sandbox import Sandbox
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database

ORGANISATIONS = 5
CHECKS = (equality.check, once.check, told.check, provenance.check, secrecy.check, tasks.check)


class Run:
    """One fault run of a seed, in a place of its own. `ports`: those of the place, by variable."""

    def __init__(self, seed: int, minutes: float, ports: dict[str, str]) -> None:
        self.plan = plan.made(seed, minutes, ORGANISATIONS, list(DATASETS), list(KINDS))
        self.place = fresh(ports)
        self.cluster = Cluster(self.place, settings=IMPATIENT, local_settings=POLICY)
        self.place.prepare()
        self.diary = self.place.home / "faults.log"
        (self.place.home / "plan.txt").write_text(str(self.plan))
        self.airflow = Airflow(self.place.airflow, "admin", self.place.secrets["admin_password"])
        self.world = Live(Sandbox(self.place.sandbox), database.engine(self.place.qicworks), self.place.qicworks)
        self.operator = Operator(self.world, self.airflow, self.cluster)
        self.services = Services(self.cluster)
        self.calm = Calm(self.world, self.airflow, self.operator, self.place.metadata, self.say)
        self.began = time.monotonic()
        self.tally = Tally()
        self.tokens: set[str] = set()
        self._speaking = threading.Lock()
        self._over = threading.Event()

    def say(self, what: object) -> None:
        with self._speaking:
            line = f"{time.monotonic() - self.began:7.1f} {what}"
            print(line, flush=True)
            with self.diary.open("a") as diary:
                diary.write(line + "\n")

    def all(self, *, keep: bool) -> int:
        """From nothing to the proof; how many complaints there are."""
        self.say(f"the plan is in {self.place.home / 'plan.txt'}, the diary in {self.diary}")
        listener = threading.Thread(target=self._listen_for_tokens, daemon=True)
        try:
            self.set_up()
            listener.start()
            self.go_wrong()
            self.come_to_rest()
            return self.prove()
        finally:
            self._over.set()
            if not keep:
                self.cluster.stop()

    # -- the beginning

    def set_up(self) -> None:
        """Everything up, connected, pulled once; Xero's clock is slow where the plan puts it right."""
        self.cluster.start()
        self.say(f"the cluster is up: {', '.join(self.cluster.services)}; {self.place.ui}")
        self.world.sandbox.control("PATCH", "settings", XERO)
        if any(step.how.get("name") == "Xero's clock is put right by ten minutes" for step in self.plan.steps):
            self.world.sandbox.control("PUT", "clock", {"offset_seconds": -600})
        self.operator.connect_all()
        own_records.add(self.place)
        self.operator.consent(self.waiting_for_consent())
        self.calm.pull_all(full=True)
        earlier_invoices.add(self.place, recreate=False)
        self.switch_everything_on()
        troubles.prepare_disk(self.world)
        self.workload = Workload(self.world, self.airflow, f"F{self.plan.seed % 1000}-")
        self.templates = {
            tenant: {one["EmployeeID"]: one["PayTemplate"] for one in self.world.sandbox.truth("Employees", number)}
            for number, tenant in enumerate(self.world.tenants)
        }
        self.say(f"connected and pulled: {', '.join(one['organisation'] for one in self.world.connections)}")

    def waiting_for_consent(self) -> dict[str, UUID]:
        """Xero organisation → QicWorks organisation, of those that a user connects."""
        found = [one for one in self.world.sandbox.control("GET", "organisations") if "app" not in one["connected"]]
        rows = self.world.query(
            "SELECT id FROM qicworks.organisation WHERE name = ANY(%s) ORDER BY name", list(own_records.UNCONNECTED)
        )
        return {one["tenant"]: row["id"] for one, row in zip(found, rows, strict=True)}

    def switch_everything_on(self) -> None:
        """Whatever was paused."""
        for dag_id in self.airflow.dags():
            self.airflow.pause(dag_id, False)

    # -- the quarter of an hour

    def go_wrong(self) -> None:
        """Each step at its time, or as soon after it as there is room."""
        self.services.keep()
        trouble = Troubles(self.world, self.services, self.operator, self.place.metadata, self.place.broker)
        started = time.monotonic()
        done: list[Future[None]] = []
        with ThreadPoolExecutor(plan.AT_ONCE) as bad, ThreadPoolExecutor(8) as good:
            for step in self.plan.steps:
                time.sleep(max(0.0, started + step.at - time.monotonic()))
                if step.act == "trouble":
                    done.append(bad.submit(self._carry_out, step, lambda how: trouble(**how)))
                else:
                    done.append(
                        good.submit(self._carry_out, step, lambda how, act=step.act: self.workload.do(act, how))
                    )
        self.say(f"{len(done)} steps are done; by themselves came up again: {dict(self.services.revived)}")

    def _carry_out(self, step: plan.Step, do: Callable[[plan.How], object]) -> None:
        if step.act == "trouble":
            self.say(f"!! {step.how['name']} ({step.how['lasts']} s)")
        self.say(self.tally.carry_out(step, do))

    # -- the end

    def come_to_rest(self) -> None:
        """All faults off, everything on, until nothing waits any more."""
        self.services.leave()
        self.world.sandbox.control("DELETE", "faults")
        self.world.sandbox.control("DELETE", "drift")
        for name in self.cluster.services:
            if not self.cluster.ends(name) and not self.cluster.running(name):
                self.services.start(name)
        troubles.repair_disk(self.world)
        self.say(f"calm: {self.operator.reconnect()}; {self.workload.mend()} records mended in Xero")
        try:
            self.calm.settle(lambda: f"{self.workload.finish()} edits finished; {self.operator.reconnect()}")
        except Unsettled as error:
            self.tally.broken.append(f"it does not come to rest: {error}")

    def prove(self) -> int:
        self.say("the facts are read")
        facts = self.facts()
        results = [Result("the run itself", f"{len(self.plan.steps)} steps", self.tally.broken), self.tally.result()]
        results += [check(facts) for check in CHECKS]
        print()
        for number, result in enumerate(results):
            self.say(f"{'OK  ' if not result.wrong else 'FAIL'} ({number}) {result.title}: {result.compared}")
            for wrong in result.wrong[:25]:
                self.say(f"       {wrong}")
            if len(result.wrong) > 25:
                self.say(f"       and {len(result.wrong) - 25} more")
        refused = self.world.sandbox.control("GET", "stats")["refused"]
        self.say(f"429 that nobody ordered, by limit: {refused or 'none'}; events: {told_of(facts)}")
        return sum(len(result.wrong) for result in results)

    def facts(self) -> Facts:
        facts = Facts()
        facts.calls = gather.calls(self.world)
        facts.sides = gather.sides(
            self.world, self.workload.books, self.workload.pay, self.workload.touched, self.templates
        )
        gather.plumbing(self.world, facts)
        gather.airflow(self.place.metadata, self.cluster.translation.airflow_home / "logs", facts)
        facts.secrets = self.secrets()
        home = self.place.home
        logs = [home / "logs", home / "airflow" / "logs", home / "faults.log", home / "plan.txt"]
        logs += [self.cluster.log(name) for name in ("airflow-db", "qicworks-db")]
        facts.texts = gather.texts(logs, {"airflow": self.place.metadata, "qicworks": self.place.qicworks})
        return facts

    def secrets(self) -> dict[str, list[str]]:
        given = self.world.sandbox.control("GET", "tokens")
        canaries: dict[str, list[str]] = self.world.sandbox.control("GET", "canaries")["kinds"]
        return {
            **{name: [secret] for name, secret in self.place.secrets.items()},
            "access or refresh token": sorted(self.tokens | set(given["refresh_tokens"])),
            "code": given["codes"] + self.operator.codes,
            "token of Airflow's API": self.airflow.tokens,
            **{f"{kind} of staff": texts for kind, texts in canaries.items()},
        }

    def _listen_for_tokens(self) -> None:
        """Whatever tokens are stored at any time, to look for them later."""
        key = Fernet(self.place.secrets["token_key"])
        while not self._over.wait(3.0):
            with suppress(psycopg.Error, InvalidToken):
                with psycopg.connect(self.place.qicworks, connect_timeout=3) as session:
                    rows = session.execute("SELECT secret FROM xero_sync.token").fetchall()
                for (secret,) in rows:
                    token = msgspec.json.decode(key.decrypt(bytes(secret)))
                    self.tokens |= {token[name] for name in ("access_token", "refresh_token") if token.get(name)}


def told_of(facts: Facts) -> dict[str, int]:
    return dict(Counter(f"{one['direction']} {one['status']}" for one in facts.events))
