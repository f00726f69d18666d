"""Runs without a scheduler: DAGs that Airflow knows, and runs that come to an end when a test says so."""

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from xero.qicworks.runs.events import Origin

Run = tuple[str, str]  # (DAG, run)


def parse_dags(root: Path) -> None:
    """Airflow's database gets to know the project's DAGs; all in it are switched on."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(root / "dags")
    assert bag.dags
    assert not bag.import_errors
    sync_bag_to_db(bag, "dags-folder", None)
    with create_session() as session:
        session.query(DagModel).update({"is_paused": False})


def run_of(path: str) -> Run:
    """The run that an address of the pages names."""
    found = re.search(r"synchronise/([a-z_]+)/([^/?]+)", path)
    assert found, path
    return found[1], unquote(found[2])


def become(run: Run, state: str) -> None:
    """As the scheduler would set it."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.query(DagRun).filter_by(dag_id=run[0], run_id=run[1]).one()
        found.state = state
        if state == "running":
            found.start_date = datetime.now(UTC)


def origin(run: Run, task: str) -> Origin:
    return Origin(dag_id=run[0], run_id=run[1], task_id=task, map_index=0, try_number=1)


def words(html: str) -> str:
    """What a page says in its <main>, or a part of a page in all, without its tags."""
    main = re.search(r"<main[^>]*>(.*)</main>", html, re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main[1] if main else html)))
