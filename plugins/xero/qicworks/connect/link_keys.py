"""The keys that document links, what was last pushed, and open requests are sealed with.

No link is changed: rotating adds one sealed with the new key. Of the others the seal is replaced.
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
    """Counts all three by the newest key of their app that opens them. What no key opens does not count."""
    found = Counter(
        (row["airflow_conn_id"], keys_of(row["airflow_conn_id"])[place]) for row, place in _by_key(session, keys_of)
    )
    for rows in (*_contents(session), list(QUERIES.requests(session))):
        for row in rows:
            keys = keys_of(row["airflow_conn_id"])
            if (place := _place(keys, row["seal"])) is not None:
                found[row["airflow_conn_id"], keys[place]] += 1
    return found


def rotate(session: Session, keys_of: KeysOf) -> int:
    """Seals all three with the newest key. Returns how many links were not yet."""
    old = [row for row, place in _by_key(session, keys_of) if place]
    for start in range(0, len(old), BATCH_SIZE):
        rows = old[start : start + BATCH_SIZE]
        seals = [_reseal(keys_of(row["airflow_conn_id"]), row["seal"]) for row in rows]
        names = ("document_id", "connection_id", "xero_id", "version")
        columns = {f"{name}s": [row[name] for row in rows] for name in names}
        QUERIES.add_links(session, **columns, seals=seals)
    for contents in _contents(session):
        QUERIES.store_contents(session, **_resealed(contents, "document_id", keys_of))
    QUERIES.store_requests(session, **_resealed(list(QUERIES.requests(session)), "id", keys_of))
    return len(old)


def _resealed(rows: Sequence[dict[str, Any]], id_column: str, keys_of: KeysOf) -> dict[str, list[Any]]:
    """Of those that an older key sealed: ids, and the seal of each before and after."""
    old = [row for row in rows if _place(keys_of(row["airflow_conn_id"]), row["seal"])]
    return {
        "ids": [row[id_column] for row in old],
        "befores": [row["seal"] for row in old],
        "seals": [_reseal(keys_of(row["airflow_conn_id"]), row["seal"]) for row in old],
    }


def _contents(session: Session) -> Iterator[list[dict[str, Any]]]:
    """Yields the seals of what was last pushed, some documents at a time."""
    after: UUID | None = None
    while rows := list(QUERIES.contents(session, after=after, documents=BATCH_SIZE)):
        after = rows[-1]["document_id"]
        yield rows


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
