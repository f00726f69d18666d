"""What became of the invoices: paid, part-paid, credited, voided …, made by bookkeeping in the past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from xero_sandbox.bookkeeping import delete, void
from xero_sandbox.clock import DATA_UNTIL_MS, Clock
from xero_sandbox.collection import Collection, Kind, Record
from xero_sandbox.crediting import apply_overpayment, apply_prepayment, credit, overpay, receive, refund
from xero_sandbox.data.dice import Dice
from xero_sandbox.data.firms import Books
from xero_sandbox.data.invoices import invoice, material
from xero_sandbox.documents import CREDITS, INVOICES, KINDS, PAYMENTS, PREPAYMENTS, cents
from xero_sandbox.ledger import Ledger
from xero_sandbox.paying import delete_payment, pay, pay_batch

DAY_MS = 86_400_000
EIGHTEEN_MONTHS_MS = 548 * DAY_MS
BATCH = 4

#: How many in a hundred end so; the first invoices of a firm go through all of it in this order.
FATES = {
    "paid": 34,
    "open": 18,
    "part": 9,
    "batch": 9,
    "draft": 7,
    "credited": 5,
    "overpaid": 2,
    "from_overpayment": 2,
    "voided": 4,
    "prepaid": 2,
    "submitted": 3,
    "deleted": 3,
    "reversed": 3,
    "refunded": 2,
}


class Past(Clock):
    """A clock that only moves when it is set: two stamps at one moment are 7 ms apart."""

    def __init__(self) -> None:
        self.moment = 0

    def now_ms(self) -> int:
        return self.moment

    def stamp(self) -> int:
        self.moment += 7
        return self.moment


class History:
    """Raises a firm's invoices, and lets its people deal with them."""

    def __init__(self, books: Books) -> None:
        self.clock, self.dice = Past(), books.dice("payments")
        self.collections = {kind.plural: Collection(kind, ()) for kind in KINDS}
        self._raising = books.dice("invoices")
        self.firm = material(books, self._raising)
        zone = books.firm.timezone
        self.ledger = Ledger(self.collections, self.clock, self.firm.banks[0], zone, self.dice.uuid)
        self._batches: dict[str, list[str]] = {"ACCREC": [], "ACCPAY": []}
        self._overpayer: Record | None = None
        count = books.sizes["invoices"] if self.firm.contacts else 0
        times = Dice(books.seed, books.firm.name, "invoice times")
        moments = sorted(DATA_UNTIL_MS - times.randrange(6 * DAY_MS, EIGHTEEN_MONTHS_MS) for _ in range(count))
        for number, moment in enumerate(moments):
            fates = list(FATES)
            fate = fates[number] if number < len(fates) else self.dice.choices(fates, list(FATES.values()))[0]
            self._tell(number, moment, fate)
        for kind in tuple(self._batches):
            self._pay_batch(kind)

    def _tell(self, number: int, moment: int, fate: str) -> None:
        self.clock.moment = moment
        status = {"draft": "DRAFT", "submitted": "SUBMITTED", "deleted": "DRAFT"}.get(fate, "AUTHORISED")
        contact = self._overpayer["Contact"] if fate == "from_overpayment" and self._overpayer else None
        record = invoice(self.ledger, self._raising, self.firm, number, status, contact)
        self.ledger.add(INVOICES, record)
        if fate not in ("open", "draft", "submitted"):
            self._later(40)
            getattr(self, f"_{fate}")(record)

    def _later(self, days: int) -> None:
        """Some time has passed, though nothing happens after the data's end; money moves on some account."""
        latest = DATA_UNTIL_MS - self.dice.randrange(4 * DAY_MS) - 10_000
        self.clock.moment = max(self.clock.moment, min(self.clock.moment + self.dice.randrange(days * DAY_MS), latest))
        self.ledger.account = self.dice.choice(self.firm.banks)

    # -- fates, each of an invoice that was just raised

    def _paid(self, record: Record) -> None:
        part = cents(record["Total"] / 3)
        if part and self.dice.chance(0.2):
            pay(self.ledger, record["InvoiceID"], part, reference="Deposit")
            self._later(20)
        self._reconcile(pay(self.ledger, record["InvoiceID"], reference=self.dice.choice(("", "EFT", "Paid – thanks"))))

    def _part(self, record: Record) -> None:
        part = cents(record["Total"] * self.dice.randrange(10, 90) / 100)
        self._reconcile(pay(self.ledger, record["InvoiceID"], part, reference="Part payment"))

    def _reconcile(self, payment: Record) -> None:
        if self.dice.chance(0.7):
            self.ledger.write(PAYMENTS, {**payment, "IsReconciled": True})

    def _batch(self, record: Record) -> None:
        waiting = self._batches[record["Type"]]
        waiting.append(record["InvoiceID"])
        if len(waiting) == BATCH:
            self._pay_batch(record["Type"])

    def _pay_batch(self, kind: str) -> None:
        if self._batches[kind]:
            pay_batch(self.ledger, self._batches[kind], reference="Batch")
            self._batches[kind] = []

    def _credited(self, record: Record) -> None:
        part = None if self.dice.chance(0.4) else cents(record["Total"] / 4)
        credit(self.ledger, record["InvoiceID"], part)

    def _overpaid(self, record: Record) -> None:
        overpay(self.ledger, record["InvoiceID"], cents(record["Total"] / 2))
        self._overpayer = record

    def _from_overpayment(self, record: Record) -> None:
        apply_overpayment(self.ledger, record["InvoiceID"], cents(record["Total"] / 5))

    def _prepaid(self, record: Record) -> None:
        source = receive(self.ledger, PREPAYMENTS, record, cents(record["Total"] * 2), self.ledger.day(None))
        apply_prepayment(self.ledger, record["InvoiceID"], credit=source["PrepaymentID"])

    def _voided(self, record: Record) -> None:
        void(self.ledger, invoice=record["InvoiceID"])

    def _deleted(self, record: Record) -> None:
        delete(self.ledger, invoice=record["InvoiceID"])

    def _reversed(self, record: Record) -> None:
        payment = pay(self.ledger, record["InvoiceID"], reference="Dishonoured")
        self._later(10)
        delete_payment(self.ledger, payment["PaymentID"])

    def _refunded(self, record: Record) -> None:
        kind = self.dice.choice(CREDITS)
        source = receive(self.ledger, kind, record, record["Total"], self.ledger.day(None))
        self._later(10)
        refund(self.ledger, source[kind.key], cents(record["Total"] / 2), reference="Refund")


_HISTORIES: WeakKeyDictionary[Books, History] = WeakKeyDictionary()


def from_history(kind: Kind) -> Callable[[Books], Iterator[tuple[int, Record]]]:
    """Generates the collection of that kind: all documents of an organisation come from one history."""

    def make(books: Books) -> Iterator[tuple[int, Record]]:
        if books not in _HISTORIES:
            _HISTORIES[books] = History(books)
        return ((row.updated_ms, row.record) for row in _HISTORIES[books].collections[kind.plural].rows.values())

    return make
