"""Xero's invoices and payments as bookkeepers change them, and what QicWorks should say of each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.world import World

Record = dict[str, Any]

DAY = 86_400.0

LONG_AGO = "2024-01-01T00:00:00Z"  # before all that the sandbox makes up

NO_LONGER = ("VOIDED", "DELETED")


def instant(said: str | None) -> datetime | None:
    if said is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(said[6:].split("+")[0].rstrip(")/")))


def exact(said: object) -> Decimal:
    return Decimal(str(said))


def is_of_an_invoice(payment: Record) -> bool:
    return (payment.get("Invoice") or {}).get("Type") in ("ACCREC", "ACCPAY")


def amounts(invoice: Record) -> Record:
    """What QicWorks' invoice is to say; None: whatever QicWorks said."""
    status, fully_paid = invoice["Status"], instant(invoice.get("FullyPaidOnDate"))
    due = exact(invoice["AmountDue"])
    return {
        "paid_to_date": exact(invoice["AmountPaid"]),
        "credited": exact(invoice["AmountCredited"]),
        "balance": due,
        "fully_paid_on": fully_paid.date() if fully_paid else None,
        "xero_status": status,
        "status": None if status in NO_LONGER else "Paid" if status == "PAID" or not due else "Un-paid",
    }


def payment(xero: Record, batches: set[str]) -> Record:
    paid_on, batch = instant(xero["Date"]), xero.get("BatchPaymentID")
    assert paid_on is not None
    return {
        "xero_id": xero["PaymentID"],
        "invoice_xero_id": xero["Invoice"]["InvoiceID"],
        "invoice_number": xero["Invoice"]["InvoiceNumber"] or None,
        "paid_on": paid_on.date(),
        "amount": exact(xero["Amount"]),
        "currency_rate": exact(xero["CurrencyRate"]),
        "reference": xero["Reference"] or None,
        "payment_type": xero["PaymentType"],
        "batch_payment_xero_id": batch if batch in batches else None,
        "account_xero_id": xero["Account"]["AccountID"],
        "is_reconciled": xero["IsReconciled"],
        "status": xero["Status"],
        "xero_updated_at": instant(xero["UpdatedDateUTC"]),
        "is_active": xero["Status"] == "AUTHORISED",
    }


class Books:
    """An organisation's invoices on both sides. Each night is a day later for Xero, so that no overlap helps."""

    def __init__(self, world: World, organisation: int = 0) -> None:
        self.world, self.organisation = world, organisation
        self.connection_id = world.connection_id(organisation)
        self.here = f"organisations/{world.sandbox.tenant(organisation)}"
        self.draft: Record = {}  # what further drafts are copies of
        self.strangers: dict[str, str] = {}  # somebody else's invoice and payment

    def truth(self, collection: str) -> dict[str, Record]:
        key = {"Invoices": "InvoiceID", "Payments": "PaymentID"}.get(collection, f"{collection[:-1]}ID")
        records = self.world.sandbox.truth(collection, self.organisation)
        records.sort(key=lambda record: (instant(record.get("UpdatedDateUTC")), record[key]))  # new ids are random
        return {record[key]: record for record in records}

    def invoice(self, key: str) -> Record:
        """As Xero has it."""
        return self.world.sandbox.record("Invoices", key, self.organisation)

    def ours(self) -> dict[str, Record]:
        """The invoices that QicWorks raised."""
        return {
            key: one for key, one in self.truth("Invoices").items() if (one["InvoiceNumber"] or "").startswith("IV-")
        }

    def open(self, number: int = 0) -> str:
        """A new invoice of QicWorks' numbers, ready for payments."""
        invoice = self.copy(f"IV-9{number:04d}")
        self.do("approve", invoice=invoice)
        return invoice

    def copy(self, number: str, **fields: Any) -> str:
        """Another draft of the amount of one that is there."""
        if not self.draft:
            kinds = {(one["Type"], one["Status"]): one for one in self.truth("Invoices").values()}
            gone = ("InvoiceID", "UpdatedDateUTC", "Url")
            self.draft = {name: value for name, value in kinds["ACCREC", "DRAFT"].items() if name not in gone}
        record = self.draft | {"InvoiceNumber": number} | fields
        return str(self.world.sandbox.control("POST", f"{self.here}/Invoices", record)["InvoiceID"])

    def raised(self, *invoices: str, pushed_at: str | None = LONG_AGO) -> None:
        """QicWorks knows these (all of its own, unless named) as pushed."""
        truth = {key: self.invoice(key) for key in invoices} or self.ours()
        for key in truth:
            self.world.query(
                "WITH raised AS (INSERT INTO qicworks.invoice (organisation_id, number, total, balance, status,"
                " push_state, xero_id, xero_status, pushed_at) SELECT organisation_id, %s, %s, %s, 'Un-paid', 'pushed',"
                " %s, 'DRAFT', %s FROM xero_sync.connection WHERE id = %s RETURNING id, xero_id, push_version)"
                " INSERT INTO xero_sync.link_before_seals SELECT raised.id, tenant_id, xero_id, push_version"
                " FROM raised CROSS JOIN xero_sync.connection WHERE connection.id = %s",
                *(truth[key]["InvoiceNumber"], truth[key]["Total"], truth[key]["Total"], key, pushed_at),
                *(self.connection_id, self.connection_id),
            )

    def do(self, act: str, **order: Any) -> dict[str, list[Record]]:
        changed: dict[str, list[Record]] = self.world.sandbox.control(
            "POST", f"{self.here}/bookkeeping", {"do": act, **order}
        )
        return changed

    def pay(self, invoice: str, amount: object = None, **how: Any) -> str:
        """Returns the payment's id."""
        order = {"invoice": invoice, **({"amount": str(amount)} if amount else {}), **how}
        return str(self.do("pay", **order)["Payments"][0]["PaymentID"])

    def later(self, seconds: float = DAY) -> None:
        now = self.world.sandbox.control("GET", "clock")["offset_seconds"]
        self.world.sandbox.control("PUT", "clock", {"offset_seconds": now + seconds})

    def others_go_on(self) -> None:
        """Somebody else's invoice and payment change: what QicWorks waits for is not the last thing that happened."""
        self.later(DAY / 2)
        if not self.strangers:
            theirs = self.truth("Invoices").keys() - self.ours().keys()
            paid = [one for one in self.truth("Payments").values() if is_of_an_invoice(one)]
            self.strangers = {
                "Invoices": next(
                    key for key, one in self.truth("Invoices").items() if key in theirs and one["Type"] == "ACCREC"
                ),
                "Payments": next(one["PaymentID"] for one in paid if one["Invoice"]["InvoiceID"] in theirs),
            }
        for collection, key in self.strangers.items():
            self.world.sandbox.control("POST", f"{self.here}/{collection}/touch", {"ids": [key], "rename": False})

    def night(self, others: bool = True, **how: Any) -> Record:
        """Half a day later something of others, then the pull: its outcome and the calls it made."""
        if others:
            self.others_go_on()
        self.later(DAY / 2)
        self.world.calls()
        outcome = self.world.pull("invoice_payments", self.organisation, **how)
        calls = self.world.calls()
        by_id = [call["path"].rpartition("/")[2] for call in calls if "/Invoices/" in call["path"]]
        return {"status": outcome.status, "message": self.world.event()["message"], "counts": outcome.counts,
                "calls": calls, "by_id": by_id}  # fmt: skip

    def week_is_over(self) -> None:
        """The next pull reads everything since the first push."""
        self.world.query("UPDATE xero_sync.cursor SET full_at = full_at - interval '7 days'")

    def invoices(self) -> dict[str, Record]:
        found = self.world.query(
            "SELECT invoice.*, invoice.xmin::text AS row_version FROM qicworks.invoice"
            " JOIN xero_sync.connection ON connection.organisation_id = invoice.organisation_id"
            " WHERE connection.id = %s AND xero_id IS NOT NULL",
            self.connection_id,
        )
        return {str(row["xero_id"]): row for row in found}

    def is_in_step(self, invoice: str) -> bool:
        held, wanted = self.invoices()[invoice], amounts(self.invoice(invoice))
        return all(held[name] == value for name, value in wanted.items() if (name, value) != ("status", None))

    def assert_in_step(self, *, deletions_told: bool = True) -> None:
        """Of every invoice of QicWorks the amounts, of every payment of anybody's invoice all fields."""
        truth, held = self.truth("Invoices"), self.invoices()
        assert held, "nothing was compared"
        for key, row in held.items():
            wanted = amounts(truth[key])
            wanted["status"] = wanted["status"] or row["status"]
            assert {name: row[name] for name in wanted} == wanted, truth[key]["InvoiceNumber"]
        batches = set(self.truth("BatchPayments"))
        paid = {key: one for key, one in self.truth("Payments").items() if is_of_an_invoice(one)}
        assert paid, "no payment was compared"
        rows = self.world.rows("invoice_payment", self.organisation)
        if not deletions_told:  # only QicWorks' invoices tell then; strangers' payments wait for the week's end
            ours = {key: one for key, one in paid.items() if one["Invoice"]["InvoiceID"] in held}
            paid = {key: one for key, one in ours.items() if one["Status"] == "AUTHORISED"}
            rows = {key: row for key, row in rows.items() if row["is_active"] and str(row["invoice_xero_id"]) in held}
        assert set(rows) == set(paid)
        for key, one in paid.items():
            wanted = payment(one, batches)
            row = {
                **rows[key],
                **{name: value and str(value) for name, value in rows[key].items() if name.endswith("xero_id")},
            }
            assert {name: row[name] for name in wanted} == wanted
            assert (row["invoice_id"] is not None) == (str(row["invoice_xero_id"]) in held)

    def versions(self) -> dict[str, str]:
        """Of all rows, to see which were written."""
        tables = [*(self.world.rows(table, self.organisation) for table in ("invoice_payment", "invoice_balance"))]
        return {f"{place} {key}": row["row_version"] for place, rows in enumerate([*tables, self.invoices()])
                for key, row in rows.items()}  # fmt: skip
