"""Differences between QicWorks and Xero as a user looks for them: page by page, by organisation, of one document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import Difference

QUERIES = sql.Statements("pages/differences")


def title_of(kind: str) -> str:
    """What a user calls documents of that kind, or that data set."""
    found = DATASETS.get(kind) or KINDS.get(kind)
    return found.title if found else kind.replace("_", " ").capitalize()


def is_private(kind: str) -> bool:
    """Whether the values may be someone's pay or leave. Of an unknown kind they may be."""
    named = [one for one in (KINDS.get(kind), DATASETS.get(kind)) if one]
    return not named or any(one.payroll for one in named)


def sides(difference: Difference) -> Iterator[tuple[str, str | None, str | None]]:
    """Each field, and its value in QicWorks and in Xero; None: that side has none."""
    for name in dict.fromkeys((*difference.ours, *difference.theirs)):
        yield name, difference.ours.get(name), difference.theirs.get(name)


def page(
    session: Session,
    *,
    settled: bool = False,
    connection_id: UUID | None = None,
    kinds: Sequence[str] | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[list[Difference], int | None]:
    """The next ones before that id, newest first, and the id where they end, None if there are no more."""
    asked = {"settled": settled, "connection_id": connection_id, "kinds": kinds, "before": before}
    found = [differences.of_row(row) for row in QUERIES.newest(session, **asked, limit=limit + 1)]
    return (found, None) if len(found) <= limit else (found[:limit], found[limit - 1].id)


def get_open(session: Session, id: int) -> Difference:
    """Raises LookupError if it is not open."""
    if (row := QUERIES.get(session, id=id)) is None:
        raise LookupError("This difference was changed or settled in the meantime. Reload the page.")
    return differences.of_row(row)


def of_document(session: Session, kind: str, id: UUID) -> tuple[list[Difference], list[Difference]]:
    """Its open ones, and those that are settled, the latest first."""
    about: dict[str, Any] = {"documents": [id], "kinds": [kind]}
    settled = [one for one in differences.listed(session, only_open=False, **about) if one.settled_at]
    return differences.listed(session, **about), sorted(settled, key=lambda one: one.id, reverse=True)


def by_organisation(session: Session, kinds: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """connection_id, organisation, kind, open (without those that are put off), acknowledged (put off), since."""
    return list(QUERIES.by_organisation(session, kinds=kinds))


def list_kinds(session: Session, kinds: Sequence[str] | None = None) -> list[str]:
    """The kinds and data sets that have, or had, differences."""
    return [row["document_kind"] for row in QUERIES.kinds(session, kinds=kinds)]
