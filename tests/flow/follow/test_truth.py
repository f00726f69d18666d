"""Whatever is edited, cancelled, pushed and done in Xero, in whatever order and with whatever crash in between: after a
quiet sweep both sides are equal field by field, or an open difference names every field that is not.

`TRUTH_EXAMPLES` and `TRUTH_STEPS` make it longer.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import requests
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from psycopg.errors import ForeignKeyViolation

from tests.support.both_sides import GONE, fields_that_differ
from tests.support.calls import Forward, intercepted
from tests.support.followed import ACTS, INVOICES, differing, set_conflicts, sweep
from tests.support.one_world import books_for_all
from tests.support.pushing import ISSUED, PRICED, Books, Line, Row
from tests.support.sandbox import Refused
from xero.api.errors import XeroError
from xero.sync.runs.outcome import Skip

CANCELLED = {"bills": "Cancelled", "expenses": "Cancelled", "credit_notes": "Cancelled", "purchase_orders": "Archived"}
IN_FORCE = {"bills": "Unpaid", "expenses": "Unpaid", "credit_notes": "Issued", "purchase_orders": "Issued"}
EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "45"))
STEPS = int(os.environ.get("TRUTH_STEPS", "50"))

kinds = st.sampled_from(list(PRICED))
days = st.integers(0, 20).map(lambda days: ISSUED + timedelta(days=days))
words = st.sampled_from(["Pipe", "Cable, 2.5 mm²", "Labour", "  Freight  ", "Ünïcode 🔧"])
turns = st.lists(st.integers(0, 5), max_size=3)
prices = st.sampled_from(["1", "0.3333", "7.1234", "100", "12.50"])
#: What Xero's users do next, by the kind of document and its status there.
BEGUN = ("approve", "delete")
INVOICE = {"DRAFT": BEGUN, "SUBMITTED": BEGUN, "AUTHORISED": ("pay", "pay a part", "void")}
TURNS: dict[str, dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(INVOICES, INVOICE),
    "credit_notes": {"DRAFT": BEGUN, "SUBMITTED": BEGUN, "AUTHORISED": ("void",)},
    "purchase_orders": {"DRAFT": (*BEGUN, "bill"), "AUTHORISED": ("bill", "delete")},
}
#: The nth call of a run from now on, and whether Xero has done it before the process dies.
crashes = st.one_of(st.none(), st.tuples(st.integers(0, 6), st.booleans()))


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed_at(crash: tuple[int, bool] | None) -> Iterator[None]:
    left = [crash[0] if crash else -1]

    def call(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        left[0] -= 1
        if crash and left[0] == -1:
            if crash[1]:
                forward()
            raise Killed
        return forward()

    with intercepted(call), suppress(Killed, XeroError, Skip):
        yield


class BothSides(RuleBasedStateMachine):
    """QicWorks' users, Xero's users, pushes and sweeps; one organisation."""

    books: Books
    documents = Bundle("documents")

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[UUID, str] = {}
        self.steps = 0
        self.kinds: list[str] = []
        self.records: dict[UUID, set[str]] = {}  # document → the records that it was in Xero

    def sweep_(self) -> None:
        sweep(self.books)

    @initialize(
        target=documents,
        mode=st.sampled_from(["ask", "ask", "qicworks", "xero"]),
        chosen=st.lists(kinds, min_size=1, max_size=2, unique=True),
        nths=turns,
    )
    def begin(self, mode: str, chosen: list[str], nths: list[int]) -> Any:
        """An organisation with its setting, and two documents of each of these kinds that were pushed; Xero's users
        have turned one of them."""
        self.kinds = chosen
        set_conflicts(self.books, mode)
        made = [self.made_one(kind, 2) for kind in [*chosen, *chosen]]
        self.push(None)
        self.turn(made[0], nths)
        self.sweep(None)
        return multiple(*made)

    # -- QicWorks' users

    @rule(target=documents, nth=st.integers(0, 1), lines=st.integers(1, 3))
    def enter(self, nth: int, lines: int) -> Any:
        return self.made_one(self.kinds[nth % len(self.kinds)], lines)

    def made_one(self, kind: str, lines: int) -> tuple[str, UUID]:
        document = self.books.add(kind, *(Line("20", department=one == 1) for one in range(lines)))
        self.made[document] = kind
        return kind, document

    @rule(it=documents, day=days)
    def redate(self, it: tuple[str, UUID], day: date) -> None:
        self.edit(it, issue_date=day)

    @rule(it=documents, contact=st.integers(0, 3))
    def choose_contact(self, it: tuple[str, UUID], contact: int) -> None:
        self.edit(it, contact_id=self.books.contacts[contact])

    @rule(it=documents, text=st.sampled_from([None, "PO 7", "J-1"]))
    def refer(self, it: tuple[str, UUID], text: str | None) -> None:
        self.edit(it, reference=text)

    @rule(it=documents, word=words)
    def rename_job(self, it: tuple[str, UUID], word: str) -> None:
        self.edit(it, job_name=word)

    @rule(it=documents, nth=st.integers(0, 10_000))
    def renumber(self, it: tuple[str, UUID], nth: int) -> None:
        self.edit(it, number=f"{it[0]}-{nth}-{self.steps}-{len(self.made)}")

    @rule(it=documents, price=prices, word=words, place=st.integers(1, 3))
    def edit_line(self, it: tuple[str, UUID], price: str, word: str, place: int) -> None:
        self.books.world.query(
            "UPDATE qicworks.document_line SET unit_price = %s, description = %s"
            " WHERE parent_id = %s AND line_number = %s",
            *(Decimal(price), word, it[1], place),
        )
        self.reprice(it)

    @rule(it=documents, price=prices)
    def add_line(self, it: tuple[str, UUID], price: str) -> None:
        if self.exists(it):
            places = [line["line_number"] for line in self.books.lines(*it)]
            self.books.add_line(*it, Line(price), max(places, default=0) + 1)
            self.reprice(it)

    @rule(it=documents)
    def remove_line(self, it: tuple[str, UUID]) -> None:
        if self.exists(it) and len(lines := self.books.lines(*it)) > 1:
            self.books.world.query("DELETE FROM qicworks.document_line WHERE id = %s", lines[-1]["id"])
            self.reprice(it)

    @rule(it=documents)
    def release(self, it: tuple[str, UUID]) -> None:
        """What failed, or was taken back, is to be pushed again."""
        if self.exists(it):
            table = PRICED[it[0]][0]
            released = f"UPDATE qicworks.{table} SET push_state = 'ready' WHERE id = %s"
            self.books.world.query(f"{released} AND push_state IN ('draft', 'failed')", it[1])

    @rule(it=documents, how=st.sampled_from(["cancel", "draft", "delete"]))
    def cancel(self, it: tuple[str, UUID], how: str) -> None:
        table = PRICED[it[0]][0]
        if how == "delete":
            with suppress(ForeignKeyViolation):  # an invoice with payments cannot be deleted
                self.books.world.query(f"DELETE FROM qicworks.{table} WHERE id = %s", it[1])
        elif how == "draft":
            self.edit(it, push_state="draft")
        elif it[0] != "invoices":
            self.edit(it, status=CANCELLED[it[0]])

    @rule(it=documents)
    def undo_the_cancellation(self, it: tuple[str, UUID]) -> None:
        if self.exists(it) and self.books.row(*it)["status"] == CANCELLED.get(it[0]):
            self.edit(it, status=IN_FORCE[it[0]])

    # -- Xero's users

    @rule(it=documents, nths=turns)
    def turn(self, it: tuple[str, UUID], nths: list[int]) -> None:
        for nth in nths:
            record = self.record(it)
            if record and (acts := TURNS[it[0]].get(record["Status"])):
                act = acts[nth % len(acts)]
                self.do(it, act.split()[0], **({"amount": 1} if act == "pay a part" else {}))

    @rule(it=documents, day=days)
    def redate_in_xero(self, it: tuple[str, UUID], day: date) -> None:
        self.do(it, "edit", fields={"Date": day.isoformat()})

    @rule(it=documents, price=prices, word=words, what=st.sampled_from(["first", "add", "last"]))
    def edit_lines_in_xero(self, it: tuple[str, UUID], price: str, word: str, what: str) -> None:
        record = self.record(it)
        if not record:
            return
        lines: list[Row] = [{"LineItemID": line["LineItemID"]} for line in record["LineItems"]]
        sale = it[0] in ("invoices", "credit_notes")
        if what == "first":
            lines[0] |= {"UnitAmount": float(price), "Description": word.strip()}
        elif what == "add":
            made = {"Description": "Added", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200" if sale else "429"}
            lines.append({**made, "TaxType": "OUTPUT" if sale else "INPUT"})
        elif len(lines) > 1:
            lines.pop()
        self.do(it, "edit", fields={"LineItems": lines})

    # -- runs

    @rule(crash=crashes)
    def push(self, crash: tuple[int, bool] | None) -> None:
        for kind in self.kinds:
            with killed_at(crash):
                self.books.push(kind)

    @rule()
    def push_and_sweep(self) -> None:
        self.push(None)
        self.sweep(None)

    @rule(crash=crashes)
    def sweep(self, crash: tuple[int, bool] | None) -> None:
        with killed_at(crash):
            self.sweep_()

    @rule()
    def time_passes(self) -> None:
        self.books.pass_time(400)

    @invariant()
    def count_steps(self) -> None:
        self.steps += 1
        TOTAL[0] += 1
        for kind in set(self.made.values()):
            for row in self.books.rows(kind):
                if row["xero_id"]:
                    self.records.setdefault(row["id"], set()).add(str(row["xero_id"]))

    # -- what must be so

    def teardown(self) -> None:
        try:
            for _ in range(3):
                self.books.drain(*self.kinds)
                self.sweep_()
            for document, kind in self.made.items():
                self.check(kind, document)
        finally:
            self.clear()

    def check(self, kind: str, document: UUID) -> None:
        it = kind, document
        found = differing(self.books, document)
        reasons = {one.reason for one in found}
        row = self.books.row(*it) if self.exists(it) else None
        if row is None or row["push_state"] == "draft" or row["status"] == CANCELLED.get(kind):
            there = [
                one for id in self.records.get(document, ()) if (one := self.in_xero(kind, id))["Status"] not in GONE
            ]
            assert bool(there) == ("cancelled_in_qicworks" in reasons), f"{kind} {row}: {there}, {found}"
            return
        record = self.record(it)
        named = {name for one in found for name in one.ours}
        said = f"{kind} {row['number']} {row['push_state']} {row['push_error']}: {found}"
        if row["xero_id"] is None:
            assert not found, said
            assert row["push_state"] in ("failed", "draft"), said
            return
        if record is None or record["Status"] in GONE:
            assert reasons & {"voided_in_xero", "deleted_in_xero", "missing_in_xero"}, said
            return
        assert row["xero_status"] == record["Status"], said
        if kind in INVOICES:
            paid = Decimal(str(record["AmountPaid"])), Decimal(str(record["AmountDue"]))
            assert (row["paid_to_date"], row["balance"]) == paid, said
        differ = set(fields_that_differ(self.books, kind, row, record))
        assert differ <= named, f"{differ - named} not named: {said}"
        assert named <= differ, f"{named - differ} do not differ: {said}"
        if not differ:
            assert row["push_state"] == "pushed", said

    # -- parts

    def exists(self, it: tuple[str, UUID]) -> bool:
        return bool(self.books.world.query(f"SELECT 1 AS one FROM qicworks.{PRICED[it[0]][0]} WHERE id = %s", it[1]))

    def edit(self, it: tuple[str, UUID], **columns: Any) -> None:
        if self.exists(it):
            self.books.edit(*it, **columns)

    def reprice(self, it: tuple[str, UUID]) -> None:
        if self.exists(it):
            self.books.reprice(*it)

    def record(self, it: tuple[str, UUID]) -> Row | None:
        if not self.exists(it) or not (xero_id := self.books.row(*it)["xero_id"]):
            return None
        return self.in_xero(it[0], xero_id)

    def in_xero(self, kind: str, xero_id: object) -> Row:
        tenant = self.books.world.sandbox.tenant(self.books.organisation)
        path = f"organisations/{tenant}/{PRICED[kind][1]}/{xero_id}"
        found: Row = self.books.world.sandbox.control("GET", path)
        return found

    def do(self, it: tuple[str, UUID], act: str, **order: Any) -> None:
        """As far as Xero lets them."""
        if self.exists(it) and (xero_id := self.books.row(*it)["xero_id"]):
            with suppress(Refused):
                self.books.bookkeep(act, **{ACTS[it[0]]: str(xero_id)}, **order)
                DONE[act] += 1

    def clear(self) -> None:
        """Of QicWorks' side, for the next example to begin alone; as if nothing had been noticed."""
        tables = [f"qicworks.{table}" for table, *_ in PRICED.values()]
        tables += ["qicworks.document_line", "xero_sync.followed_document", "xero_sync.difference"]
        tables += ["xero_sync.pushed_content", "xero_sync.cancellation", "xero_sync.push_request"]
        tables += ["xero_sync.document_link", "qicworks.invoice_record", "qicworks.credit_note_record"]
        tables += ["qicworks.purchase_order_record", "qicworks.invoice_payment", "xero_sync.cursor"]
        emptied = "; ".join(f"DELETE FROM {table}" for table in tables)
        self.books.world.query(f"SET session_replication_role = replica; {emptied}; RESET session_replication_role")


TOTAL = [0]
DONE: Counter[str] = Counter()  # what Xero's users did, by act


@pytest.fixture(scope="module")
def books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as books:
        yield books


def test_both_sides_are_equal_or_a_difference_names_each_field(books: Books) -> None:
    BothSides.books = books
    TOTAL[0] = 0
    DONE.clear()
    try:
        run_state_machine_as_test(
            BothSides,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
                derandomize="TRUTH_EXAMPLES" not in os.environ,  # a search by chance is for hours, not for each change
            ),
        )
    finally:
        print(f"{TOTAL[0]} steps, {dict(DONE)}")
    if EXAMPLES >= 45:
        assert set(DONE) == {"approve", "delete", "void", "bill", "pay", "edit"}, "some were never done in Xero"
