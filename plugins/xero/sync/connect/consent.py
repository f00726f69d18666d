"""Consent: a user is sent to Xero and comes back with a code, which is exchanged for the tokens that are stored."""

import re
from collections.abc import Callable
from typing import NoReturn
from uuid import UUID

from sqlalchemy import Engine

from xero.api.auth import OAuth
from xero.api.errors import ConsentFailed, Misconfigured, ReconnectNeeded, RetryLater, XeroError, cleaned
from xero.api.settings import XeroApp
from xero.qicworks import database, sql
from xero.qicworks.connect import connections, oauth_states, tokens
from xero.qicworks.connect.oauth_states import StateRefused
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status, outcome_of
from xero.sync.connect.authorised import Choice, Tenant, authorised_tenants, choices
from xero.sync.connect.match_checks import WrongPairs
from xero.sync.connect.matching import Matched, match

__all__ = [
    "Choice", "Matched", "Tenant", "WrongPairs", "authorised_tenants", "begin", "check", "choices", "denied", "finish",
    "match", "without_consent",
]  # fmt: skip

QUERIES = sql.Statements("tokens")
AppOf = Callable[[str], XeroApp]

DATA_SET = "authorisation"  # in events, where a pull has its data set
AGAIN = "Begin again with Connect to Xero."


def begin(engine: Engine, app: XeroApp, airflow_conn_id: str, user_id: str) -> str:
    """Returns the address at Xero for the user's browser. Raises Misconfigured if the tokens could not be stored."""
    if app.grant_type != "authorization_code":
        raise Misconfigured(
            "The Xero connection's grant_type is client_credentials: a custom connection, for which no user signs in.",
            "Match its organisations at once, or set grant_type to authorization_code.",
        )
    check(app)
    with database.session(engine) as session, session.transaction():
        return OAuth(app).authorization_url(oauth_states.issue(session, user_id, airflow_conn_id, app))


def check(app: XeroApp) -> None:
    """Raises Misconfigured if the tokens could not be stored: checked before a user is sent to Xero."""
    if app.grant_type == "authorization_code" and "offline_access" not in app.scopes:
        raise Misconfigured(
            "The Xero connection's scopes lack offline_access, without which an authorisation ends after half an hour.",
            "Add offline_access to scopes in the connection's extra.",
        )
    tokens.vault(app)


def finish(engine: Engine, app_of: AppOf, user_id: str, state: str, code: str, *, user: str | None = None) -> UUID:
    """Takes the code that Xero sent the user back with; returns the id of the authorisation, which is to be matched.

    Invalidates the state first, so that it cannot be used again. An event records success and failure.

    Args:
        user: Their name, for the event.

    Raises:
        ConsentFailed: or another XeroError, with what to do.
    """
    with database.session(engine) as session:
        airflow_conn_id = _use_once(session, user_id, state)
        try:
            app = app_of(airflow_conn_id)
            tokens.vault(app)  # before the code is spent
            if not oauth_states.is_of(session, user_id, state, airflow_conn_id, app):
                raise ConsentFailed("This sign-in was started by another app.")
            token_id = tokens.save_new(engine, app, airflow_conn_id, OAuth(app).exchange(code))
        except XeroError as error:
            told = _of_consent(error)
            told.correlation_id = error.correlation_id
            _fail(session, Status.ERROR, outcome_of(error), told)
        said = f"authorised by {user or user_id}"
        about = Direction.CONNECT, DATA_SET, Status.SUCCESS, EventOutcome.DONE
        events.record(session, None, *about, said, Origin())
        return token_id


def denied(engine: Engine, user_id: str, state: str, error: str, description: str | None = None) -> NoReturn:
    """Xero sent the user back without a code: invalidates the state, writes the event, and raises."""
    with database.session(engine) as session:
        _use_once(session, user_id, state)
        if error == "access_denied":
            said = "Access was not allowed in Xero, so nothing was connected."
            how = "Begin again with Connect to Xero, and choose Allow access."
            _fail(session, Status.WARNING, EventOutcome.CONSENT_DENIED, ConsentFailed(said, how))
        known = re.fullmatch(r"[a-z_]{1,40}", error)
        said = ": ".join(filter(None, (error if known else "an unknown error", cleaned(description or "", state))))
        correction = AGAIN
        if error == "invalid_scope":
            correction = f"Correct the scopes in the Airflow connection: the app does not have all of them. {AGAIN}"
        failed = ConsentFailed(f"Xero refused the consent ({said}).", correction)
        _fail(session, Status.ERROR, EventOutcome.CONSENT_FAILED, failed)


def without_consent(engine: Engine, app: XeroApp, airflow_conn_id: str) -> UUID:
    """Returns the authorisation of a custom connection (client_credentials); requests it if there is none yet."""
    if app.grant_type != "client_credentials":
        raise Misconfigured(
            "The Xero connection's grant_type is authorization_code: a user has to consent in a browser.",
            "Use grant_type client_credentials (a custom connection), or Connect to Xero in Airflow's UI.",
        )
    with connections.one_at_a_time(engine) as session:
        token_id: UUID | None = QUERIES.of_app(session, airflow_conn_id=airflow_conn_id)
        return token_id or tokens.save_new(engine, app, airflow_conn_id, OAuth(app).client_credentials())


def _use_once(session: Session, user_id: str, state: str) -> str:
    try:
        return oauth_states.use_once(session, user_id, state)
    except StateRefused as error:
        # Any web page can make an editor's browser send such requests, any number of times.
        if events.is_reported(session, Direction.CONNECT, DATA_SET, error.outcome, hours=1):
            raise
        _fail(session, Status.WARNING, error.outcome, error)


def _fail(session: Session, status: Status, outcome: EventOutcome, error: XeroError) -> NoReturn:
    events.record(
        session,
        None,
        Direction.CONNECT,
        DATA_SET,
        status,
        outcome,
        error.message,
        Origin(),
        correction=error.correction,
        correlation_id=error.correlation_id,
    )
    raise error from None


def _of_consent(error: XeroError) -> XeroError:
    """The error in words for a user at the browser: no automatic retry follows."""
    if isinstance(error, ReconnectNeeded):
        return ConsentFailed("The sign-in code was already used, or expired (after five minutes).")
    if isinstance(error, Misconfigured | ConsentFailed):
        return error
    after = "a little later" if isinstance(error, RetryLater) else "after fixing that"
    return ConsentFailed(f"{error.message} Nothing was connected.", f"Begin again with Connect to Xero {after}.")
