"""Undoes a link, after it was said what hangs on it. Nothing is sent to Xero, and what was sent stays there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg.sql import Identifier
from psycopg.types.json import Jsonb

from xero.documents.declaration import Kind, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import sql
from xero.qicworks.links.candidates import What
from xero.qicworks.links.deciding import CHANGED, Decisions
from xero.qicworks.links.waiting import Link, link_of

QUERIES = sql.Statements("links")

UNDONE = "not sent: its link to a contact in Xero was undone"
HELD = "Not linked: its link was undone. Open Xero › Match, choose, then pull staff"
BOTH = (
    "QicWorks has pay or leave of the row of the former employee, too. Enter that pay and leave for one of them, then "
    "undo the link."
)
PAY_FIRST = (
    "QicWorks has set pay in this employee's pay template, and without the link nothing would take it away. Push an "
    "approved pay without lines for the employee's next period, then undo the link."
)
CHOOSE = "Link it to another contact or create it, under Xero › Match."


@dataclass(frozen=True)
class Hanging:
    """What hangs on a link, in words, each with its count. `refused`: why it cannot be undone now."""

    lines: Sequence[str]
    refused: str | None

    @property
    def seen(self) -> str:
        """Changes whenever something that is said changes."""
        return hashlib.blake2b(repr(self.lines).encode(), digest_size=9).hexdigest()


class Undoing(Decisions):
    """The links of one organisation, for one user."""

    def hanging(self, what: What, own_id: UUID) -> Hanging:
        """Raises LookupError: it is not linked."""
        link = link_of(self.session, self.connection, what, own_id)
        lines, in_flight, set_there = [], 0, 0
        for kind, column in _kinds(what):
            name = {"table": Identifier(kind.table), "column": Identifier(column)}
            rows = self.session.execute(sql.template("links", "hanging").format(**name), {"own_id": own_id})
            found = {row["state"]: row["count"] for row in rows}
            asked = {"own_id": own_id, "connection_id": self.connection.id}
            is_open = sql.value(self.session, sql.template("links", "open_request").format(**name), **asked)
            in_flight += found.get("in_flight", 0) or int(is_open)
            title = kind.title.lower()
            if pushed := found.get("pushed"):
                lines.append(f"{title}: {pushed} sent to Xero, where {'it stays' if pushed == 1 else 'they stay'}")
            if waits := found.get("waiting"):
                lines.append(f"{title}: {waits} not sent yet, which will not be sent before there is a link again")
        if what is What.STAFF:
            about = {"connection_id": self.connection.id, "xero_id": link.xero_id}
            if set_there := QUERIES.lines_in_template(self.session, **about):
                lines.append(f"pay template: {set_there} lines in Xero that QicWorks has set")
        refused = None
        if set_there:
            refused = PAY_FIRST
        if in_flight:
            refused = "Something of it is being sent to Xero now. Try again when the push has ended."
        elif what is What.CONTACT and QUERIES.created_contact(
            self.session, own_id=own_id, connection_id=self.connection.id
        ):
            refused = "QicWorks created this contact in Xero, so it is that contact."
        return Hanging(lines, refused)

    def undo(self, what: What, own_id: UUID, seen: str) -> Link:
        """Undoes the link; no pull or push makes it again by itself.

        Args:
            seen: What the user was told hangs on it: `Hanging.seen`.

        Raises:
            LookupError: It is not linked any more, or something else hangs on it now.
            ValueError: It cannot be undone now.
        """
        with self.session.transaction():
            self._hold_loads()
            link = link_of(self.session, self.connection, what, own_id)
            found = self.hanging(what, own_id)
            if found.refused:
                raise ValueError(found.refused)
            if found.seen != seen:
                raise LookupError("Something else hangs on this link now. Look at it again.")
            about = {"connection_id": self.connection.id, "own_id": own_id, "xero_id": link.xero_id}
            if what is What.CONTACT:
                if not QUERIES.unlink_contact(self.session, **about, error=UNDONE, correction=CHOOSE):
                    raise LookupError(CHANGED)
                self._record(what, "link undone", [(own_id, link.xero_id)])
            else:
                self._unlink_member(link)
            self._decide(what, own_id, link.xero_id, "undo")
        return link

    def _unlink_member(self, link: Link) -> None:
        """The employee waits. A member who was linked to a former employee before is linked to that one again."""
        about = {"connection_id": self.connection.id, "own_id": link.own_id, "xero_id": link.xero_id}
        how = next(iter(QUERIES.how(self.session, **about, what=What.STAFF)), None)
        before = how["before"] if how else None
        former, state = (before["xero_id"], before["match_state"]) if before else (None, None)
        if former:
            at_former = {"connection_id": self.connection.id, "xero_id": former}
            for row in QUERIES.row_of_employee(self.session, **at_former):
                if row["match_state"] != "created":  # is somebody else by now
                    former = None
                elif QUERIES.drop_created(self.session, **at_former):
                    before = row["held"]
                else:
                    raise ValueError(BOTH)
        done = "link undone, and linked to the former employee again" if former else "link undone"
        event_id = self._record(What.STAFF, done, [(link.own_id, link.xero_id)])
        QUERIES.hold_employee(self.session, **about, reason=HELD, event_id=event_id)
        self._parts_belong_to(link.xero_id, None)
        QUERIES.unlink_staff(
            self.session, **about, before=Jsonb(before) if before else None, former=former, state=state
        )
        if former:
            self._parts_belong_to(former, link.own_id)

    def _parts_belong_to(self, xero_id: UUID | str, staff_id: UUID | None) -> None:
        QUERIES.parts_of_employee(self.session, connection_id=self.connection.id, xero_id=xero_id, staff_id=staff_id)


def _kinds(what: What) -> list[tuple[Kind, str]]:
    """The kinds of document that belong to a person or contact, and by which column."""
    if what is What.STAFF:
        return [(kind, "staff_id") for kind in KINDS.values() if kind.payroll]
    return [(kind, "contact_id") for kind in KINDS.values() if isinstance(kind, PricedKind)]
