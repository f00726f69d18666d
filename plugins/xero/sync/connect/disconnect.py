"""Disconnecting: deletes an organisation at Xero and here, and ends its authorisation if nothing else uses it."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Engine

from xero.api.auth import OAuth
from xero.api.connections import delete_connection, get_connections
from xero.api.errors import NotMatched, RetryLater, XeroError
from xero.api.settings import XeroApp
from xero.qicworks import sql
from xero.qicworks.connect import connections, matches, tokens
from xero.qicworks.connect.connections import Connection
from xero.qicworks.connect.tokens import Authorisation
from xero.qicworks.database import Session
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.connect.token_store import DatabaseTokens

QUERIES = sql.Statements("connections")
TOKENS = sql.Statements("tokens")
AppOf = Callable[[str], XeroApp]

BY_HAND = "Remove it in Xero under Settings, Connected apps."


def disconnect(engine: Engine, app_of: AppOf, connection_id: UUID, user: str) -> list[str]:
    """Deletes a connection: at Xero, then here, where its history stays; then the authorisation, if it is the last.

    Returns what was done, in words. Raises RetryLater while Xero cannot be reached: nothing is deleted then. Where
    Xero no longer gives access, the result says so and the connection is deleted here regardless. Safe to call again.

    Raises:
        LookupError: there is no such connection.
    """
    with connections.one_at_a_time(engine) as session:
        connection = connections.one(session, connection_id)
        said: list[str] = []
        if connection.state == "deleted":
            said.append(f"{connection.organisation} is already deleted")
        else:
            said += _take_out(session, engine, app_of, connection, user)
        if not _is_matched(app_of, connection):
            return [*said, "the authorisation is unchanged: no one has matched it with this organisation"]
        return said + _end(session, engine, app_of, connection.token_id, connection.id)


def discard(engine: Engine, app_of: AppOf, token_id: UUID, user: str) -> list[str]:
    """Ends an authorisation that no connection uses, at Xero and here. Returns what was done, in words."""
    with connections.one_at_a_time(engine) as session:
        if any(one.token_id == token_id for one in connections.every(session)):
            raise LookupError("a connection uses this authorisation: delete the connection instead")
        about = Direction.CONNECT, "authorisation", Status.SUCCESS, EventOutcome.DONE
        events.record(session, None, *about, f"discarded by {user}", Origin())
        if said := _end(session, engine, app_of, token_id, None):
            return said
        TOKENS.wipe(session, token_id=token_id, reason="discarded")
        return ["access was removed in QicWorks only: other organisations use the same sign-in at Xero"]


def _take_out(session: Session, engine: Engine, app_of: AppOf, connection: Connection, user: str) -> list[str]:
    status, outcome, correction = Status.SUCCESS, EventOutcome.DONE, None
    try:
        done = _at_xero(engine, app_of(connection.airflow_conn_id), connection)
    except RetryLater as error:
        raise RetryLater(
            error.seconds,
            error.limit,
            f"{connection.organisation} is not deleted: {error.message}",
            "Nothing was changed. Delete it again once Xero is available, or switch it off until then.",
        ) from None
    except (XeroError, LookupError) as error:
        status, outcome, correction = Status.WARNING, EventOutcome.PARTLY_DONE, BY_HAND
        done = f"{connection.tenant_name} could not be disconnected at Xero: {_why(error)}"
    said = [f"{connection.organisation}: the connection was deleted; its history stays"]
    if left := QUERIES.open_requests(session, id=connection.id):
        said.append(
            f"it is not known whether Xero received {left} of its requests: connect it again and push to find out"
        )
    with session.transaction():
        QUERIES.delete(session, id=connection.id)
        message = f"deleted by {user}; {done}"
        about = Direction.CONNECT, "connection", status, outcome
        events.record(session, connection.id, *about, message, Origin(), correction=correction)
    return [f"{done}. {correction}" if correction else done, *said]


def _at_xero(engine: Engine, app: XeroApp, connection: Connection) -> str:
    """Deletes by the connection's id, as Xero lists it. Raises NotMatched if the row is not as it was matched."""
    matches.check(connection, app)
    store = DatabaseTokens(engine, connection.token_id, app)
    listed = get_connections(app, store)
    xero_id = next((found.id for found in listed if found.tenant_id == connection.tenant_id), None)
    if xero_id and delete_connection(app, store, xero_id):
        return f"{connection.tenant_name} was disconnected at Xero"
    return f"{connection.tenant_name} had already been disconnected at Xero"


def _is_matched(app_of: AppOf, connection: Connection) -> bool:
    try:
        matches.check(connection, app_of(connection.airflow_conn_id))
    except NotMatched:
        return False
    except (XeroError, LookupError):
        return True  # the app cannot be used: `_end` reports it
    return True


def _end(session: Session, engine: Engine, app_of: AppOf, token_id: UUID, connection_id: UUID | None) -> list[str]:
    """Revokes the authorisation if the user has nothing else connected to this app: revoking would end that, too."""
    authorisation = tokens.about(session, token_id)
    if authorisation.state != "ok":
        return []
    try:
        app = app_of(authorisation.airflow_conn_id)
        if app.grant_type == "client_credentials":
            return []
        if _opens_more(session, app_of, app, authorisation):
            TOKENS.wipe(session, token_id=authorisation.id, reason="no connection uses it any longer")
            return []
        OAuth(app).revoke(DatabaseTokens(engine, authorisation.id, app).get())
    except (XeroError, LookupError) as error:
        said = f"the authorisation could not be revoked at Xero: {_why(error)}"
        about = Direction.CONNECT, "authorisation", Status.WARNING, EventOutcome.PARTLY_DONE
        events.record(session, connection_id, *about, said, Origin(), correction=BY_HAND)
        return [f"{said}. {BY_HAND}"]
    said = "the authorisation was revoked: no connection used it any longer"
    with session.transaction():
        TOKENS.wipe(session, token_id=authorisation.id, reason="revoked, as its last connection was deleted")
        done = Direction.CONNECT, "authorisation", Status.SUCCESS, EventOutcome.DONE
        events.record(session, connection_id, *done, said, Origin())
    return [said]


def _opens_more(session: Session, app_of: AppOf, app: XeroApp, authorisation: Authorisation) -> bool:
    """Whether another connection may rest on the same user's consent to the same app."""
    found = TOKENS.would_be_dropped(session, token_id=authorisation.id, xero_user_id=authorisation.xero_user_id)
    return any(_may_be(app_of, row["airflow_conn_id"], app) for row in found)


def _may_be(app_of: AppOf, airflow_conn_id: str, app: XeroApp) -> bool:
    """Whether an Airflow connection is of the same app at Xero, and of its users. One that cannot be read may be."""
    try:
        other = app_of(airflow_conn_id)
    except (XeroError, LookupError):
        return True
    return other.client_id == app.client_id and other.grant_type != "client_credentials"


def _why(error: XeroError | LookupError) -> str:
    return (error.message if isinstance(error, XeroError) else str(error)).rstrip(".")
