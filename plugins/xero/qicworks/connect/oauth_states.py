"""OAuth states: each is accepted once, within ten minutes, from the user it was issued to."""

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any

from xero.api.errors import ConsentFailed
from xero.api.settings import XeroApp
from xero.qicworks import sql
from xero.qicworks.connect.seals import Seals
from xero.qicworks.database import Session
from xero.qicworks.runs.outcome import EventOutcome

QUERIES = sql.Statements("oauth_states")


class StateRefused(ConsentFailed):
    """The state that came back from Xero is not an open one of this user."""

    def __init__(self, outcome: EventOutcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


def issue(session: Session, user_id: str, airflow_conn_id: str, app: XeroApp) -> str:
    """A new state, sealed by its app, stored as a hash. Deletes those of yesterday."""
    state = secrets.token_urlsafe(32)
    seal = Seals(app).seal(_facts(state, user_id, airflow_conn_id), datetime.now(UTC))
    QUERIES.forget_old(session)
    QUERIES.issue(session, state_hash=_hash(state), user_id=user_id, airflow_conn_id=airflow_conn_id, seal=seal)
    return state


def is_of(session: Session, user_id: str, state: str, airflow_conn_id: str, app: XeroApp) -> bool:
    """Whether this app sent this user to Xero with this state. If not, the code must not be used."""
    seal = bytes(QUERIES.seal_of(session, state_hash=_hash(state)) or b"")
    return bool(Seals(app).made_at(seal, _facts(state, user_id, airflow_conn_id)))


def use_once(session: Session, user_id: str, state: str) -> str:
    """Returns the id of the Airflow connection that the state was issued for. The state cannot be used again.

    Raises StateRefused if it is another user's (for whom it stays valid), was used, or has expired.
    """
    airflow_conn_id = QUERIES.use_once(session, state_hash=_hash(state), user_id=user_id)
    if airflow_conn_id is not None:
        return str(airflow_conn_id)
    found = QUERIES.why_not(session, state_hash=_hash(state), user_id=user_id)
    if found is None:
        raise StateRefused(EventOutcome.CONSENT_UNKNOWN, "This sign-in was not started from here.")
    if not found["own"]:
        raise StateRefused(EventOutcome.CONSENT_OF_ANOTHER, "This sign-in was started by another user.")
    if found["used"]:
        raise StateRefused(EventOutcome.CONSENT_USED, "This sign-in was already completed.")
    raise StateRefused(EventOutcome.CONSENT_EXPIRED, "The sign-in took longer than ten minutes.")


def _hash(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


def _facts(state: str, user_id: str, airflow_conn_id: str) -> dict[str, Any]:
    own = {"state": _hash(state).hex(), "user": user_id, "app": airflow_conn_id}
    return {"table": "xero_sync.oauth_state", **own}
