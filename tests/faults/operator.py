"""What an operator does: by Airflow's triggers, the pages, the command line. Nothing by hand in tables."""

import subprocess
import sys
from urllib.parse import urlsplit
from uuid import UUID

import requests

from demo.cluster import Cluster
from demo.place import ROOT
from tests.faults.airflow import Airflow
from tests.faults.sides import Live, patiently

BY_CONSENT, BY_ITSELF = "xero_app", "xero_default"


class NotConnected(Exception):
    """A step on the way to Xero and back did not lead on; one begins again."""


class Operator:
    """Whoever looks after it. `codes`: the codes that Xero sent the browser back with."""

    def __init__(self, world: Live, airflow: Airflow, cluster: Cluster) -> None:
        self.world = world
        self.airflow = airflow
        self.cluster = cluster
        self.codes: list[str] = []

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`python -m xero …`, where a worker runs."""
        environment = self.cluster.environment("airflow-worker-1")
        command = [sys.executable, "-m", "xero", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def connect_all(self) -> None:
        """The organisations of the app that speaks for itself."""
        said = self.command("connect", "--all")
        if said.returncode:
            raise NotConnected(said.stdout + said.stderr)

    def consent(self, pairs: dict[str, UUID]) -> None:
        """Connect to Xero, allow it there, come back and match: Xero organisation → organisation of QicWorks."""
        patiently(lambda: self._consent(pairs), NotConnected, pause=3.0)

    def _consent(self, pairs: dict[str, UUID]) -> None:
        to_xero = self._next("POST", "/xero/connect", {"app": BY_CONSENT})
        boxes = [*(("tenant", tenant) for tenant in pairs), ("decision", "approve")]
        try:
            back = requests.post(to_xero, data=boxes, allow_redirects=False, timeout=60).headers["Location"]
        except (requests.RequestException, KeyError) as error:
            raise NotConnected(f"Xero's page: {type(error).__name__}") from None
        query = urlsplit(back).query
        self.codes += [part.partition("=")[2] for part in query.split("&") if part.startswith("code=")]
        match = self._next("GET", f"/xero/callback?{query}")
        chosen = {f"organisation:{tenant}": str(organisation) for tenant, organisation in pairs.items()}
        self._next("POST", urlsplit(match).path, chosen)

    def _next(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        """Where a page leads to."""
        answer = self.airflow.send(method, path, data=fields)
        if answer.status_code != 303:
            raise NotConnected(f"{method} {path.partition('?')[0]}: HTTP {answer.status_code}")
        return str(answer.headers["Location"])

    def reconnect(self) -> str:
        """Whatever needs it, as the pages say; the app that speaks for itself has its organisations back from Xero."""
        found = self.world.query(
            "SELECT tenant_id, organisation_id, airflow_conn_id AS app FROM xero_sync.connection"
            "  JOIN xero_sync.token ON token.id = token_id WHERE connection.state <> 'deleted'"
        )
        there = self.world.sandbox.control("GET", "connections")
        here = {one["tenantId"] for owned in there.values() for one in owned}
        broken = {
            row["tenant_id"]
            for row in self.world.query(
                "SELECT tenant_id FROM xero_sync.connection JOIN xero_sync.token ON token.id = token_id"
                " WHERE connection.state = 'needs_reconnect' OR token.state = 'broken'"
            )
        }
        lost = [row for row in found if row["tenant_id"] not in here or row["tenant_id"] in broken]
        by_itself = [row["tenant_id"] for row in lost if row["app"] == BY_ITSELF]
        for tenant in by_itself:
            self.world.sandbox.control("POST", "connections", {"tenant": tenant})
        if by_itself:
            patiently(self.connect_all, NotConnected, pause=3.0)
        if by_consent := {
            row["tenant_id"]: row["organisation_id"] for row in found if row["app"] == BY_CONSENT and row in lost
        }:
            self.consent(by_consent)
        return f"connected again: {len(lost)} organisations"
