"""Links people who were read for the first time to those whom QicWorks has. Whom it may be is left for a user."""

from typing import Any
from uuid import UUID

from xero.datasets.declaration import Table
from xero.qicworks.links import candidates
from xero.qicworks.links.candidates import Candidate, What
from xero.qicworks.pull.merge import Loading
from xero.qicworks.pull.newcomers import Newcomers
from xero.sync.pull.people import pairs
from xero.sync.pull.person import Person

HELD = "Not linked: may be one of QicWorks' staff. Open Xero › Match, choose, then pull staff"


def link(loading: Loading, table: Table, connection_id: UUID) -> None:
    """Before the merge: links those who are certainly the same, and holds back those about whom a user has to decide.
    All others will be created."""
    found = Newcomers(loading, table)
    what = What(table.name)
    new, held = found.read(), found.held()
    own = [one for one in held if one["xero_id"] is None]
    session = loading.session
    undone = candidates.undone(session, connection_id, what)
    if not own:
        found.hold([one["id"] for one in new if one["id"] in undone and not one["is_bad"]], HELD)
        candidates.replace(session, connection_id, what, ())
        return
    apart = candidates.apart(session, connection_id, what)
    members = [_person(one, linked=one["xero_id"] is not None) for one in held if one["match_state"] != "created"]
    employees = [_person(one, linked=one["is_bad"]) for one in new]
    employees += [_employee(one) for one in held if one["xero_id"]]
    decided = pairs(members, employees, apart)
    waiting = {one.employee for one in decided.perhaps} | undone
    found.hold([one["id"] for one in new if one["id"] in waiting and not one["is_bad"]], HELD)
    certain = {employee: member for employee, member in decided.certain.items() if employee not in undone}
    found.link(list(certain.values()), list(certain), None)
    kept = [Candidate(one.member, one.employee, sorted(one.alike), one.likely) for one in decided.perhaps]
    candidates.replace(session, connection_id, what, kept)


def _person(row: dict[str, Any], *, linked: bool, has_row: bool = False) -> Person:
    names = row["first_name"] or "", row["last_name"] or ""
    emails = frozenset(one for one in row["emails"] if one)
    return Person(row["id"], *names, emails, row["start_date"], row["is_active"], linked, has_row)


def _employee(row: dict[str, Any]) -> Person:
    """Of a row that is held. One that a pull created may still be a member whom QicWorks has besides it."""
    is_open = row["match_state"] == "created" and row["is_active"]
    return _person({**row, "id": row["xero_id"], "emails": row["emails"][-1:]}, linked=not is_open, has_row=is_open)
