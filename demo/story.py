"""What `make demo` and `make stop` do, in order."""

import subprocess
import sys
import time

import requests
from rich.console import Console

from demo import compare, compare_pay, documents, own_records, pay, postgres, processes, report
from demo.airflow_api import AirflowApi
from demo.place import ROOT, USERS, DemoError, Place
from xero.datasets.registry import DATASETS

# Seconds for each thing that is waited for. Airflow takes 30, on a slow and busy machine minutes; a process that ends
# before is reported at once.
PATIENCE = 900.0


def up(place: Place, console: Console) -> None:
    """Starts everything, pulls everything, pushes everything, compares, tells. DemoError when not all went well."""
    began = time.monotonic()
    place.prepare()
    # It makes its data while PostgreSQL makes its files.
    began_anew = start_sandbox(place)
    say_started(console, "Xero sandbox", place.sandbox, began_anew)
    say_started(console, "PostgreSQL", place.postgres, postgres.start(place))
    airflow = [sys.executable, "-m", "demo.standalone"]
    ports = (place.airflow_port, place.worker_log_port, place.trigger_log_port)
    say_started(console, "Airflow", place.ui, processes.ensure_started(place, "airflow", airflow, *ports))

    # While Airflow comes up.
    wait_for_sandbox(place)
    xero(place, "migrate")
    connect(place, began_anew)
    api = AirflowApi(place)
    with console.status("Airflow comes up …"):
        api.wait_until_up(PATIENCE)
    play(place, api, console, began_anew)
    console.print(f"All went well, in {time.monotonic() - began:.0f} s.")


def connect(place: Place, began_anew: bool) -> None:
    """Connects the organisations, and gives QicWorks what it has of its own. `began_anew`: the sandbox did."""
    xero(place, "connect", "--all")
    own_records.add(place)
    if began_anew:
        own_records.forget_consents(place)


def play(place: Place, api: AirflowApi, console: Console, began_anew: bool) -> None:
    """Pulls everything, pushes everything, compares, tells, by any Airflow that is up. DemoError as `up`."""
    pulls, pushes = (sorted(file.stem for file in (ROOT / "dags").glob(f"{what}_*.py")) for what in ("pull", "push"))
    with console.status("Airflow reads the DAGs …"):
        api.wait_for_dags([*pulls, *pushes], PATIENCE)
    nightly = [f"pull_{name}" for name, dataset in DATASETS.items() if dataset.timing.of_a_day]
    runs = Runs(place, api, console)
    runs.run([dag_id for dag_id in pulls if dag_id not in nightly])
    samples = documents.add(place, anew=began_anew)
    paid = pay.add(place, anew=began_anew)
    if began_anew or not compare_pay.templates(place).exists():
        compare_pay.remember(place, paid)
    runs.run(pushes)
    processes.until(lambda: report.nothing_is_being_pushed(place), PATIENCE)
    wrong = compare.differences(place, samples) + compare_pay.differences(place, paid)
    runs.run(nightly)
    wrong += compare.unbalanced(place)

    happened = report.events(place, runs.ids)
    tell(console, happened)
    pulled = [event for event in happened if event.dag_id in pulls]
    wrong += report.shortcomings(pulled, pulls, report.organisations(place)) + runs.not_successful()
    tell_where(place, console)
    if wrong:
        raise DemoError("Not all went well:\n  " + "\n  ".join(wrong))
    told = len(samples) + len(paid)
    console.print(f"Compared {told} documents: the sound ones stand in Xero once, the others say what is wrong.")


class Runs:
    """The DAG runs of this demo, in waves."""

    def __init__(self, place: Place, api: AirflowApi, console: Console) -> None:
        self.place = place
        self.api = api
        self.console = console
        self.ids: dict[str, str] = {}  # DAG id → run id
        self.states: dict[str, str] = {}

    def run(self, dag_ids: list[str]) -> None:
        """Triggers them, and waits until all are over."""
        started = {dag_id: self.api.trigger(dag_id) for dag_id in dag_ids}
        self.ids |= started
        self.console.print(f"Airflow runs {', '.join(dag_ids)}.")
        with self.console.status("Airflow's scheduler works …"):
            self.states |= wait_for_runs(self.api, started, PATIENCE)

    def not_successful(self) -> list[str]:
        return [
            f"The run of {dag_id} is {state} "
            f"({', '.join(self.api.failed_tasks(dag_id, self.ids[dag_id])) or 'no task failed'}): "
            f"{self.place.ui}/dags/{dag_id}/runs/{self.ids[dag_id]}"
            for dag_id, state in self.states.items()
            if state != "success"
        ]


def tell(console: Console, happened: list[report.Event]) -> None:
    """The tables: what was pulled, what was pushed, and what was said of single documents."""
    pushed = [event for event in happened if event.dag_id.startswith("push_")]
    console.print(report.table("What was pulled", [one for one in happened if one not in pushed], report.PULLED))
    if pushed:
        whole, single = ([one for one in pushed if bool(one.document) == only] for only in (False, True))
        console.print(report.table("What was pushed", whole, report.PUSHED))
        console.print(report.failures(single))
    else:
        console.print("Nothing was ready to be pushed.")


def stop(place: Place, console: Console) -> None:
    """Stops what `up` started, and nothing else."""
    for name in ("airflow", "sandbox"):
        if processes.stop(place, name):
            console.print(f"{name} stopped")
    if postgres.stop(place):
        console.print("postgres stopped")
    console.print(f"Nothing of the demo in {place.home} runs.")


def xero(place: Place, *arguments: str) -> None:
    """Runs the project's own command line, and shows what it says."""
    finished = subprocess.run([sys.executable, "-m", "xero", *arguments], cwd=ROOT, env=place.environment, check=False)
    if finished.returncode:
        raise DemoError(f"`python -m xero {' '.join(arguments)}` failed; what it said is above.")


def start_sandbox(place: Place) -> bool:
    """Starts the local Xero, which forgets everything when it is stopped. False: it already ran."""
    command = [sys.executable, "-m", "xero_sandbox", "--port", str(place.sandbox_port), "--profile", "demo"]
    settings = place.settings | {"XERO_SANDBOX_CLIENT_SECRET": place.secrets["client_secret"]}
    return processes.ensure_started(place, "sandbox", command, place.sandbox_port, settings=settings)


def wait_for_sandbox(place: Place) -> None:
    session = requests.Session()
    session.trust_env = False

    def healthy() -> bool:
        try:
            return session.get(f"{place.sandbox}/sandbox/health", timeout=5).ok
        except requests.RequestException:
            return False

    if not processes.until(healthy, PATIENCE):
        raise DemoError(f"The sandbox did not come up. {processes.end_of_log(place, 'sandbox')}")


def wait_for_runs(api: AirflowApi, runs: dict[str, str], patience: float) -> dict[str, str]:
    """Waits until every run is over, or patience is. Returns DAG id → state."""
    waiting = list(runs.items())

    def over() -> bool:
        # Of the first only: asking for all of them, several times a second, would slow them down.
        while waiting and api.state(*waiting[0]) in ("success", "failed"):
            del waiting[0]
        return not waiting

    processes.until(over, patience)
    return {dag_id: api.state(dag_id, run_id) for dag_id, run_id in runs.items()}


def tell_where(place: Place, console: Console) -> None:
    for user in USERS:
        console.print(f"Airflow   {place.ui}  user {user:<6}  password {place.secrets[f'{user}_password']}")
    console.print(f"QicWorks  {place.postgres}/qicworks")
    console.print(f"Logs      {place.home / 'logs'}")
    console.print("`make stop` stops it; `make demo` again pulls what changed.")


def say_started(console: Console, what: str, where: str, started: bool) -> None:
    console.print(f"{what} {'starts' if started else 'runs already'}: {where}")
