"""The steps of `make demo` and `make stop`."""

import csv
import subprocess
import sys
import time

import requests
from rich.console import Console

from demo import (
    compare,
    compare_pay,
    documents,
    earlier_invoices,
    open_differences,
    own_records,
    pay,
    planted,
    postgres,
    processes,
    report,
)
from demo.airflow_api import AirflowApi
from demo.place import ROOT, USERS, DemoError, Place
from xero.datasets.registry import DATASETS

# Seconds to wait for each step. Airflow takes 30, and minutes on a slow and busy machine; a process that ends before is
# reported immediately.
PATIENCE = 900.0


def up(place: Place, console: Console) -> None:
    """Starts everything, pulls, pushes, compares and prints the results. Raises DemoError if anything went wrong."""
    started_at = time.monotonic()
    place.prepare()
    # The sandbox generates its data while PostgreSQL creates its files.
    new_sandbox = start_sandbox(place)
    print_started(console, "Xero sandbox", place.sandbox, new_sandbox)
    print_started(console, "PostgreSQL", place.postgres, postgres.start(place))
    airflow = [sys.executable, "-m", "demo.standalone"]
    ports = (place.airflow_port, place.worker_log_port, place.trigger_log_port)
    print_started(console, "Airflow", place.ui, processes.ensure_started(place, "airflow", airflow, *ports))

    # While Airflow starts.
    wait_for_sandbox(place)
    xero(place, "migrate")
    connect(place, new_sandbox)
    api = AirflowApi(place)
    with console.status("Starting Airflow …"):
        api.wait_until_up(PATIENCE)
    play(place, api, console, new_sandbox)
    console.print(f"All went well, in {time.monotonic() - started_at:.0f} s.")


def connect(place: Place, new_sandbox: bool) -> None:
    """Connects the organisations, and writes QicWorks' own records. `new_sandbox`: the sandbox was restarted."""
    xero(place, "connect", "--all")
    own_records.add(place)
    if new_sandbox:
        own_records.forget_consents(place)


def play(place: Place, api: AirflowApi, console: Console, new_sandbox: bool) -> None:
    """Pulls, pushes, compares and prints the results with any running Airflow. Raises DemoError as `up` does."""
    pulls, pushes = (sorted(file.stem for file in (ROOT / "dags").glob(f"{what}_*.py")) for what in ("pull", "push"))
    with console.status("Waiting for Airflow to parse the DAGs …"):
        api.wait_for_dags([*pulls, *pushes], PATIENCE)
    nightly = [f"pull_{name}" for name, dataset in DATASETS.items() if dataset.timing.of_a_day]
    following = [f"pull_{name}" for name, one in DATASETS.items() if one.follows and not one.timing.of_a_day]
    runs = Runs(place, api, console)
    runs.run([dag_id for dag_id in pulls if dag_id not in nightly])
    earlier_invoices.add(place, recreate=new_sandbox)
    samples = documents.add(place, recreate=new_sandbox)
    plot = planted.add(place, recreate=new_sandbox)
    paid = pay.add(place, recreate=new_sandbox)
    if new_sandbox or not compare_pay.templates(place).exists():
        compare_pay.remember(place, paid)
    runs.run(pushes)
    processes.until(lambda: report.nothing_is_running(place), PATIENCE)
    wrong = compare.differences(place, samples) + compare_pay.differences(place, paid)
    if plot.is_new:
        planted.plant(place, plot)
    later = Runs(place, api, console)  # of the documents that were planted; the first pushes are shown above
    later.run([*nightly, *following, *planted.PUSHES])
    runs.ids |= {dag_id: later.ids[dag_id] for dag_id in nightly}
    runs.states |= later.states
    # A scheduled push may have been under way, and so have chosen what it sends before they were changed.
    processes.until(lambda: report.nothing_is_running(place), PATIENCE)
    if planted.waits(place, plot):
        later.run([*planted.PUSHES])
        processes.until(lambda: report.nothing_is_running(place), PATIENCE)
    wrong += compare.unbalanced(place)

    happened = report.events(place, runs.ids)
    print_tables(console, happened)
    pulled = [event for event in happened if event.dag_id in pulls]
    wrong += report.shortcomings(pulled, pulls, report.organisations(place)) + runs.not_successful()
    tied = tie_out(place, console, plot)
    if plot.is_new:  # later somebody may have settled them
        wrong += tied + open_differences.unexpected(place, plot)
    print_addresses(place, console)
    if wrong:
        raise DemoError("Not all went well:\n  " + "\n  ".join(wrong))
    count = len(samples) + len(paid)
    console.print(
        f"Compared {count} documents: each valid one exists in Xero once, each faulty one says what is wrong."
    )


def tie_out(place: Place, console: Console, plot: planted.Plot) -> list[str]:
    """Ties out the day of the planted documents, and shows it. Lists what it does not name, or names too much."""
    file, day = place.home / "tie-out.csv", planted.issued().isoformat()
    arguments = ["tie-out", "--connection", plot.organisation, "--period", f"{day}..{day}", "--csv", str(file)]
    command = [sys.executable, "-m", "xero", *arguments]
    finished = subprocess.run(
        command, cwd=ROOT, env=place.environment, check=False, capture_output=True, text=True, timeout=PATIENCE
    )
    console.print(f"Differences planted in {plot.organisation}, as the tie-out names them:")
    console.print(finished.stdout, markup=False)
    if finished.returncode != 1 or not file.exists():
        return [f"The tie-out ended with {finished.returncode}, not 1: {finished.stderr}"]
    with file.open(encoding="utf-8-sig", newline="") as written:
        rows = list(csv.DictReader(written))
    reasons = {(row["number"], row["reason"] or None) for row in rows if row["number"] in planted.EXPECTED}
    named = {number for number, reason in reasons if reason}
    found = {(number, reason) for number, reason in reasons if reason or number not in named}
    others = {(row["number"], row["reason"]) for row in rows if row["reason"] and row["number"] not in planted.EXPECTED}
    differ = sorted(map(str, found ^ set(planted.EXPECTED.items()))) + sorted(map(str, others))
    said = [f"The tie-out of {plot.organisation} does not name exactly what was planted: {one}" for one in differ]
    return [*said, finished.stdout] if said else []


class Runs:
    """The DAG runs of this demo, in waves."""

    def __init__(self, place: Place, api: AirflowApi, console: Console) -> None:
        self.place = place
        self.api = api
        self.console = console
        self.ids: dict[str, str] = {}  # DAG id → run id
        self.states: dict[str, str] = {}

    def run(self, dag_ids: list[str]) -> None:
        """Triggers the DAGs and waits until all runs have ended."""
        started = {dag_id: self.api.trigger(dag_id) for dag_id in dag_ids}
        self.ids |= started
        self.console.print(f"Running {', '.join(dag_ids)}.")
        with self.console.status("Waiting for the runs …"):
            self.states |= wait_for_runs(self.api, started, PATIENCE)

    def not_successful(self) -> list[str]:
        return [
            f"The run of {dag_id} is {state} "
            f"({', '.join(self.api.failed_tasks(dag_id, self.ids[dag_id])) or 'no task failed'}): "
            f"{self.place.ui}/dags/{dag_id}/runs/{self.ids[dag_id]}"
            for dag_id, state in self.states.items()
            if state != "success"
        ]


def print_tables(console: Console, happened: list[report.Event]) -> None:
    """Prints what was pulled, what was pushed, and the messages about single documents."""
    pushed = [event for event in happened if event.dag_id.startswith("push_")]
    console.print(report.table("What was pulled", [one for one in happened if one not in pushed], report.PULLED))
    if pushed:
        runs, single = ([one for one in pushed if bool(one.document) == only] for only in (False, True))
        console.print(report.table("What was pushed", runs, report.PUSHED))
        console.print(report.failures(single))
    else:
        console.print("Nothing was ready to be pushed.")


def stop(place: Place, console: Console) -> None:
    """Stops only what `up` started."""
    for name in ("airflow", "sandbox"):
        if processes.stop(place, name):
            console.print(f"{name} stopped")
    if postgres.stop(place):
        console.print("postgres stopped")
    console.print(f"The demo in {place.home} is stopped.")


def xero(place: Place, *arguments: str) -> None:
    """Runs the project's own command line; its output is shown."""
    finished = subprocess.run([sys.executable, "-m", "xero", *arguments], cwd=ROOT, env=place.environment, check=False)
    if finished.returncode:
        raise DemoError(f"`python -m xero {' '.join(arguments)}` failed; its output is above.")


def start_sandbox(place: Place) -> bool:
    """Starts the sandbox, which loses its data when it is stopped. Returns False if it is already running."""
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
        raise DemoError(f"The sandbox did not start. {processes.end_of_log(place, 'sandbox')}")


def wait_for_runs(api: AirflowApi, runs: dict[str, str], patience: float) -> dict[str, str]:
    """Waits until every run has ended, at most `patience` seconds. Returns DAG id → state."""
    waiting = list(runs.items())

    def over() -> bool:
        # Asks for the first only: asking for all of them several times a second would slow Airflow down.
        while waiting and api.state(*waiting[0]) in ("success", "failed"):
            del waiting[0]
        return not waiting

    processes.until(over, patience)
    return {dag_id: api.state(dag_id, run_id) for dag_id, run_id in runs.items()}


def print_addresses(place: Place, console: Console) -> None:
    for user in USERS:
        console.print(f"Airflow   {place.ui}  user {user:<6}  password {place.secrets[f'{user}_password']}")
    console.print(f"QicWorks  {place.postgres}/qicworks")
    console.print(f"Logs      {place.home / 'logs'}")
    console.print("Run `make stop` to stop it, or `make demo` again to pull what changed.")


def print_started(console: Console, what: str, where: str, started: bool) -> None:
    console.print(f"{what} {'is starting' if started else 'is already running'}: {where}")
