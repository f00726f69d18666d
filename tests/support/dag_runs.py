"""What Airflow knows of a run."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

Run = Callable[..., str]


def asset_events(run: Any) -> list[str]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
        return [event.name for event in found]


def _changed(folder: Path) -> list[tuple[Path, int]]:
    return sorted((file, file.stat().st_mtime_ns) for file in folder.rglob("*.py"))


@contextmanager
def folders_read_once() -> Iterator[None]:
    """Before each run `DAG.test` reads all files of the DAGs' folder and writes all DAGs to Airflow's database: half of
    its time. Here it does so again only if a file or a setting of Airflow's has changed since."""
    from airflow.dag_processing import dagbag

    read, sync = dagbag.BundleDagBag, dagbag.sync_bag_to_db
    latest: dict[str, Any] = {}  # `state`, `bag`, and whether it is `synced`

    def read_once(dag_folder: Any, **how: Any) -> Any:
        settings = sorted(each for each in os.environ.items() if each[0].startswith("AIRFLOW__"))
        state = [str(dag_folder), how, settings, _changed(Path(dag_folder))]
        if latest.get("state") != state:
            latest.update(state=state, bag=read(dag_folder=dag_folder, **how), synced=False)
        return latest["bag"]

    def sync_once(bag: Any, *where: Any, **how: Any) -> None:
        if bag is latest.get("bag") and latest["synced"]:
            return
        sync(bag, *where, **how)
        latest["synced"] = bag is latest.get("bag")

    with mock.patch.multiple(dagbag, BundleDagBag=read_once, sync_bag_to_db=sync_once):
        yield
