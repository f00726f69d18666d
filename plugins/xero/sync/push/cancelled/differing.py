"""The open difference of a document that QicWorks has cancelled, and that Xero has, or may have."""

from __future__ import annotations

from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Found, Reason
from xero.qicworks.push.cancellations import Cancellation
from xero.sync.push.cancelled import verdicts
from xero.sync.push.cancelled.standing import Standing, State

JUDGED = [Reason.CANCELLED_IN_QICWORKS]

#: Of a document whose record in Xero is not known, if it has one.
UNKNOWN = Standing(State.UNKNOWN, "not known")


def keep(session: Session, about: About, one: Cancellation, standing: Standing) -> bool:
    """Opens or refreshes it, in the caller's transaction. Returns whether it is new."""
    status = UNKNOWN.status if standing.state is State.GONE else standing.status
    theirs = {"status": status} | ({"paid": str(standing.paid)} if standing.paid else {})
    found = Found(Reason.CANCELLED_IN_QICWORKS, {"status": verdicts.status_of(one)}, theirs)
    return bool(differences.compare(session, about, [found], JUDGED).new)
