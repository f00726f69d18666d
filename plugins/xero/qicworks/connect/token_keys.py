"""The keys that encrypt stored tokens and seals: which are still needed, and re-encryption with the newest."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

import psycopg
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from xero.api.errors import Misconfigured, RetryLater
from xero.api.settings import XeroApp
from xero.qicworks import sql
from xero.qicworks.connect import connections, link_keys, switches
from xero.qicworks.connect.tokens import LONGEST_WAIT_MS, fernet_keys, opened, packed
from xero.qicworks.database import Session

QUERIES = sql.Statements("token_keys")

AppOf = Callable[[str], XeroApp]


@dataclass(frozen=True)
class Stored:
    """A stored authorisation, and the fingerprint of the key that decrypts it.

    `key` is None if no key of its app does, or the tokens belong to another authorisation.
    """

    id: UUID
    airflow_conn_id: str
    state: str  # ok, broken
    used: bool  # a live connection uses it
    key: str | None
    renewable: bool  # a custom connection: renewed without a user

    @property
    def lost(self) -> bool:
        """Whether a user has to reconnect."""
        return self.key is None and self.state == "ok" and not self.renewable


@dataclass(frozen=True)
class Seal:
    """The seal of a match, of a switch, or of an employee's pay, and the fingerprint of its key.

    `key` is None if no key of its app made it."""

    id: UUID  # of the connection
    employee: UUID | None
    organisation: str
    airflow_conn_id: str
    of_switch: bool
    key: str | None


@dataclass(frozen=True)
class Key:
    """One of an app's keys, by its fingerprint, and how many stored authorisations and seals need it."""

    fingerprint: str
    newest: bool
    needed_by: int


@dataclass
class Rotation:
    """The result of a rotation: how many were `rotated`, by app; how many had the newest key; the unreadable ones."""

    rotated: Counter[str] = field(default_factory=Counter)
    already: int = 0
    unreadable: list[Stored] = field(default_factory=list)


def fingerprint(key: bytes) -> str:
    """Identifies a key without revealing it."""
    return hashlib.sha256(key).hexdigest()[:8]


def seals(session: Session, app_of: AppOf) -> list[Seal]:
    found = []
    for row in [*QUERIES.seals(session), *QUERIES.pay_seals(session)]:
        _, own = _keys(app_of, row["airflow_conn_id"])
        place = _opened_by(own, bytes(row.pop("seal")))
        found.append(Seal(**row, key=None if place is None else fingerprint(own[place])))
    return found


def check(session: Session, app_of: AppOf) -> tuple[list[Stored], dict[str, list[Key]]]:
    """The stored authorisations, and the keys of each app that has some, newest first."""
    stored, keys = [], {}
    for row in list(QUERIES.stored(session)):
        app, own = _keys(app_of, row["airflow_conn_id"])
        read = _read(app, own, row["id"], row["airflow_conn_id"], bytes(row.pop("secret")))
        key = fingerprint(own[read.place]) if read else None
        stored.append(Stored(**row, key=key, renewable=app is not None and app.grant_type == "client_credentials"))
        keys[row["airflow_conn_id"]] = own
    needed = Counter((one.airflow_conn_id, one.key) for one in stored)
    needed.update((one.airflow_conn_id, one.key) for one in seals(session, app_of))
    for (conn_id, used), links in link_keys.needed(session, _keys_of(app_of)).items():
        needed[conn_id, fingerprint(used)] += links
    return stored, {
        conn_id: [Key(fingerprint(key), place == 0, needed[conn_id, fingerprint(key)]) for place, key in enumerate(own)]
        for conn_id, own in keys.items()
    }


def rotate(session: Session, app_of: AppOf) -> Rotation:
    """Re-encrypts every stored authorisation, and every seal, with the newest key of its app, one row at a time.

    Each row is locked as a renewal locks it, and read again under the lock, so a concurrent renewal is kept. Raises
    RetryLater if a renewal holds a row for over a minute; rows rotated before that stay rotated.
    """
    done = Rotation()
    stored, _ = check(session, app_of)
    for one in stored:
        app, own = _keys(app_of, one.airflow_conn_id)
        try:
            with session.transaction():
                QUERIES.wait_at_most(session, milliseconds=LONGEST_WAIT_MS)
                read = _read(app, own, one.id, one.airflow_conn_id, bytes(QUERIES.lock(session, id=one.id)))
                if read and read.to_do:
                    QUERIES.store(session, id=one.id, secret=Fernet(own[0]).encrypt(read.packed))
        except psycopg.errors.LockNotAvailable:
            raise RetryLater(60.0, "outage", "A token has been renewed for over a minute; rotate again.") from None
        if read is None:
            done.unreadable.append(one)
        elif read.to_do:
            done.rotated[one.airflow_conn_id] += 1
        else:
            done.already += 1
    for sealed in seals(session, app_of):
        app, own = _keys(app_of, sealed.airflow_conn_id)
        if app and sealed.key not in (None, fingerprint(own[0])):
            with session.transaction():
                _reseal(session, app, own, sealed)
    link_keys.rotate(session, _keys_of(app_of))
    return done


def _reseal(session: Session, app: XeroApp, own: Sequence[bytes], sealed: Seal) -> None:
    if sealed.of_switch:
        if switches.holds(connections.one(session, sealed.id), app):
            switches.keep_on(session, app, sealed.id)
    elif sealed.employee is None:
        if rotated := _rotated(own, bytes(QUERIES.lock_seal(session, id=sealed.id))):
            QUERIES.store_seal(session, id=sealed.id, seal=rotated)
    else:
        of = {"id": sealed.id, "employee": sealed.employee}
        for before in {bytes(row["seal"]) for row in QUERIES.lock_pay_seals(session, **of)}:
            if rotated := _rotated(own, before):
                QUERIES.store_pay_seal(session, **of, before=before, seal=rotated)


def _rotated(keys: Sequence[bytes], seal: bytes) -> bytes | None:
    """Re-encrypts with the newest key. Returns None if it has that already, or if no key decrypts it."""
    return MultiFernet([Fernet(key) for key in keys]).rotate(seal) if _opened_by(keys, seal) else None


def _keys_of(app_of: AppOf) -> link_keys.KeysOf:
    return cache(lambda conn_id: _keys(app_of, conn_id)[1])


def _keys(app_of: AppOf, conn_id: str) -> tuple[XeroApp | None, tuple[bytes, ...]]:
    """Returns the app and its keys; (None, ()) if there is no such app.

    Raises Misconfigured if it has no keys, or one is malformed: reconnecting would not help.
    """
    try:
        app = app_of(conn_id)
    except LookupError:
        return None, ()
    try:
        return app, fernet_keys(app)
    except Misconfigured as error:
        raise Misconfigured(f"{conn_id}: {error.message}", error.correction) from None


def _opened_by(keys: Sequence[bytes], secret: bytes) -> int | None:
    for place, key in enumerate(keys):
        try:
            Fernet(key).decrypt(secret)
        except InvalidToken:
            continue
        return place
    return None


@dataclass(frozen=True)
class _Opened:
    place: int  # of the key
    packed: bytes  # as it would be stored today
    to_do: bool  # it is not stored so


def _read(app: XeroApp | None, own: Sequence[bytes], token_id: UUID, conn_id: str, secret: bytes) -> _Opened | None:
    """Returns None if no key decrypts it, or the token does not belong to this row."""
    place = _opened_by(own, secret)
    if app is None or place is None:
        return None
    plain = Fernet(own[place]).decrypt(secret)
    token = opened(plain, token_id, conn_id, app)
    again = packed(token, token_id, conn_id, app) if token else b""
    return _Opened(place, again, place > 0 or again != plain) if token else None
