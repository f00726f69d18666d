"""An organisation's documents, open for bookkeeping."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

from xero_sandbox.clock import Clock
from xero_sandbox.collection import Collection, Kind, Record
from xero_sandbox.documents import CREDIT_NOTES, CREDITS, INVOICES, PURCHASE_ORDERS, cents, day
from xero_sandbox.organisation import Organisation
from xero_sandbox.settings import Settings

ZONES = {
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "CENAUSTRALIASTANDARDTIME": "Australia/Adelaide",
    "WAUSTRALIASTANDARDTIME": "Australia/Perth",
}
NOT_AUTHORISED = "Payments can only be made against Authorised documents"
TOO_MUCH = "Payment amount exceeds the amount outstanding on this document"
SETTLED_BY = ("Payments", *(kind.plural for kind in CREDITS))
#: How an act names its document.
NAMES = {"invoice": INVOICES, "credit": CREDIT_NOTES, "purchase_order": PURCHASE_ORDERS}


class Ledger:
    """An organisation's documents, open for bookkeeping. `changed` holds what was written, by plural and key."""

    def __init__(
        self,
        collections: dict[str, Collection],
        clock: Clock,
        account: Record,
        zone: str = "",
        new_id: Callable[[], str] = lambda: str(uuid4()),
        organisation: Organisation | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`account` is where money comes in and goes out; `zone` is Xero's name of the time zone in which a date that
        is left out is today; `organisation` is None while its records are still being made up."""
        self._collections, self.clock = collections, clock
        self.account, self.zone, self.new_id = account, ZONES.get(zone, "UTC"), new_id
        self._organisation, self.settings = organisation, settings or Settings()
        self.changed: dict[str, dict[str, Record]] = {}

    @property
    def bump(self) -> bool:
        """Whether a payment stamps its invoice, too."""
        return self.settings.payments_bump_invoices

    @property
    def organisation(self) -> Organisation:
        assert self._organisation is not None, "made-up records have no organisation yet"
        return self._organisation

    def collection(self, kind: Kind) -> Collection:
        return self._collections[kind.plural]

    def read(self, kind: Kind, key: str) -> Record:
        """The record; an invoice that was put there without lists of payments and credits gets empty ones."""
        record = self.collection(kind).rows[key].record
        return record if kind is not INVOICES else {**{name: [] for name in SETTLED_BY}, **record}

    def named(self, document: dict[str, str]) -> tuple[Kind, Record]:
        """The document of an order such as {"invoice": id}. TypeError unless it names one, KeyError for an unknown."""
        if len(document) != 1 or not document.keys() <= NAMES.keys():
            raise TypeError(f"the document must be one of {', '.join(NAMES)}")
        ((name, key),) = document.items()
        return NAMES[name], self.read(NAMES[name], key)

    def write(self, kind: Kind, record: Record, stamp: bool = True) -> Record:
        """Saves the full record: a field that is not in it is gone."""
        fields = {name: value for name, value in record.items() if name != "UpdatedDateUTC"}
        return self.note(kind, self.collection(kind).change(record[kind.key], fields, self.clock, stamp, whole=True))

    def add(self, kind: Kind, record: Record) -> Record:
        return self.note(kind, self.collection(kind).add({kind.key: self.new_id(), **record}, self.clock))

    def note(self, kind: Kind, record: Record) -> Record:
        """Counts a record among the changed ones."""
        self.changed.setdefault(kind.plural, {})[record[kind.key]] = record
        return record

    def today(self) -> date:
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, ZoneInfo(self.zone)).date()

    def day(self, text: str | None) -> str:
        """That day (`YYYY-MM-DD`) on the wire, today when none is given."""
        return day(date.fromisoformat(text) if text else self.today())

    def find_credit(self, key: str) -> tuple[Kind, Record]:
        """A credit note, overpayment or prepayment. KeyError for an unknown one."""
        for kind in CREDITS:
            if key in self.collection(kind).rows:
                return kind, self.read(kind, key)
        raise KeyError(key)

    def payable(self, invoice: str, amount: object = None) -> tuple[Record, Decimal]:
        """An authorised invoice and the part of what is due on it, all unless given."""
        document = self.read(INVOICES, invoice)
        if document["Status"] not in ("AUTHORISED", "PAID"):
            raise ValueError(NOT_AUTHORISED)
        return document, part_of(document["AmountDue"], amount)


def part_of(whole: Decimal, amount: object) -> Decimal:
    """That much of what is left, all unless given. ValueError when it is more, nothing, or no amount."""
    part = cents(Decimal(whole)) if amount is None else money(amount)
    if part > whole or not whole:
        raise ValueError(TOO_MUCH)
    return part


def money(amount: object) -> Decimal:
    """A sum above zero, to the cent. ValueError for anything else."""
    try:
        read = cents(Decimal(str(amount)))
    except ArithmeticError as error:
        raise ValueError(f"{amount} is not an amount") from error
    if read <= 0:
        raise ValueError("The amount must be greater than zero")
    return read


def ledger_of(organisation: Organisation, clock: Clock, settings: Settings) -> Ledger:
    """The documents of an organisation as they are now; money moves on its first account that takes it."""
    accounts = [row.record for row in organisation.collections["Accounts"].rows.values() if row.status == "ACTIVE"]
    bank = next((a for a in accounts if a.get("Type") == "BANK" or a.get("EnablePaymentsToAccount")), None)
    if bank is None:
        raise ValueError("The organisation has no account that money could move on")
    account: Record = {name: bank[name] for name in ("AccountID", "Code", "Name") if name in bank}
    zone = str(organisation.record.get("Timezone"))
    return Ledger(organisation.collections, clock, account, zone, organisation=organisation, settings=settings)
