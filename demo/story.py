"""What `make demo` and `make stop` do, in order."""

import subprocess
import sys
import time

import requests
from rich.console import Console

from demo import own_records, postgres, processes, report
from demo.airflow_api import AirflowApi
from demo.place import ROOT, DemoError, Place
from xero.datasets.declaration import Timing
from xero.datasets.registry import DATASETS


def up(place: Place, console: Console) -> None:
    """Starts everything, pulls everything, tells. DemoError when not all went well."""
    began = time.monotonic()
    place.prepare()
    say_started(console, "PostgreSQL", place.postgres, postgres.start(place))
    sandbox = [sys.executable, "-m", "xero_sandbox", "--port", str(place.sandbox_port), "--profile", "demo"]
    credentials = ["--client-id", "demo-client", "--client-secret", place.secrets["client_secret"]]
    started = processes.ensure_started(place, "sandbox", sandbox + credentials, place.sandbox_port)
    say_started(console, "Xero sandbox", place.sandbox, started)
    airflow = [sys.executable, "-m", "airflow", "standalone"]
    ports = (place.airflow_port, place.worker_log_port, place.trigger_log_port)
    say_started(console, "Airflow", place.airflow, processes.ensure_started(place, "airflow", airflow, *ports))

    # While Airflow comes up.
    wait_for_sandbox(place)
    xero(place, "migrate")
    xero(place, "connect", "--all")
    own_records.add(place)

    dag_ids = sorted(file.stem for file in (ROOT / "dags").glob("pull_*.py"))
    api = AirflowApi(place)
    with console.status("Airflow comes up …"):
        api.wait_until_up(patience=180)
        api.wait_for_dags(dag_ids, patience=120)
    runs: dict[str, str] = {}
    states: dict[str, str] = {}
    for wave in in_order(dag_ids):
        started = {dag_id: api.trigger(dag_id) for dag_id in wave}
        console.print(f"Airflow runs {', '.join(wave)}.")
        with console.status("Airflow's scheduler works …"):
            states |= wait_for_runs(api, started, patience=300)
        runs |= started

    happened = report.events(place, runs)
    console.print(report.table(happened))
    wrong = report.shortcomings(happened, dag_ids, report.organisations(place))
    for dag_id, state in states.items():
        if state != "success":
            failed = ", ".join(api.failed_tasks(dag_id, runs[dag_id])) or "no task failed"
            wrong.append(
                f"The run of {dag_id} is {state} ({failed}): {place.airflow}/dags/{dag_id}/runs/{runs[dag_id]}"
            )
    tell_where(place, console)
    if wrong:
        raise DemoError("Not all went well:\n  " + "\n  ".join(wrong))
    console.print(f"All went well, in {time.monotonic() - began:.0f} s.")


def in_order(dag_ids: list[str]) -> list[list[str]]:
    """The set-up data, then what is pulled by night: that stands on it."""
    nightly = [f"pull_{name}" for name, dataset in DATASETS.items() if dataset.timing is not Timing.ANY]
    return [[one for one in dag_ids if one not in nightly], [one for one in dag_ids if one in nightly]]


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


def wait_for_sandbox(place: Place) -> None:
    session = requests.Session()
    session.trust_env = False

    def healthy() -> bool:
        try:
            return session.get(f"{place.sandbox}/sandbox/health", timeout=5).ok
        except requests.RequestException:
            return False

    if not processes.until(healthy, patience=60):
        raise DemoError(f"The sandbox did not come up. {processes.end_of_log(place, 'sandbox')}")


def wait_for_runs(api: AirflowApi, runs: dict[str, str], patience: float) -> dict[str, str]:
    """Waits until every run is over, or patience is. Returns DAG id → state."""
    states: dict[str, str] = {}

    def over() -> bool:
        states.update({dag_id: api.state(dag_id, run_id) for dag_id, run_id in runs.items()})
        return all(state in ("success", "failed") for state in states.values())

    processes.until(over, patience, pause=1.0)
    return states


def tell_where(place: Place, console: Console) -> None:
    console.print(f"Airflow   {place.airflow}  user admin  password {place.secrets['admin_password']}")
    console.print(f"QicWorks  {place.postgres}/qicworks")
    console.print(f"Logs      {place.home / 'logs'}")
    console.print("`make stop` stops it; `make demo` again pulls what changed.")


def say_started(console: Console, what: str, where: str, started: bool) -> None:
    console.print(f"{what} {'starts' if started else 'runs already'}: {where}")
