"""Everything the sandbox remembers, in one object that a reset recreates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from xero_sandbox.clock import DATA_UNTIL_MS, Clock
from xero_sandbox.collection import Collection
from xero_sandbox.data.dice import Dice
from xero_sandbox.faults import Faults
from xero_sandbox.idempotency import Answers
from xero_sandbox.journal import Journal
from xero_sandbox.limits import Limits
from xero_sandbox.organisation import Organisation
from xero_sandbox.settings import Settings
from xero_sandbox.tokens import APP, Tokens


@dataclass(frozen=True, slots=True)
class Client:
    """The app as registered with this Xero."""

    client_id: str = "demo-client"
    client_secret: str = "demo-secret-0000000000000000"  # noqa: S105 - nobody's


class Connection(msgspec.Struct, rename="camel"):
    """As GET /connections shows it, and whose it is."""

    id: str
    auth_event_id: str
    tenant_id: str
    tenant_type: str
    tenant_name: str
    created_date_utc: str
    updated_date_utc: str


@dataclass(slots=True)
class Drift:
    """Rows that change while an organisation's collection is being paged."""

    tenant: str
    collection: str
    changes_per_page: int
    left: int
    changed: list[str]


class World:
    """The organisations, and everything else that is remembered."""

    def __init__(self, client: Client, organisations: list[Organisation], seed: int, profile: str, many: int) -> None:
        self.client, self.seed, self.profile, self.many = client, seed, profile, many
        self.settings = Settings()
        self.clock = Clock()
        self.organisations = {organisation.tenant_id: organisation for organisation in organisations}
        self.tokens = Tokens(seed, self.clock, client.client_id)
        self.limits = Limits(lambda: self.settings)
        self.faults = Faults()
        self.answers = Answers(self.clock)
        self.journal = Journal()
        self.drifts: list[Drift] = []
        self.dice = Dice(seed, "changes")
        self.connections: dict[str, dict[str, Connection]] = {APP: {}}  # by owner, then by tenant
        dice, since = Dice(seed, "connections"), DATA_UNTIL_MS
        for organisation in self.organisations.values():
            if organisation.custom:
                self.connect(APP, organisation, dice.uuid(), dice.uuid(), since)

    def connect(
        self, owner: str, organisation: Organisation, event_id: str, id: str | None = None, at_ms: int | None = None
    ) -> None:
        """Connects an organisation, or renews its connection: then only its event and its updated date change."""
        now = datetime.fromtimestamp((at_ms or self.clock.now_ms()) / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
        owned = self.connections.setdefault(owner, {})
        old = owned.get(organisation.tenant_id)
        owned[organisation.tenant_id] = Connection(
            id=old.id if old else id or str(uuid4()),
            auth_event_id=event_id,
            tenant_id=organisation.tenant_id,
            tenant_type="ORGANISATION",
            tenant_name=organisation.name,
            created_date_utc=old.created_date_utc if old else now,
            updated_date_utc=now,
        )

    def disconnect(self, connection_id: str, owner: str | None = None) -> bool:
        """Whether there was such a connection (of that owner)."""
        for name, owned in self.connections.items():
            for tenant, connection in owned.items():
                if connection.id == connection_id and owner in (None, name):
                    del owned[tenant]
                    return True
        return False

    def drift(self, tenant: str, collection: Collection) -> None:
        """Changes what was ordered for after a page of this collection."""
        for drift in self.drifts:
            if drift.tenant == tenant and drift.collection == collection.kind.plural and drift.left > 0:
                count = min(drift.changes_per_page, drift.left)
                drift.changed += collection.touch(collection.sample(self.dice, count), self.clock)
                drift.left -= count
