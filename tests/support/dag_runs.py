"""What Airflow knows of a run."""

from collections.abc import Callable
from typing import Any


def asset_events(run: Any) -> list[str]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run.run_id))
        return [event.name for event in found]


Run = Callable[..., str]
