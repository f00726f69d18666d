"""Writes the sample documents into QicWorks' tables, using the contacts, accounts, tax codes and tracking pulled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier, Placeholder

from demo import small_files
from demo.colleagues import Colleagues
from demo.place import Place
from demo.samples import LOCKED, SOUND, Line, Sample
from demo.wrong_samples import GONE_ACCOUNT, WRONG

Connection = psycopg.Connection[dict[str, Any]]
CENT = Decimal("0.01")
TABLES = ("invoice", "bill", "expense", "credit_note", "purchase_order")

CONNECTED_ORGANISATIONS = """
    SELECT connection.id AS connection_id, connection.tenant_id, organisation.id, organisation.name,
           organisation.period_lock_date
      FROM xero_sync.connection JOIN qicworks.organisation ON organisation.id = connection.organisation_id
      JOIN xero_sync.token ON token.id = connection.token_id AND token.airflow_conn_id = 'xero_default'
     WHERE connection.enabled AND connection.state = 'connected' ORDER BY organisation.name
"""
# The nth contact with an email; the last of the active ones is the one that will be archived.
CONTACT = SQL(
    """
    SELECT id, xero_id FROM qicworks.contact
     WHERE (connection_id = %(connection_id)s) = (%(who)s <> 'stranger')
       AND is_active = (%(who)s NOT IN ('archived', 'merged'))
       AND (merged_to_xero_id IS NOT NULL) = (%(who)s = 'merged')
       AND (email IS NOT NULL OR NOT is_active)
       AND (%(who)s <> 'customer' OR is_customer) AND (%(who)s <> 'supplier' OR is_supplier)
     ORDER BY CASE WHEN %(who)s = 'gone' THEN xero_id END DESC, xero_id LIMIT 1 OFFSET %(nth)s
    """
)
ACCOUNT = SQL("SELECT id FROM qicworks.account WHERE connection_id = %(connection_id)s AND code = %(code)s")
TAX_CODE = SQL("SELECT id, rate FROM qicworks.tax_code WHERE connection_id = %(connection_id)s AND tax_type = %(type)s")
DEPARTMENT = SQL("SELECT id FROM qicworks.tracking_option WHERE connection_id = %(connection_id)s AND name = %(name)s")
NUMBERS = SQL("SELECT id, number FROM qicworks.{table} WHERE id = ANY(%(ids)s)")
DELETE_SAMPLES = (
    SQL("DELETE FROM qicworks.document_line WHERE parent_id = ANY(%(ids)s)"),
    SQL("DELETE FROM qicworks.attachment WHERE parent_id = ANY(%(ids)s)"),
    *(SQL("DELETE FROM qicworks.{} WHERE id = ANY(%(ids)s)").format(Identifier(table)) for table in TABLES),
    SQL("UPDATE xero_sync.push_request SET closed_at = now(), body = NULL WHERE closed_at IS NULL"),
)


@dataclass(frozen=True)
class Placed:
    """A sample in QicWorks: its id, number and organisation."""

    sample: Sample
    id: UUID
    number: str
    organisation: str
    tenant: str

    @property
    def name(self) -> str:
        return f"{self.sample.table.replace('_', ' ')} {self.number or self.id}"


def add(place: Place, *, recreate: bool = False) -> list[Placed]:
    """Writes all samples for every organisation of the custom connection. Existing ones stay, unless `recreate`."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as others:
        desks = [Desk(connection, one, others) for one in connection.execute(CONNECTED_ORGANISATIONS).fetchall()]
        return [placed for desk in desks for placed in desk.place_all(recreate)]


class Desk:
    """Writes the documents of one organisation."""

    def __init__(self, connection: Connection, organisation: Mapping[str, Any], colleagues: Colleagues) -> None:
        self.connection = connection
        self.organisation = organisation
        self.colleagues = colleagues
        samples = (*SOUND, *WRONG)
        self.samples = {self.id_of(sample): sample for sample in samples}
        assert len(self.samples) == len(samples), "two samples are the same document"

    def id_of(self, sample: Sample) -> UUID:
        """A fixed id per sample and organisation."""
        return uuid5(self.organisation["id"], f"{sample.table} {sample.number} {sample.contact}")

    def place_all(self, recreate: bool) -> list[Placed]:
        if recreate:
            self.delete()
        numbers = self.numbers()
        if not numbers:
            self.write_all()
            numbers = self.numbers()
        name, tenant = self.organisation["name"], self.organisation["tenant_id"]
        return [Placed(sample, id, numbers[id], name, tenant) for id, sample in self.samples.items()]

    def delete(self) -> None:
        """Deletes the samples, and closes the requests that were left open."""
        for statement in DELETE_SAMPLES:
            self.connection.execute(statement, {"ids": list(self.samples)})

    def numbers(self) -> dict[UUID, str]:
        """Id → number of the samples that exist already."""
        ids = {"ids": list(self.samples)}
        queries = [NUMBERS.format(table=Identifier(table)) for table in TABLES]
        found = [row for query in queries for row in self.connection.execute(query, ids)]
        return {row["id"]: row["number"] for row in found}

    def write_all(self) -> None:
        tenant = self.organisation["tenant_id"]
        whose = [self.contact(f"{who} {nth}") for who in ("customer", "supplier") for nth in range(4)]
        there = self.colleagues.numbers(tenant, {str(contact["xero_id"]) for contact in whose if contact})
        for id, sample in self.samples.items():
            self.write(sample, id, sample.number.format_map(there))
        # Archived only now, so that QicWorks does not know of it.
        gone = self.contact("gone 0")
        assert gone
        self.colleagues.archive_contact(tenant, str(gone["xero_id"]))
        self.colleagues.archive_account(tenant, GONE_ACCOUNT)

    def write(self, sample: Sample, id: UUID, number: str) -> None:
        issued = self.issued(sample)
        lines = [self.line(sample, line) for line in sample.lines]
        net, tax = self.sums(sample, lines)
        job_number, _, job_name = sample.job.partition(" ")
        columns: dict[str, Any] = {
            "id": id,
            "organisation_id": self.organisation["id"],
            "number": number,
            "job_number": job_number or None,
            "job_name": job_name or None,
            "contact_id": self.id(self.contact(sample.contact)) if sample.contact else None,
            "issue_date": issued,
            "due_date": issued and sample.days_to_pay and issued + timedelta(sample.days_to_pay),
            "line_amount_types": sample.line_amount_types,
            "sub_total": net,
            "total_tax": tax,
            "total": net + tax,
            "push_state": "draft",  # until all its parts are there
            **({"balance": net + tax, "status": "Un-paid"} if sample.table == "invoice" else {}),
            **({"delivery_date": issued and issued + timedelta(7)} if sample.table == "purchase_order" else {}),
            **sample.columns,
        }
        self.insert(sample.table, columns)
        for line_number, line in enumerate(lines, 1):
            kept = {name: value for name, value in line.items() if not name.startswith("_")}
            parent = {"parent_type": sample.table, "parent_id": id, "line_number": line_number}
            self.insert("document_line", {**parent, **kept})
        for name in sample.files:
            mime_type, content = small_files.made(name)
            parent = {"parent_type": sample.table, "parent_id": id, "organisation_id": self.organisation["id"]}
            file = {"file_name": name, "mime_type": mime_type, "content": content}
            self.insert("attachment", {**parent, **file, "include_online": sample.table == "invoice"})
        self.connection.execute(
            SQL("UPDATE qicworks.{} SET push_state = %s WHERE id = %s").format(Identifier(sample.table)),
            (sample.push_state, id),
        )

    def issued(self, sample: Sample) -> date | None:
        if sample.days_ago is None:
            return None
        today = datetime.now(UTC).date()
        if sample.days_ago == LOCKED:
            return self.organisation["period_lock_date"] or today
        return today - timedelta(sample.days_ago)

    def line(self, sample: Sample, line: Line) -> dict[str, Any]:
        """Columns of document_line, and `_amount` for the totals."""
        amount = cents(Decimal(line.quantity) * Decimal(line.unit_price))
        tax = self.one(TAX_CODE, type=line.tax)
        percent = (tax or {}).get("rate") or Decimal()
        taxed = {
            "Exclusive": amount * percent / 100,
            "Inclusive": amount * percent / (100 + percent),
            "NoTax": Decimal(),
        }[sample.line_amount_types]
        departments = [self.id(self.one(DEPARTMENT, name=name)) for name in line.departments] + [None, None]
        return {
            "description": line.description,
            "quantity": Decimal(line.quantity),
            "unit": "h" if (line.description or "").startswith("Labour") else "ea",
            "unit_price": Decimal(line.unit_price),
            "line_total": Decimal(line.line_total) if line.line_total else amount,
            "tax_amount": cents(taxed) if abs(taxed) < 10**15 else Decimal(),
            "account_id": self.id(self.one(ACCOUNT, code=line.account)),
            "tax_code_id": self.id(tax),
            "tracking_option_id": departments[0],
            "second_tracking_option_id": departments[1],
            "_amount": amount,
        }

    def sums(self, sample: Sample, lines: list[dict[str, Any]]) -> tuple[Decimal, Decimal]:
        """Net and tax of the document: the tax of each line is rounded to the cent, then summed."""
        amount = sum((line["_amount"] for line in lines), Decimal())
        tax = sum((line["tax_amount"] for line in lines), Decimal())
        return (amount - tax if sample.line_amount_types == "Inclusive" else amount), tax

    def contact(self, which: str) -> dict[str, Any] | None:
        who, _, nth = which.partition(" ")
        return self.one(CONTACT, who=who, nth=int(nth))

    def one(self, query: SQL, **values: Any) -> dict[str, Any] | None:
        """The first row of this organisation that the query finds."""
        return self.connection.execute(
            query, {"connection_id": self.organisation["connection_id"], **values}
        ).fetchone()

    def id(self, row: Mapping[str, Any] | None) -> UUID | None:
        return row["id"] if row else None

    def insert(self, table: str, columns: Mapping[str, Any]) -> None:
        statement = SQL("INSERT INTO qicworks.{} ({}) VALUES ({})").format(
            Identifier(table), SQL(", ").join(map(Identifier, columns)), SQL(", ").join(map(Placeholder, columns))
        )
        self.connection.execute(statement, columns)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
