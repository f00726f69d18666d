"""What was pulled of an organisation and can be chosen in its settings: accounts, tax codes, tracking categories."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from xero.datasets.registry import DATASETS
from xero.documents.checks import SYSTEM_ACCOUNTS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.texts import on_a_line

QUERIES = sql.Statements("settings")


class Thing(StrEnum):
    """What a setting can point at."""

    ACCOUNT = "account"
    TAX_CODE = "tax code"
    CATEGORY = "tracking category"

    @property
    def data_set(self) -> str:
        """The one that it is pulled by."""
        table = self.value.replace(" ", "_")
        return next(name for name, one in DATASETS.items() if table in {held.name for held in one.tables})


class Misfit(StrEnum):
    """Why something cannot be chosen, or no longer."""

    GONE = "gone"  # it was not pulled of this organisation
    ARCHIVED = "archived"
    NOT_ALLOWED = "not allowed"  # a bank or system account, or one without a code
    NOT_TOGETHER = "cannot be used with its account"  # of a tax code


SAYS = {
    Misfit.GONE: "does not exist in this Xero organisation, or was not pulled",
    Misfit.ARCHIVED: "is archived or deleted in Xero",
    Misfit.NOT_ALLOWED: "is a bank or system account, or has no code: no document can be booked on it",
}


@dataclass(frozen=True)
class Offer:
    """Something that was pulled. `value`: Xero's id, of a tax code its type; `misfit` None: it can be chosen.

    `applies`: of a tax code, the classes of accounts that it can be used with.
    """

    thing: Thing
    value: str
    code: str | None
    name: str
    account_class: str | None
    applies: frozenset[str]
    misfit: Misfit | None

    @property
    def shown(self) -> str:
        return on_a_line(f"{self.code} {self.name}" if self.code else self.name)

    def goes_with(self, account: Offer) -> bool:
        """Of a tax code: whether it can be used with that account, as far as it is known."""
        return account.account_class is None or account.account_class in self.applies


class Offers:
    """All of one connection."""

    def __init__(self, session: Session, connection_id: UUID) -> None:
        rows = QUERIES.offered(session, connection_id=connection_id, system_accounts=sorted(SYSTEM_ACCOUNTS))
        self._found: dict[Thing, dict[str, Offer]] = {thing: {} for thing in Thing}
        for row in rows:
            thing = Thing(row["thing"])
            misfit = Misfit(row["misfit"]) if row["misfit"] else None
            about = row["code"], row["name"], row["class"], frozenset(row["applies"] or ()), misfit
            self._found[thing][row["value"]] = Offer(thing, row["value"], *about)

    def of(self, thing: Thing) -> list[Offer]:
        """Those that can be chosen."""
        return [offer for offer in self._found[thing].values() if offer.misfit is None]

    def get(self, thing: Thing, value: str) -> Offer | None:
        return self._found[thing].get(value)

    def shown(self, thing: Thing, value: str) -> str:
        offer = self.get(thing, value)
        return offer.shown if offer else value

    def find(self, thing: Thing, text: str) -> Offer:
        """The one of that code, id or name. Raises ValueError, which says why there is none."""
        wanted = text.strip().casefold()
        offers = self._found[thing].values()
        for field in ("code", "value", "name"):
            same = [one for one in offers if (getattr(one, field) or "").casefold() == wanted]
            usable = [one for one in same if one.misfit is None] or same
            if len(usable) > 1:
                raise ValueError(f"there are several of the name '{on_a_line(text)}'; give the {_unique(thing)}")
            if usable:
                return usable[0]
        raise ValueError(
            f"no {thing} '{on_a_line(text)}' was pulled of this Xero organisation; pull {thing.data_set} if it is new"
        )


def _unique(thing: Thing) -> str:
    return "id" if thing is Thing.CATEGORY else "code"
