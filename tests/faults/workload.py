"""What people do while things go wrong: they trigger runs, write documents, and work in Xero."""

import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import OperationalError

from tests.faults.airflow import Airflow
from tests.faults.plan import How
from tests.faults.sides import Books, Live, Pay, Row
from tests.faults.tally import NotNow
from tests.support.pushing import PRICED, File, Line
from xero.documents.declaration import Delivery
from xero.documents.registry import KINDS

log = logging.getLogger(__name__)

#: kind → how the sandbox's bookkeeping calls one, and what it can do to it
CALLED = {
    "invoices": ("invoice", ("approve", "pay", "void", "delete")),
    "bills": ("invoice", ("approve", "pay", "void", "delete")),
    "expenses": ("invoice", ("approve", "pay", "void", "delete")),
    "credit_notes": ("credit", ("approve", "void", "delete")),
    "purchase_orders": ("purchase_order", ("approve", "delete")),
}
KEYS = {
    "Contacts": "ContactID",
    "Accounts": "AccountID",
    "TaxRates": "TaxType",
    "TrackingCategories": "TrackingCategoryID",
    "EarningsRates": "EarningsRateID",
    "LeaveTypes": "LeaveTypeID",
    "Employees": "EmployeeID",
    "Invoices": "InvoiceID",
    "Payments": "PaymentID",
}
STATUS = {"Contacts": "ContactStatus", "Accounts": "Status"}
KEPT = ("200", "429")  # accounts that all documents are about
TOO_LONG = "A name that fits nowhere " * 12  # 300 characters: no row of QicWorks can hold it
TERMINATED = {"Status": "TERMINATED", "TerminationDate": "/Date(1790000000000+0000)/"}


def chosen(among: Sequence[Any], pick: float) -> Any:
    if not among:
        raise NotNow("there is none")
    return among[int(pick * len(among))]


class Workload:
    """Carries out the acts of a plan. `unfinished`: edits that a crash broke off, for their user to finish."""

    def __init__(self, world: Live, airflow: Airflow, mark: str) -> None:
        self.world = world
        self.airflow = airflow
        everybody = range(len(world.tenants))
        self.books = [Books(world, number, mark) for number in everybody]
        paying = [bool(one["payroll"]) for one in world.sandbox.organisations]
        self.pay = {number: Pay(world, number) for number in everybody if paying[number]}
        self.unfinished: list[Callable[[], object]] = []
        self.spoilt: dict[tuple[str, str], str] = {}  # (tenant, contact) → its name
        self.touched: set[tuple[str, str]] = set()  # (kind, document): somebody did something to it in Xero
        self._runs = 0

    def do(self, act: str, how: How) -> str:
        """Does it; says what came of it. Raises NotNow."""
        try:
            return str(getattr(self, act)(**how))
        except (psycopg.Error, OperationalError) as error:
            return f"broken off: {type(error).__name__}"

    # -- runs

    def pull(self, data_set: str, organisation: int | None, full: bool, times: int) -> str:
        return self._trigger(f"pull_{data_set}", {"full_refresh": full}, organisation, times)

    def push(self, kind: str, organisation: int | None, times: int) -> str:
        return self._trigger(f"push_{kind}", {}, organisation, times)

    def _trigger(self, dag_id: str, conf: How, organisation: int | None, times: int) -> str:
        if organisation is not None:
            conf["connection"] = self.world.connections[organisation]["organisation"]
        started = []
        for _ in range(times):
            self._runs += 1
            started.append(self.airflow.trigger(dag_id, f"faults-{self._runs:04d}", conf))
        return ", ".join(started)

    # -- QicWorks

    def document(self, kind: str, organisation: int, count: int, pick: float, **how: Any) -> str:
        match KINDS[kind].delivery:
            case Delivery.BATCH if kind in PRICED:
                for _ in range(count):
                    self._add(kind, organisation, pick, **how)
                return f"{count} made"
            case Delivery.PAY_TEMPLATE:
                side = self._pay(organisation, pick)
                side.pay_hours(chosen(side.able, pick), how["lines"][0][1])
            case Delivery.LEAVE:
                side = self._pay(organisation, pick)
                side.take_leave(chosen(side.able, pick))
            case _:
                raise NotNow(f"nobody here knows how to make {kind}")
        return "made"

    def _add(self, kind: str, organisation: int, pick: float, lines: Any, files: int, side: str, wrong: bool) -> None:
        books = self.books[organisation]
        named = [File(f"sheet {number}.pdf", f"{pick} {number}".encode()) for number in range(files)]
        columns: dict[str, Any] = {"side": side} if kind == "credit_notes" else {}
        if wrong:
            columns["contact_id"] = None
        books.add(
            kind,
            *(Line(price, quantity, f"Work of {price}", department=wrong) for price, quantity in lines),
            number=books.next_number(kind),
            contact=int(pick * len(books.contacts)),
            files=named,
            **columns,
        )

    def edit(self, kind: str, organisation: int, what: str, pick: float) -> str:
        """As a user of QicWorks would, of a document that is ready, on its way, pushed or failed."""
        if kind not in PRICED:
            return self.document(kind, organisation, 1, pick, lines=[("1", "7.25")])
        books, row = chosen(self._written(kind, organisation), pick)
        document: UUID = row["id"]
        lines = books.lines(kind, document)
        self.unfinished.append(lambda: books.reprice(kind, document))
        match what:
            case "number":
                books.edit(kind, document, number=books.next_number(kind))
            case "line":
                books.add_line(
                    kind, document, Line("12.5", "2", "One more"), max(one["line_number"] for one in lines) + 1
                )
            case "fewer" if len(lines) > 1:
                self.world.query("DELETE FROM qicworks.document_line WHERE id = %s", lines[-1]["id"])
            case _:
                price = "UPDATE qicworks.document_line SET unit_price = unit_price + 1 WHERE id = %s"
                self.world.query(price, lines[0]["id"])
        books.reprice(kind, document)
        self.unfinished.pop()
        return f"{what} of {row['number']}, which was {row['push_state']}"

    def _pay(self, organisation: int, pick: float) -> Pay:
        """Of that organisation, or of one that has payroll."""
        side: Pay = self.pay.get(organisation) or chosen(list(self.pay.values()), pick)
        return side

    def finish(self) -> int:
        """The users bring to an end what crashes broke off; how much that was."""
        waiting, self.unfinished = self.unfinished, []
        for act in waiting:
            act()
        for side in self.pay.values():
            self.world.query(
                "UPDATE qicworks.payroll_push SET approved_version = push_version, push_state = 'ready'"
                " WHERE organisation_id = %s AND approved_version IS DISTINCT FROM push_version",
                side.organisation_id,
            )
        return len(waiting)

    # -- Xero

    def change(self, organisation: int, collection: str, what: str, count: int, pick: float) -> str:
        records = self.world.sandbox.truth(collection, organisation)
        key = KEYS[collection]
        match what:
            case "rename" | "touch":
                ids = [one[key] for one in records]
                start = int(pick * len(ids))
                order = {"ids": ids[start : start + count], "rename": what == "rename"}
                self._ask("POST", organisation, f"/{collection}/touch", order)
                return f"{what} {len(ids[start : start + count])}"
            case "archive":
                able = [one for one in records if one[STATUS[collection]] == "ACTIVE" and one.get("Code") not in KEPT]
                fields: How = {STATUS[collection]: "ARCHIVED"}
            case "restore":
                able = [
                    one for one in records if one[STATUS[collection]] == "ARCHIVED" and not one.get("MergedToContactID")
                ]
                fields = {STATUS[collection]: "ACTIVE"}
            case "spoil":
                able, fields = [one for one in records if len(one["Name"]) < 200], {"Name": TOO_LONG}
            case "remove":
                ours = {str(id) for id in self._contacts_in_use(organisation)}
                gone = chosen(
                    [one for one in records if one[key] not in ours and one["ContactStatus"] == "ACTIVE"], pick
                )
                self._ask("DELETE", organisation, f"/{collection}/{gone[key]}")
                return "gone without a trace"
            case "terminate":
                able, fields = [one for one in records if one["Status"] == "ACTIVE"], TERMINATED
            case "balance":
                able = [one for one in records if one.get("LeaveBalances")]
                first, *others = chosen(able, pick)["LeaveBalances"]
                fields = {"LeaveBalances": [{**first, "NumberOfUnits": round(pick * 200, 4)}, *others]}
            case _:
                raise AssertionError(what)
        one = chosen(able, pick)
        if what == "spoil":
            self.spoilt[self.world.tenants[organisation], one[key]] = one["Name"]
        self._ask("PATCH", organisation, f"/{collection}/{one[key]}", fields)
        return f"{what} {one[key]}"

    def mend(self) -> int:
        """In Xero somebody gives the spoilt contacts their names again, all but one; how many."""
        mended = list(self.spoilt.items())[1:]
        for (tenant, contact), name in mended:
            number = self.world.tenants.index(tenant)
            self._ask("PATCH", number, f"/Contacts/{contact}", {"Name": name})
        return len(mended)

    def keep_books(self, organisation: int, do: str, pick: float) -> str:
        """Approves, pays, voids or deletes in Xero a document that QicWorks has pushed."""
        kinds = [kind for kind, (_, able) in CALLED.items() if do in able]
        known = [(kind, *one) for kind in kinds for one in self._written(kind, organisation)]
        kind, books, row = chosen([one for one in known if one[2]["xero_id"]], pick)
        self.touched.add((kind, str(row["id"])))
        answer = self.world.sandbox.session.post(
            f"{self.world.sandbox.url}/sandbox/organisations/{self.world.tenants[books.organisation]}/bookkeeping",
            json={"do": do, CALLED[kind][0]: str(row["xero_id"])},
            timeout=60,
        )
        return f"{do} {row['number']}: {'done' if answer.ok else answer.text[:120]}"

    def _written(self, kind: str, organisation: int) -> list[tuple[Books, Row]]:
        """Documents of that organisation that are no drafts; where it has none, of the next one that has."""
        for books in (*self.books[organisation:], *self.books[:organisation]):
            if found := [row for row in books.rows(kind) if row["push_state"] != "draft"]:
                return [(books, row) for row in found]
        return []

    def drift(self, organisation: int, collection: str, changes: int, pick: float) -> str:
        order = {"tenant": self.world.tenants[organisation], "collection": collection, "changes_per_page": changes}
        self.world.sandbox.control("PUT", "drift", {**order, "total": changes * 5})
        return f"{changes} records change after each page of {collection}"

    def _contacts_in_use(self, organisation: int) -> list[str]:
        found = self.world.query(
            "SELECT xero_id FROM qicworks.contact WHERE id = ANY(%s)", self.books[organisation].contacts
        )
        return [row["xero_id"] for row in found]

    def _ask(self, method: str, organisation: int, path: str, body: Any = None) -> Any:
        return self.world.sandbox.control(method, f"organisations/{self.world.tenants[organisation]}{path}", body)
