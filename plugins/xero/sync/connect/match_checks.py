"""The checks before matches are saved: all pairs together, against those that exist."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from psycopg.sql import Identifier

from xero.api.errors import XeroError
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.runs import lease
from xero.sync.connect.authorised import Tenant

QUERIES = sql.Statements("connections")

# By tenant id: a QicWorks organisation, "new" to create one, or None: not connected.
Wanted = Mapping[str, UUID | Literal["new"] | None]


class WrongPairs(XeroError):
    """Pairs that cannot be matched, one sentence each (`wrong`). None was saved, not even the right ones."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(" ".join(wrong), "Nothing was saved. Correct the pairs, and save again.")
        self.wrong = wrong

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.wrong,)


@dataclass(frozen=True)
class Pair:
    """A Xero organisation and its QicWorks organisation; without an id, one is created under this name."""

    found: Tenant
    organisation_id: UUID | None
    name: str
    live: dict[str, Any] | None  # the connection that the Xero organisation has until now

    @property
    def moves(self) -> bool:
        return self.live is not None and self.live["organisation_id"] != self.organisation_id


def checked(session: Session, granted: Mapping[str, Tenant], wanted: Wanted) -> list[Pair]:
    """The pairs to save. Raises WrongPairs."""
    pairs: list[Pair] = []
    wrong: list[str] = []
    # New organisations come last: their names must differ from those that other pairs choose.
    for tenant_id, choice in sorted(wanted.items(), key=lambda pair: pair[1] == "new"):
        if choice is not None:
            pair = _pair(session, granted.get(tenant_id), choice, pairs)
            pairs.append(pair) if isinstance(pair, Pair) else wrong.append(pair)
    moving = {pair.found.tenant_id for pair in pairs if pair.moves}
    for number, pair in enumerate(pairs):
        wrong += [f"{pair.found.name}: {says}" for says in _problems(session, pair, moving, pairs[:number])]
    if wrong:
        raise WrongPairs(wrong)
    return pairs


def _pair(session: Session, found: Tenant | None, choice: UUID | Literal["new"], others: list[Pair]) -> Pair | str:
    """Returns the pair, or the reason why it cannot be matched."""
    if found is None:
        return "Xero no longer lists one of the organisations: begin again with Connect to Xero."
    live = QUERIES.live(session, tenant_id=found.tenant_id)
    if choice == "new":
        return _to_be_made(session, found, live, others)
    for row in QUERIES.organisations(session, id=choice, name=None):
        return Pair(found, row["id"], row["name"], live)
    return f"{found.name}: QicWorks no longer has the organisation that was chosen."


def _to_be_made(session: Session, found: Tenant, live: dict[str, Any] | None, others: list[Pair]) -> Pair | str:
    """Returns a pair with a new QicWorks organisation, whose name must be unique; in Xero it may not be."""
    given = {pair.organisation_id for pair in others}
    made = {pair.name for pair in others}
    name = found.name
    for name in (found.name, f"{found.name} ({found.tenant_id[:8]})"):
        row = next(iter(QUERIES.organisations(session, id=None, name=name)), None)
        if row is None and name not in made:
            return Pair(found, None, name, live)
        if row and row["taken_by_tenant"] == found.tenant_id:
            return Pair(found, row["id"], name, live)  # made by the same Save a moment ago
        if row and row["taken_by_tenant"] is None and row["id"] not in given:
            break
    return f"{found.name}: QicWorks has an organisation '{name}' already: choose it, or another."


def _problems(session: Session, pair: Pair, moving: set[str], others: list[Pair]) -> Iterator[str]:
    if pair.organisation_id is not None:
        if any(other.organisation_id == pair.organisation_id for other in others):
            yield f"'{pair.name}' is chosen twice."
        for row in QUERIES.organisations(session, id=pair.organisation_id, name=None):
            if row["taken_by_tenant"] not in {None, pair.found.tenant_id, *moving}:
                yield f"'{pair.name}' is matched to {row['taken_by']}: choose another, or delete that connection first."
    if pair.live and pair.moves:
        yield from _unfinished(session, pair.live)


def _unfinished(session: Session, live: dict[str, Any]) -> Iterator[str]:
    """Yields what is still being pushed to this Xero organisation. Takes the leases, so that no push starts."""
    name = live["organisation"]
    running = [kind.title for kind in KINDS.values() if not lease.acquire(session, live["id"], "push", kind.name)]
    if running:
        yield f"a push of '{name}' is running ({', '.join(running)}): save again when it has ended."
    elif QUERIES.open_requests(session, id=live["id"]):
        yield f"documents of '{name}' have no confirmed result yet: push again, then save."
    elif any(_in_flight(session, table, live["organisation_id"]) for table in {kind.table for kind in KINDS.values()}):
        yield f"documents of '{name}' are being sent to Xero: push again, then save."


def _in_flight(session: Session, table: str, organisation_id: UUID) -> bool:
    statement = sql.template("connections", "one_in_flight").format(table=Identifier(table))
    return session.execute(statement, {"organisation_id": organisation_id}).fetchone() is not None
