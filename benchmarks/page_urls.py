"""Requests full pages as an administrator, by address: access checks, queries and HTML, without the network."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from unittest import mock

from demo.place import ROOT, Place

# Below /xero. `{connection}` is one of 500.
ADDRESSES = (
    "",
    "connections",
    "connections?search=17",
    "connections/{connection}",
    "connect",
    "synchronise?connection={connection}",
    "events",
    "events?status=error",
    "events?connection={connection}",
    "events?text=INV-0001234",
    "events?text=zebra",
    "events/{event}",
    "documents",
    "documents?kind=invoices&state=failed",
    "documents?kind=invoices&connection={connection}",
    "documents?kind=invoices&text=INV-0012345",
    "rejections",
)


def asked(place: Place, afterwards: ExitStack, **ids: object) -> dict[str, Callable[[], object]]:
    """Returns a function for each page. Imports Airflow here, because it reads its settings at import."""
    home = tempfile.mkdtemp(prefix="airflow-")
    afterwards.callback(shutil.rmtree, home, ignore_errors=True)
    settings = place.settings | {
        "AIRFLOW_HOME": home,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
    afterwards.enter_context(mock.patch.dict(os.environ, settings))
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.api_fastapi.main import app
    from airflow.utils.db import initdb
    from starlette.testclient import TestClient

    initdb()
    client = TestClient(app, base_url="http://airflow.test", headers={"accept": "text/html"})
    afterwards.callback(client.close)
    admin = SimpleAuthManagerUser(username="admin", role="admin")
    client.cookies.set("_token", get_auth_manager().generate_jwt(admin))

    def page(path: str) -> Callable[[], object]:
        def ask() -> None:
            answer = client.get(f"/xero/{path.format(**ids)}", follow_redirects=False)
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: HTTP {answer.status_code}: {answer.text[:500]}")

        return ask

    return {f"page /xero/{path}": page(path) for path in ADDRESSES}
