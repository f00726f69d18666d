"""What a user decides about a pair: it is the same, it is not, or somebody has to be created. Each is an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from xero.qicworks import sql
from xero.qicworks.connect.connections import Connection
from xero.qicworks.database import Session
from xero.qicworks.links import own_contacts
from xero.qicworks.links.candidates import What
from xero.qicworks.push import contact_decisions
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.texts import fit, on_a_line

QUERIES = sql.Statements("links")
LOADS = sql.Statements("merge")
STAFF = sql.Statements("pull/staff")

MAX_WHO = 200  # characters of a user's name
CHANGED = "This was changed or linked in the meantime. Reload the page."
DATA_SETS = {What.STAFF: "staff", What.CONTACT: "contacts"}


class Decisions:
    """The decisions of one user about one organisation. Nothing is sent to Xero."""

    def __init__(self, session: Session, connection: Connection, who: str) -> None:
        self.session = session
        self.connection = connection
        self.who = fit(on_a_line(who), MAX_WHO)

    def link(self, what: What, pairs: Sequence[tuple[UUID, UUID]], seen: Sequence[str] | None = None) -> int:
        """Links these pairs of QicWorks' id and Xero's, all or none; returns how many.

        Args:
            seen: `version` of each pair as the user saw it; None: they gave the ids.

        Raises:
            LookupError: A pair is not offered any more, or what was seen of it has changed.
            ValueError: It would be two, or QicWorks has pay or leave of both.
        """
        if len({own for own, _ in pairs}) < len(pairs) or len({other for _, other in pairs}) < len(pairs):
            raise ValueError("Each can be linked to one only. Choose again.")
        with self.session.transaction():
            self._hold_loads()
            for at, (own_id, xero_id) in enumerate(pairs):
                self._link(what, own_id, xero_id, seen[at] if seen is not None else None)
            if pairs:
                self._record(what, f"{len(pairs)} linked" if len(pairs) > 1 else "linked", pairs)
        return len(pairs)

    def not_same(self, what: What, own_id: UUID, xero_id: UUID) -> None:
        """Keeps that they are two. Raises LookupError: the pair is not offered any more."""
        with self.session.transaction():
            self._hold_loads()
            self._offered(what, own_id, xero_id)
            self._decide(what, own_id, xero_id, "not same")
            self._record(what, "not the same", [(own_id, xero_id)])

    def create(self, what: What, id: UUID) -> None:
        """None of those offered: the next pull creates an employee in QicWorks' staff, the next push a contact in Xero.

        Args:
            id: The employee's in Xero; the contact's in QicWorks.

        Raises:
            LookupError: It does not wait any more.
            ValueError: The contact is being sent now.
        """
        with self.session.transaction():
            self._hold_loads()
            if what is What.CONTACT:
                rows = self._find(what, own_id=id)
                contact_decisions.decide(self.session, id, None, self.who)
            else:
                rows = self._find(what, xero_id=id)
                undone = QUERIES.undone_employees(self.session, connection_id=self.connection.id)
                if not rows and id not in {one["xero_id"] for one in undone}:
                    raise LookupError(CHANGED)
            pairs = [(row["own_id"], row["xero_id"]) for row in rows]
            for own_id, xero_id in pairs:
                self._decide(what, own_id, xero_id, "not same")
            if what is What.STAFF:
                self._decide(what, id, id, "created")
                self._record(what, "to be created in QicWorks from the employee", [(id, id)])

    def _link(self, what: What, own_id: UUID, xero_id: UUID, seen: str | None) -> None:
        row = self._offered(what, own_id, xero_id)
        if seen is not None and row["version"] != seen:
            raise LookupError(CHANGED)
        about = {"connection_id": self.connection.id, "xero_id": xero_id}
        if what is What.CONTACT:
            if not row["is_active"]:
                raise ValueError("This contact is archived in Xero. Restore it there, pull contacts, and link it then.")
            own_contacts.link(self.session, self.connection, {own_id: xero_id}, self.who)
            return
        if row["has_row"] and not QUERIES.drop_created(self.session, **about):
            raise ValueError(
                f"QicWorks has pay or leave of both {on_a_line(row['own_name'])} and the row that was created of the "
                "employee. Enter that pay and leave for one of them, then link."
            )
        STAFF.link_staff(
            self.session,
            connection_id=self.connection.id,
            organisation_id=self.connection.organisation_id,
            own_ids=[own_id],
            xero_ids=[xero_id],
            who=self.who,
        )
        QUERIES.parts_of_employee(self.session, **about, staff_id=own_id)
        QUERIES.no_longer_rejected(self.session, **about)

    def _offered(self, what: What, own_id: UUID, xero_id: UUID) -> dict[str, Any]:
        found = self._find(what, own_id=own_id, xero_id=xero_id)
        if not found:
            raise LookupError(CHANGED)
        return found[0]

    def _find(self, what: What, own_id: UUID | None = None, xero_id: UUID | None = None) -> list[dict[str, Any]]:
        about = {"connection_id": self.connection.id, "what": what}
        return list(QUERIES.offered(self.session, **about, own_id=own_id, xero_id=xero_id))

    def _decide(self, what: What, own_id: UUID, xero_id: UUID, decision: str) -> None:
        about = {"connection_id": self.connection.id, "what": what, "own_id": own_id, "xero_id": xero_id}
        QUERIES.decide(self.session, **about, decision=decision, who=self.who)

    def _hold_loads(self) -> None:
        LOADS.wait_for_others(self.session, connection_id=self.connection.id)

    def _record(self, what: What, done: str, pairs: Sequence[tuple[UUID, UUID]]) -> int:
        """Returns the event's id. Without names: an event outlives a person."""
        some = "; ".join(f"{own_id} and {xero_id} in Xero" for own_id, xero_id in pairs[:5])
        more = f"; and {len(pairs) - 5} more" if len(pairs) > 5 else ""
        about = Direction.PULL, DATA_SETS[what], Status.SUCCESS, EventOutcome.DONE
        return events.record(self.session, self.connection.id, *about, f"{self.who}: {done}: {some}{more}", Origin())
