"""Runs without a scheduler: DAGs that Airflow knows, and runs that come to an end when a test says so."""

import re
from datetime import UTC, datetime
from html import unescape
from urllib.parse import unquote

from xero.qicworks.events import Origin

Run = tuple[str, str]  # (DAG, run)


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
