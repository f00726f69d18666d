"""Plants differences between QicWorks and Xero in the first organisation, as the users of both would make them.

So Differences and the tie-out show something. What becomes of each document is in `EXPECTED`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from demo.colleagues import Colleagues
from demo.documents import CONNECTED_ORGANISATIONS, Desk
from demo.place import DemoError, Place
from demo.samples import CALL_OUT, HIRE, LABOUR, PARTS, Sample

DAYS_AGO = 3  # when all of them were issued, and nothing else: the tie-out of that day is of these alone
ORDER = {"attention_to": "Site office", "status": "Issued"}

VOIDED = Sample("invoice", "IV-8001", "000061 Bathroom, unit 4", "customer 0", (LABOUR,), days_ago=DAYS_AGO)
EDITED = Sample("bill", "TI-8001", "000061 Bathroom, unit 4", "supplier 0", (PARTS,), days_ago=DAYS_AGO)
PAID = Sample("bill", "TI-8002", "000061 Bathroom, unit 4", "supplier 1", (HIRE,), days_ago=DAYS_AGO)
CANCELLED = Sample("purchase_order", "PQ-8001", "", "supplier 1", (PARTS,), days_ago=DAYS_AGO, columns=ORDER)
EDITED_HERE = Sample("invoice", "IV-8002", "000062 Taps", "customer 1", (CALL_OUT,), "Inclusive", days_ago=DAYS_AGO)
PLANTED = (VOIDED, EDITED, PAID, CANCELLED, EDITED_HERE)

#: number → reason of its difference; None: it follows, and is equal
EXPECTED = {
    VOIDED.number: "voided_in_xero",
    EDITED.number: "edited_in_xero",
    PAID.number: None,
    CANCELLED.number: "cancelled_in_qicworks",
    EDITED_HERE.number: "approved_in_xero",
}
#: In Xero: sample → what a bookkeeper does with it, one after the other.
IN_XERO: dict[str, tuple[dict[str, Any], ...]] = {
    VOIDED.number: ({"do": "approve"}, {"do": "void"}),
    EDITED.number: ({"do": "edit", "fields": {"DueDate": "2027-01-31"}},),
    PAID.number: ({"do": "approve"}, {"do": "pay"}),
    CANCELLED.number: ({"do": "approve"},),
    EDITED_HERE.number: ({"do": "approve"},),
}
WORDS = {"invoice": "invoice", "bill": "invoice", "purchase_order": "purchase_order"}  # for the record, in an order
PUSHES = ("push_invoices", "push_purchase_orders")  # what has to run again
WAITING = SQL("SELECT id FROM qicworks.{table} WHERE id = %s AND push_state IN ('ready', 'in_flight')")
XERO_ID = SQL("SELECT xero_id FROM qicworks.{table} WHERE id = %s")
#: In QicWorks, after that.
EDIT = "UPDATE qicworks.invoice SET due_date = due_date + 30 WHERE id = %s"
CANCEL = "UPDATE qicworks.purchase_order SET status = 'Archived' WHERE id = %s"


@dataclass(frozen=True)
class Plot:
    """Where they are planted: the organisation, and the ids of the documents by number. `is_new`: written just now."""

    organisation: str
    tenant: str
    ids: dict[str, UUID]
    is_new: bool


def issued() -> date:
    return datetime.now(UTC).date() - timedelta(DAYS_AGO)


def add(place: Place, *, recreate: bool) -> Plot:
    """Writes them into QicWorks, ready to be pushed. Existing ones stay, unless `recreate`."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as others:
        organisation = connection.execute(CONNECTED_ORGANISATIONS).fetchall()[0]
        desk = Desk(connection, organisation, others)
        desk.samples = {desk.id_of(sample): sample for sample in PLANTED}
        if recreate:
            desk.delete()
        is_new = not desk.numbers()
        if is_new:
            for id, sample in desk.samples.items():
                desk.write(sample, id, sample.number)
        ids = {sample.number: id for id, sample in desk.samples.items()}
        return Plot(organisation["name"], organisation["tenant_id"], ids, is_new)


def plant(place: Place, plot: Plot) -> None:
    """Changes them on both sides, after they were pushed. `PUSHES` have to run afterwards."""
    with psycopg.connect(f"{place.postgres}/qicworks", row_factory=dict_row) as connection, Colleagues(place) as others:
        for sample in PLANTED:
            query = XERO_ID.format(table=Identifier(sample.table))
            row = connection.execute(query, [plot.ids[sample.number]]).fetchone()
            if not (row and row["xero_id"]):
                raise DemoError(f"{sample.table} {sample.number} of {plot.organisation} was not pushed.")
            for order in IN_XERO[sample.number]:
                others.keep_books(plot.tenant, {**order, WORDS[sample.table]: str(row["xero_id"])})
        connection.execute(EDIT, [plot.ids[EDITED_HERE.number]])
        connection.execute(CANCEL, [plot.ids[CANCELLED.number]])


def waits(place: Place, plot: Plot) -> bool:
    """Whether one of them was changed after the pushes had chosen what they send: then they have to run again."""
    with psycopg.connect(f"{place.postgres}/qicworks") as connection:
        return any(
            connection.execute(WAITING.format(table=Identifier(one.table)), [plot.ids[one.number]]).fetchone()
            for one in PLANTED
        )
