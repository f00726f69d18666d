"""The keys that document links, and what was last pushed, are sealed with.

No link is changed: rotating adds one sealed with the new key. Of what was last pushed the seal is replaced.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from xero.qicworks import sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("token_keys")
BATCH_SIZE = 1000  # documents

KeysOf = Callable[[str], Sequence[bytes]]  # of an app, newest first


def needed(session: Session, keys_of: KeysOf) -> Counter[tuple[str, bytes]]:
    """Counts the links by the newest key of their app that opens them. Links that no key opens do not count."""
    return Counter(
        (row["airflow_conn_id"], keys_of(row["airflow_conn_id"])[place]) for row, place in _by_key(session, keys_of)
    )


def rotate(session: Session, keys_of: KeysOf) -> int:
    """Seals all links, and what was last pushed, with the newest key. Returns how many links were not yet."""
    old = [row for row, place in _by_key(session, keys_of) if place]
    for start in range(0, len(old), BATCH_SIZE):
        rows = old[start : start + BATCH_SIZE]
        seals = [_reseal(keys_of(row["airflow_conn_id"]), row["seal"]) for row in rows]
        names = ("document_id", "connection_id", "xero_id", "version")
        columns = {f"{name}s": [row[name] for row in rows] for name in names}
        QUERIES.add_links(session, **columns, seals=seals)
    _rotate_contents(session, keys_of)
    return len(old)


def _rotate_contents(session: Session, keys_of: KeysOf) -> None:
    after: UUID | None = None
    while rows := list(QUERIES.contents(session, after=after, documents=BATCH_SIZE)):
        after = rows[-1]["document_id"]
        old = [row for row in rows if _place(keys_of(row["airflow_conn_id"]), row["seal"])]
        QUERIES.store_contents(
            session,
            ids=[row["document_id"] for row in old],
            befores=[row["seal"] for row in old],
            seals=[_reseal(keys_of(row["airflow_conn_id"]), row["seal"]) for row in old],
        )


def _by_key(session: Session, keys_of: KeysOf) -> Iterator[tuple[dict[str, Any], int]]:
    """Yields each link once, with the position of the newest key that opens it."""
    after: UUID | None = None
    while rows := list(QUERIES.links(session, after=after, documents=BATCH_SIZE)):
        after = rows[-1]["document_id"]
        for _, alike in groupby(rows, key=lambda row: (row["document_id"], row["xero_id"], row["version"])):
            opened = [
                (place, row)
                for row in alike
                if (place := _place(keys_of(row["airflow_conn_id"]), row["seal"])) is not None
            ]
            if opened:
                place, row = min(opened, key=lambda one: one[0])
                yield row, place


def _place(keys: Sequence[bytes], seal: bytes) -> int | None:
    for place, key in enumerate(keys):
        try:
            Fernet(key).decrypt(bytes(seal))
        except InvalidToken:
            continue
        return place
    return None


def _reseal(keys: Sequence[bytes], seal: bytes) -> bytes:
    return MultiFernet([Fernet(key) for key in keys]).rotate(bytes(seal))
