"""xero-python 15.2.0 in the loop that people write to send invoices: sends those of the file INVOICES once.

The file is a JSON list of {number, contact_id, date, due_date, lines}, all of TYPE (ACCREC or ACCPAY). One call per
document, or one per BATCH (summarize_errors=False), and a table of sent documents, which the next run skips. No
Idempotency-Key, which is the SDK's default. Nothing is patched. On a 429 the SDK's urllib3 retries as in `pull.py`,
because create_invoices is a PUT. It also retries if the connection breaks before the response, although Xero may have
saved the document.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from connect import accounting
from xero_python.accounting import Contact, Invoice, Invoices, LineItem

TABLE = "CREATE TABLE IF NOT EXISTS pushed (number text PRIMARY KEY, invoice_id text)"


def invoice(document: dict[str, Any]) -> Invoice:
    """A draft invoice. The fields of its lines have the SDK's names."""
    return Invoice(
        type=os.environ["TYPE"],
        status="DRAFT",
        invoice_number=document["number"],
        contact=Contact(contact_id=document["contact_id"]),
        date=date.fromisoformat(document["date"]),
        due_date=date.fromisoformat(document["due_date"]),
        line_items=[LineItem(**line) for line in document["lines"]],
    )


def batches(documents: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(documents), size):
        yield documents[start : start + size]


def push(connection: psycopg.Connection[Any], documents: list[dict[str, Any]], size: int) -> int:
    """Returns how many Xero refused; the SDK raises for a document that was sent alone."""
    api, refused = accounting(), 0
    options = {"summarize_errors": False} if size > 1 else {}
    for batch in batches(documents, size):
        body = Invoices(invoices=[invoice(document) for document in batch])
        answer = api.create_invoices(os.environ["TENANT_ID"], body, **options)
        for document, created in zip(batch, answer.invoices, strict=True):
            if created.has_errors:
                refused += 1
                continue
            connection.execute("INSERT INTO pushed VALUES (%s, %s)", (document["number"], created.invoice_id))
        connection.commit()
    return refused


if __name__ == "__main__":
    documents = json.loads(Path(os.environ["INVOICES"]).read_text())
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(TABLE)
        connection.commit()
        there = {number for (number,) in connection.execute("SELECT number FROM pushed")}
        waiting = [document for document in documents if document["number"] not in there]
        refused = push(connection, waiting, int(os.environ.get("BATCH", "1")))
    sys.exit(f"{refused} of {len(waiting)} were refused" if refused else 0)
