"""What a user decides about people and contacts that may be the same. Nothing is sent to Xero."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from xero.pages.access import FieldsDep, Viewer, ViewerDep, reading, triggering
from xero.pages.database import SessionDep
from xero.pages.links.shown import dag_of, may_decide
from xero.pages.rendering import page, to
from xero.qicworks.connect import connections
from xero.qicworks.database import Session
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.links.undoing import Undoing

router = APIRouter()

UNREADABLE = "This address or form cannot be read. Go back, and reload the page."

THEN = {
    What.STAFF: "The next pull of staff brings what Xero has.",
    What.CONTACT: "Documents that failed without it are ready again.",
}


class Form:
    """What a user has sent, and may send."""

    def __init__(self, who: Viewer, session: Session, fields: Mapping[str, str]) -> None:
        """Raises HTTPException: they may not decide about it, or it cannot be read."""
        if not who.may_trigger_any(map(dag_of, What)):
            raise HTTPException(403, "This needs the right to pull staff or to push contacts.")
        self.fields = fields
        try:
            self.what = What(fields.get("what", ""))
            self.connection_id = self.id("connection")
        except ValueError:
            raise HTTPException(422, UNREADABLE) from None
        reading(who, dag_of(self.what))
        triggering(who, dag_of(self.what))
        self.desk = Undoing(session, connections.one(session, self.connection_id), who.name)

    def id(self, name: str) -> UUID:
        """Raises HTTPException: it is none."""
        try:
            return UUID(self.fields.get(name, ""))
        except ValueError:
            raise HTTPException(422, UNREADABLE) from None

    def pairs(self) -> tuple[list[tuple[UUID, UUID]], list[str]]:
        """What the page showed: pairs of QicWorks' id and Xero's, and what was seen of each.

        Raises HTTPException: it cannot be read, or is nothing.
        """
        try:
            parts = [part.split(":") for part in self.fields.get("pairs", "").split()]
            pairs = [(UUID(own), UUID(other)) for own, other, _ in parts]
        except ValueError:
            raise HTTPException(422, UNREADABLE) from None
        if not pairs:
            raise HTTPException(422, UNREADABLE)
        return pairs, [seen for _, _, seen in parts]


@contextmanager
def refusing() -> Iterator[None]:
    """What cannot be decided now is for the user."""
    try:
        yield
    except ValueError as refusal:
        raise HTTPException(409, str(refusal)) from None


@router.post("/links/link")
def link(request: Request, who: ViewerDep, session: SessionDep, fields: FieldsDep) -> Response:
    """One pair, or all that the page shows as likely: those that it showed, as it showed them."""
    form = Form(who, session, fields)
    pairs, seen = form.pairs()
    with refusing():
        form.desk.link(form.what, pairs, seen)
    return _back(
        request, form, f"{len(pairs)} linked. {THEN[form.what]}" if len(pairs) > 1 else f"Linked. {THEN[form.what]}"
    )


@router.post("/links/not-same")
def not_same(request: Request, who: ViewerDep, session: SessionDep, fields: FieldsDep) -> Response:
    form = Form(who, session, fields)
    pair = form.id("own_id"), form.id("xero_id")
    with refusing():
        form.desk.not_same(form.what, *pair)
    return _back(request, form, "Kept as not the same. They are not offered again.")


@router.post("/links/create")
def create(request: Request, who: ViewerDep, session: SessionDep, fields: FieldsDep) -> Response:
    """`id`: an employee's in Xero, or a contact's in QicWorks."""
    form = Form(who, session, fields)
    id = form.id("id")
    with refusing():
        form.desk.create(form.what, id)
    is_person = form.what is What.STAFF
    then = "The next pull of staff creates them in QicWorks." if is_person else "The next push creates it in Xero."
    return _back(request, form, then)


@router.get("/links/undo")
def ask(
    request: Request, who: ViewerDep, session: SessionDep, what: str = "", own_id: str = "", connection: str = ""
) -> Response:
    """What depends on a link, before it is undone."""
    try:
        kind, id, connection_id = What(what), UUID(own_id), UUID(connection)
    except ValueError:
        raise HTTPException(422, UNREADABLE) from None
    reading(who, dag_of(kind))
    one = connections.one(session, connection_id)
    hanging = Undoing(session, one, who.name).hanging(kind, id)
    link = waiting.link_of(session, one, kind, id)
    decides = may_decide(who, kind)
    return page(request, "unlink.html", who, chosen=one, link=link, hanging=hanging, may_decide=decides)


@router.post("/links/undo")
def undo(request: Request, who: ViewerDep, session: SessionDep, fields: FieldsDep) -> Response:
    form = Form(who, session, fields)
    own_id = form.id("own_id")
    with refusing():
        form.desk.undo(form.what, own_id, fields.get("seen", ""))
    return _back(request, form, "The link is undone. No pull or push makes it again by itself.")


def _back(request: Request, form: Form, said: str) -> Response:
    about = {"connection": str(form.connection_id), "search": form.fields.get("search", "")}
    return to(request, f"links?{urlencode({name: value for name, value in about.items() if value})}", [said])
