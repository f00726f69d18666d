"""Undoes what a person decided about a document that may be in Xero already. Nothing in Xero is touched."""

from __future__ import annotations

from uuid import UUID

from xero.documents.declaration import PricedKind
from xero.qicworks import sql
from xero.qicworks.connect import connections
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import OF_CONTENT, About, Reason, Settled
from xero.qicworks.push.adopting.decisions import IN_FLIGHT, LONGEST_NAME, Undoable, note
from xero.qicworks.push.adopting.twins import Decision, run
from xero.qicworks.push.links import NOTHING, Links
from xero.qicworks.texts import fit, on_a_line

QUERIES = sql.Statements("push/adopting")

UNDONE = "not sent: {} undid that it is the record {} in Xero"
CORRECTION = "Push again: the record is offered again if Xero still has it, and the {} is created if not."
FORGOTTEN = (*OF_CONTENT, Reason.PAID_DIFFERS, Reason.CANCELLED_IN_QICWORKS)


def hangs_on_it(session: Session, kind: PricedKind, id: UUID) -> list[str]:
    """What an undoing takes away with a link, in words: what was followed of the record, and files that were sent."""
    [row] = run(session, kind, "paid_of", id=id)
    amounts = (("payments", row["paid"]), ("credits", row["credited"]))
    said = [f"{name} of {amount}" for name, amount in amounts if amount]
    return said + ([f"{row['files']} attachments that were sent to it"] if row["files"] else [])


def undo(session: Session, kind: PricedKind, one: Undoable, who: str, seals: Seals | None) -> str:
    """The document is to be decided about again; returns what it is called.

    Args:
        seals: Of the app of its connection; needed once it is linked.

    Raises:
        LookupError: It was changed, or undone, in the meantime.
        ValueError: It is being sent now.
    """
    user = fit(on_a_line(who), LONGEST_NAME)
    label = kind.called(one.number, one.document_id)
    of_it = {"id": one.document_id, "connection_id": one.connection_id}
    with session.transaction():
        now = next(iter(run(session, kind, "lock_offered", id=one.document_id)), None)
        if now and now["push_state"] == "in_flight":
            raise ValueError(IN_FLIGHT)
        again = {"error": UNDONE.format(user, one.xero_id), "correction": CORRECTION.format(label)}
        if one.is_linked:
            _unlink(session, kind, one, user, seals, again)
        elif not _taken_back(session, kind, one, again):
            _changed()
        else:
            QUERIES.end_decisions(session, **of_it, xero_ids=None, version=one.version, who=user)
        if QUERIES.in_request(session, id=one.document_id):  # also a cancellation that was claimed meanwhile
            raise ValueError(IN_FLIGHT)
        said = f"{user} undid: {WORDS[one.decision]}"
        return note(session, kind, one.connection_id, one.document_id, one.number, said)


WORDS = {
    Decision.LINK: "it is a record that was already in Xero",
    Decision.LEAVE: "it is another document than the record in Xero",
    Decision.SKIP: "it is not to be pushed",
}


def _taken_back(session: Session, kind: PricedKind, one: Undoable, again: dict[str, str]) -> bool:
    """Takes the document back to where it was decided about; False if it is no longer there."""
    of_it = {"id": one.document_id, "version": one.version}
    if one.decision is Decision.SKIP:
        [row] = run(session, kind, "skip", **of_it, back=True)
        return bool(next(iter(row.values())))
    return bool(run(session, kind, "failed_again", **of_it, **again))


def _unlink(
    session: Session, kind: PricedKind, one: Undoable, who: str, seals: Seals | None, again: dict[str, str]
) -> None:
    assert seals, "only who may seal may end a link"
    [row] = run(session, kind, "undo_link", id=one.document_id, adoption=one.id, **again)
    if not next(iter(row.values())):
        _changed()
    QUERIES.end_link(session, adoption=one.id, who=who)
    connection = connections.one(session, one.connection_id)
    Links(connection, seals).keep(session, kind.table, {one.document_id: NOTHING})
    of_it = {"id": one.document_id, "connection_id": one.connection_id}
    QUERIES.forget_content(session, **of_it)
    QUERIES.forget_followed(session, **of_it)
    about = About(one.connection_id, kind.name, one.document_id, kind.called(one.number, one.document_id))
    differences.compare(session, about, (), FORGOTTEN, Settled.GONE)


def _changed() -> None:
    raise LookupError("this document was changed or undone in the meantime")
