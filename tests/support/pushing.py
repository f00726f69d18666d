"""QicWorks' side of a push: documents of every kind in its tables, and a comparison with what stands in Xero.

The comparison owes the code nothing: it reads the tables on one side, the sandbox's whole truth on the other.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any
from uuid import UUID

from tests.support.kept_session import kept_session
from tests.support.world import World
from xero.api.errors import XeroError
from xero.composition import opener
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks.connect import connections
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.runs.events import Origin
from xero.sync.push.flow import push
from xero.sync.runs.outcome import Outcome, Skip

Row = dict[str, Any]

#: kind → its table, and in Xero: collection, id, number, type (None: the row says it)
PRICED = {
    "invoices": ("invoice", "Invoices", "InvoiceID", "InvoiceNumber", "ACCREC"),
    "bills": ("bill", "Invoices", "InvoiceID", "InvoiceNumber", "ACCPAY"),
    "expenses": ("expense", "Invoices", "InvoiceID", "InvoiceNumber", "ACCPAY"),
    "credit_notes": ("credit_note", "CreditNotes", "CreditNoteID", "CreditNoteNumber", None),
    "purchase_orders": ("purchase_order", "PurchaseOrders", "PurchaseOrderID", "PurchaseOrderNumber", None),
}
SIDES = {"customer": "ACCRECCREDIT", "supplier": "ACCPAYCREDIT"}
SALES, COSTS = ("200", "OUTPUT"), ("429", "INPUT")  # account code, tax type
ISSUED = date(2026, 10, 5)  # after the sandbox's lock dates
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Line:
    """A line of a document. Account and tax type None: what is usual for the kind."""

    unit_price: str = "100"
    quantity: str = "1"
    description: str = "Labour, two electricians"
    account: str | None = None
    tax: str | None = None
    department: bool = False
    columns: Row = field(default_factory=dict)  # others of document_line


@dataclass(frozen=True)
class File:
    """An attachment."""

    name: str = "job sheet.pdf"
    content: bytes = b"%PDF-1.7 job sheet"
    mime_type: str = "application/pdf"
    include_online: bool = False


class Books:
    """An organisation of the world with contacts, accounts, tax codes and departments in QicWorks' tables."""

    def __init__(self, world: World, organisation: int = 0) -> None:
        self.world = world
        self.organisation = organisation
        self.connection_id = UUID(world.connection_id(organisation))
        [connection] = world.query("SELECT * FROM xero_sync.connection WHERE id = %s", self.connection_id)
        self.organisation_id = connection["organisation_id"]
        self._numbers = count(1)
        self._pulled = {
            "organisation_id": self.organisation_id,
            "connection_id": self.connection_id,
            "is_active": True,
            "row_hash": b"0",
        }
        self._furnish()
        self.strangers = {kind: self._keys(kind) for kind in PRICED}

    def copied(self, world: World) -> "Books":
        """The same, of a world whose database is a copy of this one's, and whose sandbox is of the same seed."""
        made = copy(self)
        made.world, made._numbers = world, count(1)
        return made

    # -- what is pulled, put there straight

    def _furnish(self) -> None:
        truth = {name: self._truth(name) for name in ("Contacts", "Accounts", "TaxRates", "TrackingCategories")}
        active = [one for one in truth["Contacts"] if one["ContactStatus"] == "ACTIVE"][:4]
        accounts = [one for one in truth["Accounts"] if one.get("Code")]
        rates = [one for one in truth["TaxRates"] if one["Status"] == "ACTIVE"]
        self.contacts: list[UUID] = self._pull(
            "contact", ({"xero_id": one["ContactID"], "name": one["Name"], "status": "ACTIVE"} for one in active)
        )
        ids = self._pull(
            "account",
            (
                {
                    "is_active": one["Status"] == "ACTIVE",
                    "xero_id": one["AccountID"],
                    "code": one["Code"],
                    "name": one["Name"],
                    "type": one["Type"],
                    "class": one["Class"],
                    "system_account": one.get("SystemAccount"),
                }
                for one in accounts
            ),
        )
        self.accounts: dict[str, UUID] = dict(zip((one["Code"] for one in accounts), ids, strict=True))
        ids = self._pull(
            "tax_code",
            (
                {
                    "tax_type": one["TaxType"],
                    "name": one["Name"],
                    "rate": one["EffectiveRate"],
                    "applies_assets": one["CanApplyToAssets"],
                    "applies_equity": one["CanApplyToEquity"],
                    "applies_expenses": one["CanApplyToExpenses"],
                    "applies_liabilities": one["CanApplyToLiabilities"],
                    "applies_revenue": one["CanApplyToRevenue"],
                }
                for one in rates
            ),
        )
        self.tax_codes: dict[str, UUID] = dict(zip((one["TaxType"] for one in rates), ids, strict=True))
        self.rates = {one["TaxType"]: Decimal(str(one["EffectiveRate"])) for one in truth["TaxRates"]}
        category = next(one for one in truth["TrackingCategories"] if one["Status"] == "ACTIVE")
        option = next(one for one in category["Options"] if one["Status"] == "ACTIVE")
        [ours] = self._pull(
            "tracking_category", [{"xero_id": category["TrackingCategoryID"], "name": category["Name"]}]
        )
        its = {"category_xero_id": category["TrackingCategoryID"], "tracking_category_id": ours}
        [self.department] = self._pull(
            "tracking_option", [{"xero_id": option["TrackingOptionID"], "name": option["Name"], **its}]
        )

    def _pull(self, table: str, rows: Iterable[Row]) -> list[UUID]:
        return self._insert(f"qicworks.{table}", *({**self._pulled, **row} for row in rows))

    def _insert(self, table: str, *rows: Row) -> list[UUID]:
        """In one statement: dozens would take longer than many a test. All have the same columns. Returns their ids."""
        names = ", ".join(f'"{name}"' for name in rows[0])
        places = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
        statement = f"INSERT INTO {table} ({names}) VALUES {places} RETURNING id"
        return [row["id"] for row in self.world.query(statement, *(value for row in rows for value in row.values()))]

    # -- documents

    def add(
        self,
        kind: str,
        *lines: Line,
        number: str | None = None,
        contact: int = 0,
        files: Sequence[File] = (),
        state: str = "ready",
        **columns: Any,
    ) -> UUID:
        """A document of that kind, with the amounts that its lines come to; `columns` are others of its table."""
        table = PRICED[kind][0]
        nth = next(self._numbers)
        made = {
            "organisation_id": self.organisation_id,
            "number": number or f"{table[:3].upper()}-{nth:05d}",
            "contact_id": self.contacts[contact],
            "issue_date": ISSUED,
            "push_state": "draft",
        }
        if kind in ("invoices", "bills", "expenses"):
            made["due_date"] = ISSUED + timedelta(days=14)
        if kind == "credit_notes":
            made["side"] = "customer"
        made |= columns
        [document] = self._insert(f"qicworks.{table}", made)
        for place, line in enumerate(lines or (Line(), Line("12.3456", "3", "Cable, 2.5 mm²", department=True)), 1):
            self.add_line(kind, document, line, place, made.get("side") or "")
        for file in files:
            self.attach(kind, document, file)
        self.reprice(kind, document)
        self.world.query(f"UPDATE qicworks.{table} SET push_state = %s WHERE id = %s", state, document)
        return document

    def add_many(self, kind: str, how_many: int) -> None:
        """Documents of one line each, which are ready."""
        table = PRICED[kind][0]
        account, tax = SALES if kind == "invoices" else COSTS
        self.world.query(
            f"INSERT INTO qicworks.{table} (organisation_id, number, contact_id, issue_date, due_date, sub_total,"
            f" total_tax, total, push_state{', side' if kind == 'credit_notes' else ''})"
            " SELECT %s, 'M-' || lpad(nth::text, 5, '0'), %s, %s, %s, nth, nth / 10.0, nth + nth / 10.0, 'draft'"
            f"{', $$supplier$$' if kind == 'credit_notes' else ''} FROM generate_series(1, %s) AS nth",
            *(self.organisation_id, self.contacts[0], ISSUED, ISSUED, how_many),
        )
        self.world.query(
            "INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, unit_price,"
            " account_id, tax_code_id)"
            f" SELECT %s, id, 1, 'Labour', sub_total, %s, %s FROM qicworks.{table} WHERE left(number, 2) = 'M-'",
            *(table, self.accounts[account], self.tax_codes[tax]),
        )
        self.world.query(f"UPDATE qicworks.{table} SET push_state = 'ready' WHERE left(number, 2) = 'M-'")

    def add_line(self, kind: str, document: UUID, line: Line, place: int, side: str | None = None) -> UUID:
        """`side` of a credit note: looked up if it is not given."""
        table = PRICED[kind][0]
        if kind == "credit_notes" and side is None:
            side = self.row(kind, document)["side"]
        account, tax = SALES if kind == "invoices" or side == "customer" else COSTS
        [id] = self._insert(
            "qicworks.document_line",
            {
                "parent_type": table,
                "parent_id": document,
                "line_number": place,
                "description": line.description,
                "quantity": Decimal(line.quantity),
                "unit_price": Decimal(line.unit_price),
                "account_id": self.accounts[line.account or account],
                "tax_code_id": self.tax_codes[line.tax or tax],
                "tracking_option_id": self.department if line.department else None,
                **line.columns,
            },
        )
        return id

    def attach(self, kind: str, document: UUID, file: File) -> UUID:
        [id] = self._insert(
            "qicworks.attachment",
            {
                "organisation_id": self.organisation_id,
                "parent_type": PRICED[kind][0],
                "parent_id": document,
                "file_name": file.name,
                "mime_type": file.mime_type,
                "content": file.content,
                "include_online": file.include_online,
            },
        )
        return id

    def reprice(self, kind: str, document: UUID) -> None:
        """Sets the document's amounts to what its lines come to: to the cent, line by line."""
        row = self.row(kind, document)
        net = tax = Decimal(0)
        for line in self.lines(kind, document):
            amount = _cents(line["quantity"] * line["unit_price"])
            rate = self.rates[line["tax_type"]]
            part = {
                "Exclusive": _cents(amount * rate / 100),
                "Inclusive": _cents(amount * rate / (100 + rate)),
                "NoTax": Decimal(0),
            }[row["line_amount_types"]]
            net += amount - part if row["line_amount_types"] == "Inclusive" else amount
            tax += part
        self.edit(kind, document, sub_total=net, total_tax=tax, total=net + tax)

    def edit(self, kind: str, document: UUID, **columns: Any) -> None:
        """As a user of QicWorks would."""
        sets = ", ".join(f"{name} = %s" for name in columns)
        self.world.query(f"UPDATE qicworks.{PRICED[kind][0]} SET {sets} WHERE id = %s", *columns.values(), document)

    def row(self, kind: str, document: UUID) -> Row:
        return self.world.query(f"SELECT * FROM qicworks.{PRICED[kind][0]} WHERE id = %s", document)[0]

    def rows(self, kind: str) -> list[Row]:
        statement = f"SELECT * FROM qicworks.{PRICED[kind][0]} WHERE organisation_id = %s ORDER BY created_at, id"
        return self.world.query(statement, self.organisation_id)

    def lines(self, kind: str, document: UUID) -> list[Row]:
        return self.world.query(
            "SELECT line.*, account.code AS account_code, tax.tax_type, option.xero_id AS option_xero_id"
            "  FROM qicworks.document_line AS line"
            "  LEFT JOIN qicworks.account ON account.id = line.account_id"
            "  LEFT JOIN qicworks.tax_code AS tax ON tax.id = line.tax_code_id"
            "  LEFT JOIN qicworks.tracking_option AS option ON option.id = line.tracking_option_id"
            " WHERE parent_type = %s AND parent_id = %s ORDER BY line_number",
            PRICED[kind][0],
            document,
        )

    def files(self, kind: str, document: UUID) -> list[Row]:
        return self.world.query(
            "SELECT *, encode(sha256(content), 'hex') AS sha256 FROM qicworks.attachment"
            " WHERE parent_type = %s AND parent_id = %s ORDER BY created_at, id",
            PRICED[kind][0],
            document,
        )

    def requests(self, *, open_only: bool = True) -> list[Row]:
        """Those of the outbox."""
        where = " AND closed_at IS NULL" if open_only else ""
        return self.world.query(
            f"SELECT * FROM xero_sync.push_request WHERE connection_id = %s{where} ORDER BY created_at",
            self.connection_id,
        )

    # -- pushing

    def push(
        self,
        kind: str | Kind,
        *,
        quiet: float = 0.0,
        client: Row | None = None,
        origin: Origin | None = None,
        **how: Any,
    ) -> Outcome:
        """One run. `client` are options of its client, such as timeouts."""
        options = {"backoff": (0.02, 0.04), **(client or {})}
        return push(
            KINDS[kind] if isinstance(kind, str) else kind,
            self.connection_id,
            engine=self.world.engine,
            open_client=opener(self.world.engine, self.world.app, **options),
            origin=origin or Origin(),
            quiet=quiet,
            **how,
        )

    def drain(self, *kinds: str, runs: int = 8) -> None:
        """Runs until nothing is left to do; what a run raises, the next one has to cope with."""
        for kind in kinds or PRICED:
            for _ in range(runs):
                if not self.left(kind):
                    break
                with suppress(XeroError, Skip):
                    self.push(kind)
            assert not self.left(kind), f"{kind} are not done after {runs} runs: {self.requests()}"

    def left(self, kind: str) -> int:
        """How many documents, open requests and attachments wait."""
        with kept_session(self.world.engine) as session:
            connection = connections.one(session, self.connection_id)
            return Outbox(session, connection, KINDS[kind]).something()

    def pass_time(self, seconds: float) -> None:
        """For the requests in the outbox, and for Xero."""
        for column in ("created_at", "first_sent_at", "last_sent_at"):
            self.world.query(
                f"UPDATE xero_sync.push_request SET {column} = {column} - make_interval(secs => %s)", seconds
            )
        offset = self.world.sandbox.control("GET", "clock")["offset_seconds"]
        self.world.sandbox.control("PUT", "clock", {"offset_seconds": offset + seconds})

    # -- what stands in Xero

    def _truth(self, collection: str) -> list[Row]:
        return self.world.sandbox.truth(collection, self.organisation)

    def _keys(self, kind: str) -> set[str]:
        _, collection, key, _, _ = PRICED[kind]
        return {record[key] for record in self._truth(collection)}

    def in_xero(self, kind: str) -> list[Row]:
        """What was not there at the beginning; bills and expenses are of one collection and type."""
        _, collection, key, _, wanted = PRICED[kind]
        new = [record for record in self._truth(collection) if record[key] not in self.strangers[kind]]
        return [record for record in new if wanted is None or record["Type"] == wanted]

    def attached(self, xero_id: object) -> list[Row]:
        """What the sandbox keeps of attachments: FileName, MimeType, ContentLength, sha256."""
        path = f"organisations/{self.world.sandbox.tenant(self.organisation)}/attachments/{xero_id}"
        found: list[Row] = self.world.sandbox.control("GET", path)
        return found

    def bookkeep(self, do: str, **order: Any) -> Row:
        """As somebody in Xero would: `do` and the rest as in the control API's bookkeeping."""
        path = f"organisations/{self.world.sandbox.tenant(self.organisation)}/bookkeeping"
        done: Row = self.world.sandbox.control("POST", path, {"do": do, **order})
        return done

    def writes(self) -> list[Row]:
        """The PUTs and POSTs of documents (not of attachments) that Xero saw since the calls were last asked for.

        Without those of a token that had run out: `pass_time` moves Xero's clock, and the token may be old by then.
        """
        calls = (call for call in self.world.calls() if call["method"] != "GET" and call["status"] != 401)
        return [call for call in calls if "/Attachments/" not in call["path"]]

    def assert_once(self, *kinds: str) -> None:
        """Every document that was meant to stands in Xero exactly once, as it is in QicWorks, and nothing else does."""
        assert self.requests() == [], "a request is left open"
        expected: Counter[str] = Counter()
        for kind in kinds or PRICED:
            key = PRICED[kind][2]
            there = {record[key]: record for record in self.in_xero(kind)}
            for row in self.rows(kind):
                if row["push_state"] == "draft":
                    continue
                said = f"{kind} {row['number']}: {row['push_error']}"
                assert row["push_state"] == "pushed", f"{row['push_state']}, {said}"
                record = there.get(str(row["xero_id"]))
                assert record, f"not in Xero: {said}"
                ours, theirs = self.as_in_qicworks(kind, row), as_in_xero(kind, record)
                differ = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
                assert not differ, f"{said}: in QicWorks and in Xero {differ}"
                self._assert_attached(kind, row)
                expected[f"{PRICED[kind][1]} {row['xero_id']}"] += 1
        assert set(expected.values()) <= {1}, f"one record of Xero's for several documents: {expected}"
        for kind in kinds or PRICED:
            for record in self.in_xero(kind):
                name = f"{PRICED[kind][1]} {record[PRICED[kind][2]]}"
                shared = {"bills", "expenses"} if kind in ("bills", "expenses") else {kind}
                if shared <= set(kinds or PRICED):
                    assert name in expected, f"twice, or nobody's: {record}"

    def _assert_attached(self, kind: str, row: Row) -> None:
        ours = self.files(kind, row["id"])
        assert [file["push_state"] for file in ours] == ["pushed"] * len(ours), row["number"]
        there = [(one["FileName"], one["MimeType"], one["sha256"]) for one in self.attached(row["xero_id"])]
        assert sorted(there) == sorted((one["file_name"], one["mime_type"], one["sha256"]) for one in ours)

    def as_in_qicworks(self, kind: str, row: Row) -> Row:
        [contact] = self.world.query("SELECT xero_id FROM qicworks.contact WHERE id = %s", row["contact_id"])
        return {
            "type": SIDES[row["side"]] if kind == "credit_notes" else PRICED[kind][4],
            "number": row["number"],
            "contact": str(contact["xero_id"]),
            "date": row["issue_date"],
            "status": "DRAFT",
            "amounts": (row["sub_total"], row["total_tax"], row["total"]),
            "amount types": row["line_amount_types"],
            "lines": [
                (
                    line["description"],
                    line["quantity"],
                    line["unit_price"],
                    _cents(line["quantity"] * line["unit_price"]),
                    line["account_code"],
                    line["tax_type"],
                    [str(line["option_xero_id"])] if line["option_xero_id"] else [],
                    str(line["xero_line_id"]),
                )
                for line in self.lines(kind, row["id"])
            ],
        }


def as_in_xero(kind: str, record: Row) -> Row:
    """The same of a record of the sandbox's."""
    milliseconds = int(record["Date"][6:].split("+")[0].rstrip(")/"))
    return {
        "type": None if kind == "purchase_orders" else record["Type"],
        "number": record[PRICED[kind][3]],
        "contact": record["Contact"]["ContactID"],
        "date": datetime.fromtimestamp(milliseconds / 1000, UTC).date(),
        "status": record["Status"],
        "amounts": tuple(Decimal(str(record[name])) for name in ("SubTotal", "TotalTax", "Total")),
        "amount types": record["LineAmountTypes"],
        "lines": [
            (
                line["Description"],
                Decimal(str(line["Quantity"])),
                Decimal(str(line["UnitAmount"])),
                Decimal(str(line["LineAmount"])),
                line["AccountCode"],
                line["TaxType"],
                [option["TrackingOptionID"] for option in line["Tracking"]],
                line["LineItemID"],
            )
            for line in record["LineItems"]
        ],
    }


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
