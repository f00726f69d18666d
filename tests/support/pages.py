"""A user's browser before the pages, without the browser."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.fernet import Fernet
from starlette.testclient import TestClient

from tests.support.world import World
from xero.api.settings import SCOPES

Client = Callable[[str | None], "Browser"]


class Browser(TestClient):
    """A user's browser: it has Airflow's cookie, and presses the buttons of pages that it has loaded."""

    role: str | None = None

    def press(self, path: str, fields: dict[str, Any] | None = None, *, form_token: str | None = None) -> Any:
        """Sends a form below /xero, as a page of ours would."""
        token = form_token or self.form_token()
        return self.post(f"/xero/{path}", data={"form_token": token, **(fields or {})}, follow_redirects=False)

    def form_token(self) -> str:
        from xero.pages.access import form_token

        return form_token(SimpleNamespace(get_id=lambda: self.role))

    def read(self, path: str, status: int = 200) -> str:
        """The page's HTML."""
        answer = self.get(f"/xero/{path}", follow_redirects=False)
        assert answer.status_code == status, answer.text[:2000]
        return str(answer.text)


def by_consent(world: World) -> dict[str, Any]:
    """The Airflow connection of an app that users let in."""
    connection = world.airflow_connection
    extra = {
        "scopes": " ".join(SCOPES),
        "grant_type": "authorization_code",
        "login_host": world.sandbox.url,
        "token_keys": Fernet.generate_key().decode(),
        "redirect_uri": "http://localhost/xero/callback",
    }
    return connection | {"extra": connection["extra"] | extra}


def to_xero(browser: Browser) -> str:
    """Presses *Connect to Xero*; the address at Xero."""
    answer = browser.press("connect", {"app": "xero_app"})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def allowed(address: str, *tenants: str, decision: str = "approve") -> str:
    """What the user does at Xero; the path that Xero sends the browser back to."""
    chosen = [("tenant", tenant) for tenant in tenants]
    answer = requests.post(address, data=[*chosen, ("decision", decision)], allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    back = urlsplit(answer.headers["location"])
    assert back.path == "/xero/callback"
    return f"callback?{back.query}"
