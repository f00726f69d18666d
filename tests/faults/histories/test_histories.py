"""Documents that live through anything: edits, faults, kills, minutes that pass, and people who work in Xero."""

import random
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from tests.faults.histories.killing import kill_at
from tests.faults.histories.troubles import BEYOND, DOCUMENTS, TROUBLES
from tests.flow.pushing import PRICED, Books, File, Line, as_in_xero
from xero.api.errors import XeroError
from xero.sync.outcome import Skip

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

STEPS = 150
ACTS = {"invoices": "invoice", "bills": "invoice", "expenses": "invoice", "credit_notes": "credit"}


class History:
    """What happens, by dice."""

    def __init__(self, books: Books, seed: int) -> None:
        self.books = books
        self.dice = random.Random(seed)
        self.documents: list[tuple[str, UUID]] = []
        self.touched: set[UUID] = set()  # in Xero, so that QicWorks may not change them any more
        self.told: list[str] = []

    def step(self) -> None:
        acts = [
            self.add,
            self.add,
            self.edit,
            self.edit,
            self.push,
            self.push_into_trouble,
            self.kill,
            self.work_in_xero,
        ]
        act = self.dice.choice(acts)
        self.told.append(act.__name__)
        act()

    def add(self) -> None:
        kind = self.dice.choice(list(PRICED))
        how: dict[str, Any] = {"contact": self.dice.randrange(3)}
        if kind == "bills":
            how["number"] = f"R-{self.dice.randrange(5)}"
        if kind == "credit_notes":
            how["side"] = self.dice.choice(["customer", "supplier"])
        files = [File()] if self.dice.random() < 0.3 else []
        self.documents.append((kind, self.books.add(kind, self.line(), self.line(), files=files, **how)))

    def line(self) -> Line:
        price = self.dice.randrange(10_000, 99_999_999)
        return Line(f"{price / 10_000:.4f}", description=f"Work {price}", department=self.dice.random() < 0.3)

    def edit(self) -> None:
        if not self.documents:
            return
        kind, document = self.dice.choice(self.documents)
        at, table = len(self.books.lines(kind, document)), PRICED[kind][0]
        match self.dice.randrange(4):
            case 0:
                self.books.edit(kind, document, number=f"E-{len(self.told)}")
            case 1:
                self.books.add_line(kind, document, self.line(), at + 1)
            case 2 if at > 1:
                self.books.world.query(
                    "DELETE FROM qicworks.document_line WHERE parent_type = %s AND parent_id = %s AND line_number = %s",
                    *(table, document, at),
                )
            case _:
                self.books.world.query(
                    "UPDATE qicworks.document_line SET unit_price = unit_price + 1, description = %s"
                    " WHERE parent_type = %s AND parent_id = %s",
                    *(f"Edit {len(self.told)}", table, document),
                )
        self.books.reprice(kind, document)

    def push(self, **client: Any) -> None:
        with suppress(XeroError, Skip):
            self.books.push(self.dice.choice(list(PRICED)), client=client)

    def push_into_trouble(self) -> None:
        trouble = TROUBLES[self.dice.choice([name for name in TROUBLES if "429" not in name])]
        method = self.dice.choice(["PUT", "POST", None])
        self.books.world.fault(kind=trouble.kind, path=DOCUMENTS, method=method, **trouble.order)
        self.push(**trouble.client)
        self.books.world.sandbox.control("DELETE", "faults")
        self.let_time_pass()

    def kill(self) -> None:
        kill_at(self.books, self.dice.randrange(1, 90), self.dice.choice(list(PRICED)))
        self.let_time_pass()

    def let_time_pass(self) -> None:
        if self.dice.random() < 0.4:
            self.books.pass_time(self.dice.choice([100, 290, 310, BEYOND]))

    def work_in_xero(self) -> None:
        """Somebody approves a draft, or deletes it, of which QicWorks knows that it is there."""
        known = [(kind, id) for kind, id in self.documents if kind in ACTS and id not in self.touched]
        known = [(kind, id) for kind, id in known if self.books.row(kind, id)["xero_id"]]
        if known and self.dice.random() < 0.5:
            kind, document = self.dice.choice(known)
            act = self.dice.choice(["approve", "delete"])
            self.books.bookkeep(act, **{ACTS[kind]: str(self.books.row(kind, document)["xero_id"])})
            self.touched.add(document)

    def end(self) -> None:
        """All is brought to an end, and each document is there once."""
        self.books.pass_time(BEYOND)
        self.books.drain(patience=120)
        assert self.books.requests() == []
        owned = [row["xero_id"] for kind in PRICED for row in self.books.rows(kind) if row["xero_id"]]
        assert len(owned) == len(set(owned)), "one record of Xero's for two documents"
        for kind, document in self.documents:
            row = self.books.row(kind, document)
            said = f"{kind} {row['number']}: {row['push_state']}, {row['push_error']}"
            record = next(one for one in self.books.in_xero(kind) if one[PRICED[kind][2]] == str(row["xero_id"]))
            if record["Status"] == "DRAFT":
                assert row["push_state"] == "pushed", said
                assert as_in_xero(kind, record) == self.books.as_in_qicworks(kind, row), said
                self.books._assert_attached(kind, row)
            else:
                assert document in self.touched, said
                assert row["push_state"] in ("pushed", "failed"), said
        # One that was deleted in Xero and has a new number is made anew: the deleted one is nobody's.
        there = [
            record[PRICED[kind][2]]
            for kind in PRICED
            for record in self.books.in_xero(kind)
            if record["Status"] != "DELETED"
        ]
        assert set(there) <= {str(id) for id in owned}, "twice, or nobody's"


@pytest.mark.parametrize("seed", range(4))
def test_anything_may_happen(books: Books, seed: int) -> None:
    history = History(books, seed)
    try:
        for _ in range(STEPS):
            history.step()
        history.end()
    finally:
        print(f"{len(history.documents)} documents; {history.told}")
