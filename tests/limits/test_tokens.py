"""Tokens in the database: renewed once by many, never lost, never in clear."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from tests.support.callers import KEY, Callers, Sandbox
from xero.api.auth import OAuth
from xero.api.errors import Misconfigured, ReconnectNeeded, RetryLater
from xero.api.tokens import Token
from xero.qicworks.connect.tokens import packed, save_new, vault
from xero.sync.connect.token_store import DatabaseTokens


def refreshes(sandbox: Sandbox) -> int:
    """How many requests for tokens have come since `expire`."""
    return len(sandbox.arrivals("/connect/token"))


def expire(engine: Engine, sandbox: Sandbox, token_id: str) -> Token:
    """Makes the stored access token look old; its refresh token is as good as before."""
    tokens = DatabaseTokens(engine, token_id, sandbox.app())
    old = replace(tokens.get(), expires_at=datetime.now(UTC) - timedelta(minutes=1))
    secret = vault(sandbox.app()).encrypt(packed(old, token_id, "xero_default", sandbox.app()))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE xero_sync.token SET secret = %s, expires_at = %s WHERE id = %s", (secret, old.expires_at, token_id)
        )
    sandbox.control("DELETE", "calls")
    return old


def row(engine: Engine, token_id: str) -> dict[str, Any]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM xero_sync.token WHERE id = %s", (token_id,))
        return dict(rows.mappings().one())


def test_sixteen_processes_refresh_once(
    sandbox: Sandbox, engine: Engine, database_url: str, token_id: str, callers: Callable[..., Callers]
) -> None:
    expire(engine, sandbox, token_id)
    group = callers(16, "renew", database_url=database_url, app=sandbox.app(), token_id=token_id)
    group.go()
    tokens = {result["token"] for result in group.results()}
    assert refreshes(sandbox) == 1
    assert tokens == {DatabaseTokens(engine, token_id, sandbox.app()).get().access_token}


def test_a_kill_between_refresh_and_store_loses_nothing(
    sandbox: Sandbox, engine: Engine, database_url: str, token_id: str, callers: Callable[..., Callers]
) -> None:
    stale = expire(engine, sandbox, token_id)
    victim = callers(1, "hang", database_url=database_url, app=sandbox.app(), token_id=token_id)
    victim.go()
    assert victim.hear() == "refreshed"
    victim.kill()
    renewed = DatabaseTokens(engine, token_id, sandbox.app()).renew(stale)
    assert refreshes(sandbox) == 2
    assert not renewed.expired()
    again = OAuth(sandbox.app()).refresh(renewed)
    assert not again.expired()


def test_a_lost_answer_is_asked_for_again(sandbox: Sandbox, engine: Engine, token_id: str) -> None:
    stale = expire(engine, sandbox, token_id)
    sandbox.control("POST", "faults", {"kind": "lost_answer", "path": "/connect/token"})
    tokens = DatabaseTokens(engine, token_id, sandbox.app())
    with pytest.raises(RetryLater):
        tokens.renew(stale)
    assert not tokens.renew(stale).expired()
    assert row(engine, token_id)["state"] == "ok"


def test_the_newer_token_of_another_process_is_taken(sandbox: Sandbox, engine: Engine, token_id: str) -> None:
    stale = expire(engine, sandbox, token_id)
    first = DatabaseTokens(engine, token_id, sandbox.app()).renew(stale)
    second = DatabaseTokens(engine, token_id, sandbox.app()).renew(stale)
    assert first == second
    assert refreshes(sandbox) == 1


def test_a_token_that_xero_no_longer_takes_is_renewed_before_its_time(
    sandbox: Sandbox, engine: Engine, token_id: str
) -> None:
    tokens = DatabaseTokens(engine, token_id, sandbox.app())
    current = tokens.get()
    assert not current.expired()
    assert tokens.renew(current).access_token != current.access_token
    assert row(engine, token_id)["renewed_at"] > row(engine, token_id)["created_at"]


def test_invalid_grant_breaks_the_authorisation_and_stops_all_further_asking(
    sandbox: Sandbox, engine: Engine, token_id: str
) -> None:
    stale = expire(engine, sandbox, token_id)
    sandbox.control("POST", "faults", {"kind": "invalid_grant", "path": "/connect/token"})
    with pytest.raises(ReconnectNeeded, match="Connect to Xero again"):
        DatabaseTokens(engine, token_id, sandbox.app()).renew(stale)
    broken = row(engine, token_id)
    assert broken["state"] == "broken"
    assert "invalid_grant" in broken["broken_reason"]
    for again in (DatabaseTokens.get, lambda tokens: tokens.renew(stale)):
        with pytest.raises(ReconnectNeeded, match="invalid_grant"):
            again(DatabaseTokens(engine, token_id, sandbox.app()))
    assert refreshes(sandbox) == 1


def test_who_waits_too_long_for_another_says_so(
    sandbox: Sandbox, engine: Engine, database_url: str, token_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xero.qicworks.connect.tokens.LONGEST_WAIT_MS", 100)
    with psycopg.connect(database_url) as other:
        other.execute("SELECT 1 FROM xero_sync.token FOR UPDATE")
        with pytest.raises(RetryLater, match="Another process"):
            DatabaseTokens(engine, token_id, sandbox.app()).renew(None)


def test_nothing_lies_there_in_clear(sandbox: Sandbox, engine: Engine, database_url: str) -> None:
    token = sandbox.consent()
    token_id = save_new(engine, sandbox.app(), "xero_default", token)
    with psycopg.connect(database_url) as connection:
        stored = str(connection.execute("SELECT token::text, encode(secret, 'escape') FROM xero_sync.token").fetchall())
    assert str(token_id) in stored
    assert token.refresh_token
    for secret in (token.access_token, token.refresh_token, KEY):
        assert secret not in stored
    assert DatabaseTokens(engine, token_id, sandbox.app()).get() == token


def test_a_renewal_re_encrypts_under_the_newest_key(sandbox: Sandbox, engine: Engine, token_id: str) -> None:
    newest = Fernet.generate_key().decode()
    tokens = DatabaseTokens(engine, token_id, replace(sandbox.app(), token_keys=(newest, KEY)))
    with pytest.raises(Misconfigured, match="token_keys"):
        DatabaseTokens(engine, token_id, replace(sandbox.app(), token_keys=(newest,))).get()
    renewed = tokens.renew(tokens.get())
    assert DatabaseTokens(engine, token_id, replace(sandbox.app(), token_keys=(newest,))).get() == renewed


def test_an_app_that_speaks_for_itself_needs_no_keys(sandbox: Sandbox, engine: Engine) -> None:
    app = replace(sandbox.app(), grant_type="client_credentials", token_keys=(), scopes=("accounting.contacts",))
    token = OAuth(app).client_credentials()
    token_id = save_new(engine, app, "xero_default", token)
    assert DatabaseTokens(engine, token_id, app).get() == token
    other_key = replace(app, token_keys=(Fernet.generate_key().decode(),))
    assert not DatabaseTokens(engine, token_id, other_key).get().expired()
    assert DatabaseTokens(engine, token_id, other_key).get().access_token != token.access_token


@pytest.mark.parametrize("keys", [(), ("short",), (KEY, "not base64 !")])
def test_without_a_good_key_nothing_is_stored(sandbox: Sandbox, engine: Engine, keys: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured, match="token_keys") as error:
        vault(replace(sandbox.app(), token_keys=keys))
    assert KEY not in str(error.value)


def test_a_token_that_is_not_stored(sandbox: Sandbox, engine: Engine) -> None:
    with pytest.raises(ReconnectNeeded):
        DatabaseTokens(engine, uuid4(), sandbox.app()).get()
