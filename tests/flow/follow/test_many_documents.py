"""Many documents that were pushed, of which a few changed in Xero. `MANY_DOCUMENTS=10000` for more of them."""

import os
import time
from uuid import UUID

from tests.support.followed import ACTS, differing, sweep
from tests.support.pushing import PRICED, Books

MANY = int(os.environ.get("MANY_DOCUMENTS", "1000"))  # of all kinds together
KINDS = ("invoices", "bills", "purchase_orders", "credit_notes")


def test_a_sweep_reads_what_changed_and_writes_no_other_row(books: Books) -> None:
    began = time.monotonic()
    for kind in KINDS:
        books.add_many(kind, MANY // len(KINDS))
        books.push(kind)
    print(f"pushed after {time.monotonic() - began:.0f} s")
    books.pass_time(1200)
    for kind in KINDS:  # the next sweep then starts from here, and not two minutes before the last of the others
        books.add(kind)
        books.push(kind)
    sweep(books)
    print(f"first sweep after {time.monotonic() - began:.0f} s")
    assert differing(books) == []
    changed: dict[str, set[UUID]] = {}
    for kind in KINDS:
        rows = books.rows(kind)[::100]
        changed[kind] = {row["id"] for row in rows}
        for nth, row in enumerate(rows):
            act = "delete" if nth % 2 else "approve"
            books.bookkeep(act, **{ACTS[kind]: str(row["xero_id"])})
    before = {kind: versions(books, kind) for kind in KINDS}
    books.world.calls()
    began = time.monotonic()
    sweep(books)
    calls = books.world.calls()
    print(f"second sweep: {time.monotonic() - began:.1f} s, {len(calls)} calls")
    assert len(calls) <= 12
    for kind in KINDS:
        after = versions(books, kind)
        assert {id for id in after if after[id] != before[kind][id]} == changed[kind]
    assert len(differing(books)) == sum(len(ids) // 2 for ids in changed.values())
    before = {kind: versions(books, kind) for kind in KINDS}
    books.world.calls()
    assert sweep(books).message == "nothing changed"
    assert len(books.world.calls()) <= 5
    assert {kind: versions(books, kind) for kind in KINDS} == before


def versions(books: Books, kind: str) -> dict[UUID, tuple[str, ...]]:
    """Which rows were written: of the documents, of the records that they are in Xero, and that both were compared."""
    table = PRICED[kind][0]
    records = {"bill": "invoice"}.get(table, table) + "_record"
    return {
        row["id"]: (row["own"], row["record"], row["followed"])
        for row in books.world.query(
            "SELECT document.id, document.ctid::text AS own, record.ctid::text AS record,"
            "       followed.ctid::text AS followed"
            f"  FROM qicworks.{table} AS document JOIN qicworks.{records} AS record USING (xero_id)"
            "  JOIN xero_sync.followed_document AS followed ON followed.document_id = document.id"
        )
    }
