"""Xero's tokens in the QicWorks database: encrypted, and replaced by one process at a time."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Engine

from xero.api.errors import Misconfigured, ReconnectNeeded, RetryLater
from xero.api.settings import XeroApp
from xero.api.tokens import Token
from xero.qicworks import database, sql
from xero.qicworks.database import Session

QUERIES = sql.Statements("tokens")
# A renewal may take 40 s (`xero.api.auth.TIMEOUTS`), and another process may be waiting ahead of this one.
LONGEST_WAIT_MS = 90_000


class StoredTokens:
    """One row of ``xero_sync.token``: its tokens, decrypted, and their renewal by one process at a time.

    Raises:
        ReconnectNeeded: the authorisation is known to be broken; Xero is not asked.
        Misconfigured: ``token_keys`` are missing, or none of them decrypts the row.
    """

    def __init__(self, engine: Engine, token_id: UUID | str, app: XeroApp) -> None:
        self._engine = engine
        self._token_id = token_id
        self._app = app
        self._vault = vault(app)

    def read(self) -> Token | None:
        """The stored token, expired or not. None: there is none, and the app can ask for one without a user."""
        if own := database.own(self._engine):
            row = QUERIES.read_token(own, token_id=self._token_id)
            return self._read(row and tuple(row.values()))
        with self._engine.connect() as connection:
            return self._read(QUERIES.read_token(_raw(connection), token_id=self._token_id))

    def renew(self, stale: Token | None, ask: Callable[[Token | None], Token]) -> Token:
        """Returns the token after `stale` (None: any valid one). If several processes ask at once, one calls `ask`.

        Locks the row, reads it again, and calls `ask` only if the row still holds the stale token. The response is
        stored in the transaction that holds the lock, and no one sees it before the commit. A process killed in
        between loses nothing: Xero accepts the refresh token that is still stored for another 30 minutes.
        """
        broken: ReconnectNeeded
        try:
            with self._engine.begin() as connection:
                raw = _raw(connection)
                QUERIES.wait_at_most(raw, milliseconds=LONGEST_WAIT_MS)
                row = QUERIES.lock_token(raw, token_id=self._token_id)
                current = self._read(row)
                if current and not current.expired() and (stale is None or current.access_token != stale.access_token):
                    return current
                try:
                    token = ask(current)
                except ReconnectNeeded as error:
                    broken = error
                    QUERIES.break_token(raw, token_id=self._token_id, reason=broken.message)
                else:
                    QUERIES.store_token(raw, token_id=self._token_id, **_row(token, self._app, self._token_id, row[3]))
                    return token
        except psycopg.errors.LockNotAvailable:
            raise RetryLater(
                60.0, "outage", "Another process has been renewing this authorisation's token for over a minute."
            ) from None
        raise broken

    def _read(self, row: tuple[str, str | None, bytes, str] | None) -> Token | None:
        """Returns the token of a row, or None if it is unreadable and the app can request a new one with its secret."""
        if row is None:
            raise ReconnectNeeded("The authorisation of this connection is no longer stored.", "Connect to Xero again.")
        state, reason, secret, conn_id = row
        if state == "broken":
            raise ReconnectNeeded(reason or "The authorisation is broken.", "Connect to Xero again.")
        try:
            plain = self._vault.decrypt(bytes(secret))
        except InvalidToken:
            plain = b""
        if token := opened(plain, self._token_id, conn_id, self._app):
            return token
        if self._app.grant_type == "client_credentials":
            return None
        if plain:
            raise Misconfigured(
                "The stored tokens belong to another authorisation or app.",
                "Connect to Xero again. If no one has changed the client id of the Airflow connection, find out which "
                "program writes to the database.",
            )
        raise Misconfigured(
            "The stored tokens cannot be decrypted: none of the connection's token_keys fits.",
            "Put the key they were encrypted with back into token_keys (behind the newest), or connect to Xero again.",
        )


def save_new(engine: Engine, app: XeroApp, airflow_conn_id: str, token: Token) -> UUID:
    """Stores a new authorisation's token; returns the row's id."""
    token_id = uuid4()
    with engine.begin() as connection:
        row = _row(token, app, token_id, airflow_conn_id)
        QUERIES.new_token(_raw(connection), token_id=token_id, airflow_conn_id=airflow_conn_id, **row)
    return token_id


@dataclass(frozen=True)
class Authorisation:
    """A row of `xero_sync.token`, without its tokens."""

    id: UUID
    airflow_conn_id: str
    state: str  # ok, broken
    broken_reason: str | None
    xero_user_id: str | None


def about(session: Session, token_id: UUID) -> Authorisation:
    """LookupError if there is none."""
    row = QUERIES.about(session, token_id=token_id)
    if row is None:
        raise LookupError(f"there is no authorisation {token_id}; connect to Xero again")
    return Authorisation(**row)


def vault(app: XeroApp) -> MultiFernet:
    """What encrypts this app's tokens: always under its newest key; decrypts under any of them."""
    return MultiFernet([Fernet(key) for key in fernet_keys(app)])


def fernet_keys(app: XeroApp) -> tuple[bytes, ...]:
    """Returns the keys of this app's tokens, newest first. Raises Misconfigured if there is none, or one is not a key.

    Custom connections (client credentials) need no token_keys: the key is derived from the client secret.
    """
    if not app.token_keys and app.grant_type == "client_credentials":
        derived = HKDF(SHA256(), length=32, salt=None, info=b"xero_sync.token").derive(app.client_secret.encode())
        return (base64.urlsafe_b64encode(derived),)
    if not app.token_keys:
        raise Misconfigured(
            "The Xero connection has no token_keys, without which no token is stored.",
            "Make one with `python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'` "
            "and put it into the connection's extra, as token_keys.",
        )
    malformed = [place for place, key in enumerate(app.token_keys, 1) if not _is_key(key)]
    if malformed:
        raise Misconfigured(
            f"Of the connection's {len(app.token_keys)} token_keys number {', '.join(map(str, malformed))} is not a "
            "Fernet key.",
            "A Fernet key is 32 bytes in URL-safe base64, 44 characters long: correct it in the connection's extra.",
        )
    return tuple(key.encode() for key in app.token_keys)


def _is_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def packed(token: Token, token_id: UUID | str, conn_id: str, app: XeroApp) -> bytes:
    """What is encrypted: the token, and whose it is. Older workers ignore the latter."""
    return msgspec.json.encode(msgspec.to_builtins(token) | _owner(token_id, conn_id, app))


def opened(plain: bytes, token_id: UUID | str, conn_id: str, app: XeroApp) -> Token | None:
    """Returns the token if it belongs to this row and this app, otherwise None.

    Tokens stored before owners were recorded are accepted, until they are renewed: Xero requires that every 60 days.
    """
    try:
        said = msgspec.json.decode(plain)
        token = msgspec.convert(said, Token)
    except msgspec.DecodeError:
        return None
    of_before = "row" not in said
    return token if of_before or _owner(token_id, conn_id, app).items() <= said.items() else None


def _owner(token_id: UUID | str, conn_id: str, app: XeroApp) -> dict[str, str]:
    return {"type": "xero_sync.token", "row": str(token_id), "airflow_conn_id": conn_id, "client_id": app.client_id}


def _row(token: Token, app: XeroApp, token_id: UUID | str, conn_id: str) -> dict[str, bytes | datetime | str | None]:
    return {
        "secret": vault(app).encrypt(packed(token, token_id, conn_id, app)),
        "expires_at": token.expires_at,
        "scope": token.scope,
        "xero_user_id": None if app.grant_type == "client_credentials" else token.xero_user_id,
    }


def _raw(connection: Connection) -> Any:
    """The psycopg connection, for aiosql; the transaction stays SQLAlchemy's."""
    return connection.connection.driver_connection
