"""A difference as a user may see it, and whether they may decide about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from xero.dag_ids import pull_dag_of, push_dag_of
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.pages.access import Viewer
from xero.qicworks.database import Session
from xero.qicworks.follow import wording
from xero.qicworks.follow.differences import Difference, Reason
from xero.qicworks.views import differences as views
from xero.qicworks.views import document_list


@dataclass(frozen=True)
class Shown:
    """A difference as this user may see it. `sides` None: only others may see the values."""

    difference: Difference
    label: str
    badge: str
    title: str  # of its kind
    sides: list[tuple[str, str | None, str | None]] | None
    correction: str
    acknowledged: bool
    settled_how: str
    path: str | None  # of the document's page, below /xero
    may_decide: bool
    may_keep: bool  # one of the sides


def dag_of(kind: str) -> str | None:
    """The DAG that pushes that kind of document, or pulls that data set."""
    if kind in KINDS and kind not in DATASETS:  # of contacts only the data set has differences
        return push_dag_of(kind)
    return pull_dag_of(kind) if kind in DATASETS else None


def visible(who: Viewer) -> list[str] | None:
    """The kinds and data sets whose differences this user may see; None: all."""
    return None if who.event_scope is None else [*who.kinds, *who.data_sets]


def show_each(who: Viewer, session: Session, found: Sequence[Difference]) -> list[Shown]:
    kinds = {one.document_kind for one in found}
    deciding = {kind: _may_decide(who, kind) for kind in kinds}
    seeing = {kind: who.may_edit or deciding[kind] or not views.is_private(kind) for kind in kinds}
    pages = _pages(session, found)
    return [_shown(one, seeing[one.document_kind], deciding[one.document_kind], pages.get(one.id)) for one in found]


def _shown(one: Difference, sees: bool, decides: bool, path: str | None) -> Shown:
    title = views.title_of(one.document_kind)
    subject = f": {one.subject}" if one.subject else ""
    return Shown(
        difference=one,
        label=f"{one.label}{subject}" if sees else title,
        badge=wording.TITLES[one.reason],
        title=title,
        sides=list(views.sides(one)) if sees else None,
        correction=wording.say(one, one.document_kind)[1],
        acknowledged=one.is_acknowledged(datetime.now(UTC)),
        settled_how=wording.SETTLED[one.settled_how] if one.settled_how else "",
        path=path,
        may_decide=decides and one.settled_at is None,
        may_keep=decides and one.settled_at is None and has_versions(one),
    )


def has_versions(one: Difference) -> bool:
    """Whether one version can be written over the other: pay and leave are corrected by hand."""
    kind = KINDS.get(one.document_kind)
    return one.reason is Reason.EDITED_IN_XERO and kind is not None and not kind.payroll


def _pages(session: Session, found: Sequence[Difference]) -> dict[int, str]:
    """Difference → the page of its document, if there still is that document."""
    paths: dict[int, str] = {}
    for name, kind in KINDS.items():
        of_kind = {one.id: one.document_id for one in found if one.document_kind == name and one.document_id}
        if of_kind:
            there = {row["id"] for row in document_list.some(session, kind, list(set(of_kind.values())))}
            paths |= {id: f"documents/{name}/{document}" for id, document in of_kind.items() if document in there}
    return paths


def _may_decide(who: Viewer, kind: str) -> bool:
    dag = dag_of(kind)
    return dag is not None and who.may_trigger(dag)
