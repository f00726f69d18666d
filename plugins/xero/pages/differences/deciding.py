"""What a user decides about a difference: to acknowledge it for some days, or whose version stays."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import Response

from xero import dag_ids
from xero.documents.registry import KINDS
from xero.pages.access import Viewer, ViewerDep, triggering
from xero.pages.database import SessionDep
from xero.pages.differences.shown import dag_of, has_versions
from xero.pages.rendering import to
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.follow import differences, wording
from xero.qicworks.follow.differences import Difference
from xero.qicworks.follow.pushed_documents import PushedDocuments
from xero.qicworks.runs import events
from xero.qicworks.runs.events import DocumentName, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line
from xero.qicworks.views import differences as views

router = APIRouter()

MAX_ID = 2**63 - 1
DAYS = (7, 30)  # for which one can be acknowledged
SIDES = {"qicworks": "QicWorks'", "xero": "Xero's"}
MAX_NAME = 100  # characters of a document's name in a message
CHANGED = "This difference was changed or settled in the meantime. Reload the page."
READY = {
    "qicworks": "The next push overwrites Xero's, if Xero still allows it.",
    "xero": "The next push overwrites QicWorks' in these fields, and sends QicWorks' other edits.",
}
NOT_READY = (
    "Nothing is overwritten yet: in QicWorks the document is a draft, skipped, being sent or deleted. "
    "The choice applies when it is next pushed."
)
FILTERS = ("connection", "kind", "state")

DifferenceId = Annotated[int, Path(ge=1, le=MAX_ID)]


@router.post("/differences/{id}/acknowledge")
def acknowledge(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    id: DifferenceId,
    days: Annotated[int, Form()] = 0,
    seen: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Puts it off for so many days; 0: no longer. It stays open. `seen`: of the values that the user saw."""
    found = _to_decide(who, session, id)
    if days not in (0, *DAYS):
        raise HTTPException(422, f"A difference can be acknowledged for {' or '.join(map(str, DAYS))} days.")
    until = datetime.now(UTC) + timedelta(days=days) if days else None
    with session.transaction():
        if not differences.acknowledge(session, id, who.name, until, seen=seen):
            raise LookupError(CHANGED)
        said = f"acknowledged until {until:%-d %B %Y} by" if until else "no longer acknowledged, by"
        _record(session, found, f"{wording.TITLES[found.reason]}: {said} {who.name}")
    shown = f"is acknowledged until {until:%-d %B %Y}. It stays open" if until else "needs attention again"
    return to(request, _back(found, back), [f"{_name(found)} {shown}."])


@router.post("/differences/{id}/keep")
def keep(
    request: Request,
    who: ViewerDep,
    session: SessionDep,
    id: DifferenceId,
    side: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Chooses the side whose version stays; the next push carries it out. `seen`: of the values that the user saw."""
    found = _to_decide(who, session, id)
    if side not in SIDES:
        raise HTTPException(422, "Choose whose version to keep.")
    if not has_versions(found):
        raise HTTPException(409, "Only a document that was edited in Xero has two versions to choose from.")
    with session.transaction():
        if not differences.choose(session, id, who.name, side, seen=seen):
            raise LookupError(CHANGED)
        assert found.document_id, "only documents have versions"
        connection = connections.one(session, found.connection_id)
        documents = PushedDocuments(session, connection, KINDS[found.document_kind])
        is_ready = documents.push_again(found.document_id)
        _record(session, found, f"{wording.TITLES[found.reason]}: keep {SIDES[side]} version, chosen by {who.name}")
    shown = f"{SIDES[side]} version of {_name(found)} will be kept. {READY[side] if is_ready else NOT_READY}"
    return to(request, _back(found, back), [shown])


def _to_decide(who: Viewer, session: Session, id: int) -> Difference:
    """An open difference about which this user may decide."""
    if not who.may_trigger_any(sorted(dag_ids.on_pages())):
        raise HTTPException(403, "This needs the right to trigger the DAG that pushes the document.")
    found = views.get_open(session, id)
    dag = dag_of(found.document_kind)
    if dag is None:
        raise HTTPException(409, "Nothing pushes this type of document, so no one can decide about it here.")
    triggering(who, dag)
    return found


def _record(session: Session, found: Difference, message: str) -> None:
    """An event of the document; of a data set, one that does not count as its last run."""
    direction = Direction.PUSH if found.document_id and found.document_kind in KINDS else Direction.PULL
    about = found.connection_id, direction, found.document_kind, Status.SUCCESS, EventOutcome.DONE
    named = DocumentName(found.label, found.document_kind, found.document_id)
    events.record(session, *about, on_a_line(message), Origin(), document=named)


def _name(found: Difference) -> str:
    """Short enough for a message at the top of a page."""
    return fit(on_a_line(found.label), MAX_NAME)


def _back(found: Difference, said: str) -> str:
    """The page that the form was on: that of the document, or the list with its filter."""
    if said == "document" and found.document_id and found.document_kind in KINDS:
        return f"documents/{found.document_kind}/{found.document_id}"
    kept = [(name, value) for name, value in parse_qsl(said) if name in FILTERS]
    return f"differences?{urlencode(kept)}"
