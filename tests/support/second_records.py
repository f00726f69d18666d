"""Second records in Xero of documents that are there already."""

from typing import Any
from uuid import UUID

from tests.support.followed import ACTS
from tests.support.pushing import PRICED, Books

IDS = ("LineItemID",)


def copied(books: Books, kind: str, document: UUID, *, url: bool = False, **fields: Any) -> UUID:
    """Another record of the document in Xero, with its number; `url`: it has our address. `fields`: not as in the first
    one. Its id."""
    _, collection, key, _, _ = PRICED[kind]
    xero_id = str(books.row(kind, document)["xero_id"])
    made = dict(books.world.sandbox.record(collection, xero_id, books.organisation))
    for name in (key, "UpdatedDateUTC", *(() if url else ("Url",))):
        made.pop(name, None)
    made["LineItems"] = [{name: line[name] for name in line if name not in IDS} for line in made["LineItems"]]
    path = f"organisations/{books.world.sandbox.tenant(books.organisation)}/{collection}"
    return UUID(books.world.sandbox.control("POST", path, {**made, "Status": "DRAFT", **fields})[key])


def taken_out(books: Books, kind: str, record: UUID) -> None:
    """A bookkeeper deletes the record in Xero."""
    books.bookkeep("delete", **{ACTS[kind]: str(record)})
