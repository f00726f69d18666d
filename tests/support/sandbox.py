"""The sandbox as tests speak to it: as a client of Xero, and as its master."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
import urllib3

from tests.support.waiting import until

CLIENT = ("demo-client", "demo-secret-0000000000000000")

JSON = {"Content-Type": "application/json"}
ACCOUNTING = "/api.xro/2.0/"


class Refused(AssertionError):
    """The sandbox does not do this, as Xero would not."""


def direct() -> requests.Session:
    """It looks for no proxy: that would take as long as a call."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass
class Sandbox:
    """The server and how to speak to it, as a client and as its master."""

    url: str
    session: requests.Session = field(default_factory=direct)
    master: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))
    token: str = ""
    organisations: list[dict[str, Any]] = field(default_factory=list)  # those that the app itself reaches
    waiting: list[dict[str, Any]] = field(default_factory=list)  # those that a user may connect

    def control(self, method: str, path: str, body: Any = None) -> Any:
        said = None if body is None else json.dumps(body)  # ASCII alone, half a surrogate pair too
        answer = self.master.request(method, f"{self.url}/sandbox/{path}", body=said, headers=JSON)
        if answer.status == 400:
            raise Refused(answer.data.decode())
        assert answer.status == 200, answer.data.decode()
        return answer.json()

    def close(self) -> None:
        self.session.close()
        self.master.clear()

    def reset(self, **how: Any) -> None:
        self.control("POST", "reset", {"seed": 1, "profile": "small", **how})
        found = self.control("GET", "organisations")
        self.organisations, self.waiting = (
            [one for one in found if ("app" in one["connected"]) is reached] for reached in (True, False)
        )
        self.token = self.grant(grant_type="client_credentials").json()["access_token"]
        self.control("DELETE", "calls")

    def settings(self, **changes: Any) -> None:
        self.control("PATCH", "settings", changes)

    def grant(self, auth: tuple[str, str] | None = CLIENT, **form: str) -> requests.Response:
        return self.session.post(f"{self.url}/connect/token", data=form, auth=auth)

    def tenant(self, number: int = 0) -> str:
        return str(self.organisations[number]["tenant"])

    def get(self, path: str, *, tenant: int | str = 0, since: str | None = None, **params: Any) -> requests.Response:
        """GET of an accounting path (or an absolute one) as the app that may do everything."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        headers["xero-tenant-id"] = self.tenant(tenant) if isinstance(tenant, int) else tenant
        if since:
            headers["If-Modified-Since"] = since
        url = self.url + (path if path.startswith("/") else ACCOUNTING + path)
        return self.session.get(url, headers=headers, params=params)

    def contacts(self, **params: Any) -> list[dict[str, Any]]:
        answer = self.get("Contacts", **{"includeArchived": "true", "pageSize": 1000, **params})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["Contacts"]
        return rows

    def truth(self, collection: str, tenant: int = 0) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.control("GET", f"organisations/{self.tenant(tenant)}/{collection}")
        return rows

    def record(self, collection: str, key: str, tenant: int = 0) -> dict[str, Any]:
        record: dict[str, Any] = self.control("GET", f"organisations/{self.tenant(tenant)}/{collection}/{key}")
        return record

    def change(self, collection: str, key: str, **fields: Any) -> dict[str, Any]:
        path = f"organisations/{self.tenant()}/{collection}/{key}"
        record: dict[str, Any] = self.control("PATCH", path, fields)
        return record

    @contextmanager
    def hold(self, path: str, *, done: bool = False, **order: Any) -> Iterator[Callable[..., None]]:
        """Holds the calls that match, until the block ends. Yields what waits until one (or `calls`) of them is held.

        `done`: Xero has carried it out, only its answer is held. `order`: as any fault's, one call unless told."""
        name = f"hold {uuid4()}"
        kind = "hold_answer" if done else "hold"
        self.control("POST", "faults", {"kind": kind, "name": name, "path": path, **order})

        def hits() -> int:
            return int(next(one["hits"] for one in self.control("GET", "faults") if one["name"] == name))

        def wait_until_held(calls: int = 1, patience: float = 60.0) -> None:
            until(lambda: hits() >= calls, patience)

        try:
            yield wait_until_held
        finally:
            self.control("DELETE", "faults", {"name": name})
