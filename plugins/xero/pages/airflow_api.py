"""Airflow's REST API, called in this process as the user of the page: its access rules and its audit log apply."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import httpx
from anyio import from_thread
from fastapi import Depends, HTTPException, Request

PASSED_ON = ("cookie", "authorization", "referer", "user-agent", "x-forwarded-for")


class AirflowApi:
    """For routes that are plain functions, which run in a thread of their own."""

    def __init__(self, request: Request) -> None:
        self._headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Triggers the DAG. Returns the run's id."""
        answer = self._call("POST", f"dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(answer["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """`state`: queued, running, success, failed …"""
        return self._call("GET", _address(dag_id, run_id))

    def has_run(self, dag_id: str, run_id: str) -> bool:
        """Whether Airflow still has the run: it may be cleaned up. One that may not be read exists."""
        try:
            self.run(dag_id, run_id)
        except HTTPException as refusal:
            return refusal.status_code != 404
        return True

    def tasks(self, dag_id: str, run_id: str, states: Sequence[str], limit: int = 20) -> list[dict[str, Any]]:
        """The run's task instances that are in one of these states."""
        if not states:
            return []
        asked = urlencode({"state": states, "limit": limit}, doseq=True)
        answer = self._call("GET", f"{_address(dag_id, run_id)}/taskInstances?{asked}")
        return list(answer["task_instances"])

    def is_paused(self, dag_id: str) -> bool:
        """Whether it is paused: its runs then wait until someone switches it on."""
        return bool(self._call("GET", f"dags/{dag_id}")["is_paused"])

    def paused(self) -> set[str]:
        """The DAGs with the tag xero that are paused."""
        answer = self._call("GET", "dags?paused=true&tags=xero&limit=100")
        return {str(dag["dag_id"]) for dag in answer["dags"]}

    def dags(self) -> dict[str, bool]:
        """The DAGs with the tag xero that the user may read, and whether each is paused."""
        answer = self._call("GET", "dags?tags=xero&limit=100")
        return {str(dag["dag_id"]): bool(dag["is_paused"]) for dag in answer["dags"]}

    def unpause(self, dag_id: str) -> None:
        self._call("PATCH", f"dags/{quote(dag_id, safe='')}?update_mask=is_paused", {"is_paused": False})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer: httpx.Response = from_thread.run(self._ask, method, path, body)
        if answer.is_success:
            return dict(answer.json())
        try:
            said = answer.json()["detail"]
        except (ValueError, KeyError, TypeError):
            said = answer.text[:200]
        raise HTTPException(answer.status_code, f"Airflow refuses ({answer.status_code}): {said}")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        from airflow.api_fastapi.main import app

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://airflow", timeout=60) as client:
            return await client.request(method, f"{app.root_path}/api/v2/{path}", json=body, headers=self._headers)


def _address(dag_id: str, run_id: str) -> str:
    """The path of a run. 404 for an id that would lead somewhere else."""
    if run_id in ("", ".", "..") or "/" in run_id:
        raise HTTPException(404, f"There is no run '{run_id}' of the DAG {dag_id}.")
    return f"dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"


AirflowApiDep = Annotated[AirflowApi, Depends(AirflowApi)]
