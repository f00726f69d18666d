"""A sandbox as several callers share its limits and tokens, and the callers as processes of their own."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests

from xero.api.auth import OAuth
from xero.api.settings import XeroApp
from xero.api.tokens import Token

CREDENTIALS = ("demo-client", "demo-secret-0000000000000000")

KEY = "V2nRBqHJ5DTnqnK2Lm4wGTgoqbfkO0dUPI3rY9DYHYY="

SCOPES = ("offline_access", "accounting.contacts", "accounting.settings.read")


@dataclass
class Sandbox:
    """A local Xero and its master's voice."""

    url: str
    tenants: list[str]

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def app(self, **limits: Any) -> XeroApp:
        return XeroApp(
            *CREDENTIALS, api_host=self.url, identity_host=self.url, login_host=self.url, scopes=SCOPES,
            redirect_uri="http://localhost/back", token_keys=(KEY,), **limits,
        )  # fmt: skip

    def consent(self) -> Token:
        """The tokens of a user who has just connected every organisation."""
        order = {"scope": " ".join(SCOPES), "redirect_uri": "http://localhost/back", "tenants": self.tenants}
        return OAuth(self.app()).exchange(self.control("POST", "authorise", order)["code"])

    def arrivals(self, path: str) -> list[dict[str, Any]]:
        return [call for call in self.control("GET", "calls") if call["path"].endswith(path)]


@dataclass
class Callers:
    """The processes of one `caller.py`."""

    parent: subprocess.Popen[str]
    pids: list[int]

    def hear(self) -> str:
        assert self.parent.stdout is not None
        return self.parent.stdout.readline().strip()

    def go(self) -> None:
        assert self.parent.stdin is not None
        self.parent.stdin.write("go\n")
        self.parent.stdin.flush()

    def results(self) -> Any:
        """What each of them returned, when all have ended."""
        return json.loads(self.hear())

    def kill(self) -> None:
        """kill -9, all of them."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.parent.kill()
        self.parent.communicate()
        self.pids = []
