"""A user before Xero's consent page, and the app that asks for it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import requests

from tests.support.world import World
from xero.api.settings import SCOPES
from xero.composition import opener
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.connections import Connection
from xero.sync.connect import consent, disconnect
from xero.sync.connect.consent import Matched, Tenant

KEY = "V2nRBqHJ5DTnqnK2Lm4wGTgoqbfkO0dUPI3rY9DYHYY="
APP = "xero_default"


@dataclass
class Consenting(World):
    """The world with an app that users consent to, and what they do."""

    user_id: str = "7"

    @property
    def airflow_connection(self) -> dict[str, Any]:
        own = super().airflow_connection
        extra = {
            "scopes": " ".join(SCOPES),
            "grant_type": "authorization_code",
            "login_host": self.sandbox.url,
            "redirect_uri": "http://localhost:1/xero/callback",
            "token_keys": [KEY],
        }
        return {**own, "extra": {**own["extra"], **extra}}

    def begin(self) -> str:
        return consent.begin(self.engine, self.app(), APP, self.user_id)

    def answer(self, *organisations: int, decision: str = "approve") -> dict[str, str]:
        """What Xero sends the browser back with, when these organisations are ticked."""
        ticked = [self.sandbox.tenant(number) for number in organisations]
        answer = requests.post(
            self.begin(), data={"tenant": ticked, "decision": decision}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 302, answer.text
        address = urlsplit(answer.headers["Location"])
        assert (address.netloc, address.path) == ("localhost:1", "/xero/callback")
        return {name: values[0] for name, values in parse_qs(address.query).items()}

    def finish(self, state: str, code: str) -> UUID:
        return consent.finish(self.engine, self.app, self.user_id, state, code, user="Kim")

    def come_back(self, state: str, code: str = "", error: str = "", description: str | None = None) -> UUID:
        """As the callback's page does."""
        if error:
            consent.denied(self.engine, self.user_id, state, error, description)
        return self.finish(state, code)

    def consent(self, *organisations: int) -> UUID:
        return self.finish(**self.answer(*organisations))

    def granted(self, token_id: UUID) -> dict[str, Tenant]:
        """By tenant."""
        return {one.tenant_id: one for one in consent.authorised_tenants(self.engine, self.app, token_id)}

    def match(self, token_id: UUID, pairs: dict[int, Any]) -> list[Matched]:
        wanted = {self.sandbox.tenant(number): choice for number, choice in pairs.items()}
        granted = list(self.granted(token_id).values())
        client = opener(self.engine, self.app, backoff=(0.05,))
        return consent.match(self.engine, token_id, granted, wanted, self.app, client, "Kim")

    def connected(self, *organisations: int) -> UUID:
        """Consented to, and matched to what is offered, or to new organisations of QicWorks."""
        token_id = self.consent(*organisations)
        found = self.granted(token_id)
        offered = {number: found[self.sandbox.tenant(number)].organisation_id for number in organisations}
        self.match(token_id, {number: organisation or "new" for number, organisation in offered.items()})
        return token_id

    def disconnect(self, id: UUID) -> list[str]:
        return disconnect.disconnect(self.engine, self.app, id, "Kim")

    def disconnect_all_at_xero(self) -> None:
        """As the users would in Xero."""
        for connection in self.sandbox.control("GET", "connections").get("user", []):
            self.sandbox.control("DELETE", f"connections/{connection['id']}")

    def live(self) -> dict[str, Connection]:
        """By tenant."""
        with database.session(self.engine) as session:
            return {one.tenant_id: one for one in connections.every(session)}

    def live_at(self, organisation: int) -> Connection:
        return self.live()[self.sandbox.tenant(organisation)]

    def token(self, id: UUID) -> dict[str, Any]:
        return self.query("SELECT * FROM xero_sync.token WHERE id = %s", id)[0]

    def asked(self) -> list[tuple[str, str]]:
        """Methods and paths of what was asked of Xero since the last time, the fetching of tokens apart."""
        seen = self.sandbox.control("GET", "calls")
        self.sandbox.control("DELETE", "calls")
        return [(call["method"], call["path"]) for call in seen if call["path"] != "/connect/token"]

    def organisation(self, name: str) -> UUID:
        """A new organisation of QicWorks."""
        id: UUID = self.query("INSERT INTO qicworks.organisation (name) VALUES (%s) RETURNING id", name)[0]["id"]
        return id
