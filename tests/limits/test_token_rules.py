"""What is done with a stored token, case by case, on a real database; Xero's identity server is a list of answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from tests.support.callers import KEY
from xero.api.errors import Misconfigured, ReconnectNeeded, RetryLater, XeroError
from xero.api.settings import XeroApp
from xero.api.tokens import Token
from xero.qicworks import database
from xero.qicworks.connect import tokens
from xero.qicworks.connect.tokens import about, fernet_keys, save_new, vault
from xero.sync.connect import token_store
from xero.sync.connect.token_store import DatabaseTokens

APP = XeroApp("the-client", "the-secret", token_keys=(KEY,))
SPEAKS_FOR_ITSELF = replace(APP, grant_type="client_credentials", token_keys=())
NEWEST = "m0Zb3ZLr0nRVZBhHPUGh1wEt3K6N8kVQ0t3pC1wqT3k="


def token(access: str, minutes: float = 30, refresh: str | None = "refresh") -> Token:
    return Token(access, refresh, datetime.now(UTC) + timedelta(minutes=minutes), "a b")


class Identity:
    """Xero's identity server: what it answers next, and what it was asked."""

    def __init__(self, *answers: Token | XeroError) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def _answer(self, asked: str) -> Token:
        self.asked.append(asked)
        answer = self.answers.pop(0)
        if isinstance(answer, XeroError):
            raise answer
        return answer

    def refresh(self, current: Token) -> Token:
        return self._answer(f"refresh of {current.access_token}")

    def client_credentials(self) -> Token:
        return self._answer("client credentials")


@pytest.fixture
def stored(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[DatabaseTokens, Identity]]:
    def store(first: Token, *answers: Token | XeroError, app: XeroApp = APP, seen_by: XeroApp | None = None) -> Any:
        identity, seen = Identity(*answers), seen_by or app

        def asked_with(app: XeroApp, session: object) -> Identity:
            assert app is seen
            return identity

        monkeypatch.setattr(token_store, "OAuth", asked_with)
        return DatabaseTokens(engine, save_new(engine, app, "xero_app", first), seen), identity

    return store


def row(engine: Engine) -> dict[str, Any]:
    with database.session(engine) as session:
        [found] = session.execute("SELECT * FROM xero_sync.token").fetchall()
    return found


def test_the_stored_token_is_taken_expired_or_not(stored: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    old = token("old", minutes=-1)
    mine, identity = stored(old)
    assert mine.get() == old
    with database.session(engine), monkeypatch.context() as alone:
        alone.setattr(engine, "connect", None)
        assert mine.get() == old, "over the thread's own session, and no other connection"
    assert identity.asked == []


def test_a_stale_token_is_renewed_and_kept(stored: Any, engine: Engine) -> None:
    old, new = token("old"), replace(token("new"), scope="a")
    mine, identity = stored(old, new)
    assert mine.renew(old) == new
    assert mine.get() == new
    assert identity.asked == ["refresh of old"]
    kept = row(engine)
    assert (kept["state"], kept["scope"], kept["expires_at"]) == ("ok", "a", new.expires_at)


@pytest.mark.parametrize(
    ("minutes", "stale", "asked"), [(30, "older", 0), (30, None, 0), (-1, "older", 1), (-1, None, 1)]
)
def test_what_somebody_else_renewed_is_taken_while_it_is_good(
    stored: Any, minutes: float, stale: str | None, asked: int
) -> None:
    mine, identity = stored(token("current", minutes), token("new"))
    assert mine.renew(stale and token(stale)).access_token == ("new" if asked else "current")
    assert len(identity.asked) == asked


def test_a_broken_authorisation_is_kept_as_broken_and_never_asked_for_again(stored: Any, engine: Engine) -> None:
    mine, identity = stored(token("old"), ReconnectNeeded("Xero no longer accepts it.", "Connect again."))
    with pytest.raises(ReconnectNeeded, match="no longer accepts"):
        mine.renew(token("old"))
    assert (row(engine)["state"], row(engine)["broken_reason"]) == ("broken", "Xero no longer accepts it.")
    for again in (mine.get, lambda: mine.renew(None)):
        with pytest.raises(ReconnectNeeded) as raised:
            again()
        assert (raised.value.message, raised.value.correction) == (
            "Xero no longer accepts it.", "Connect to Xero again.",
        )  # fmt: skip
    assert len(identity.asked) == 1
    with database.session(engine) as session:
        session.execute("UPDATE xero_sync.token SET broken_reason = NULL")
    with pytest.raises(ReconnectNeeded, match="The authorisation is broken"):
        mine.get()


def test_an_outage_breaks_nothing(stored: Any, engine: Engine) -> None:
    old = token("old")
    mine, _ = stored(old, RetryLater(300, "outage"))
    with pytest.raises(RetryLater):
        mine.renew(old)
    assert (mine.get(), row(engine)["state"]) == (old, "ok")


def test_whoever_holds_the_row_is_waited_for_no_longer_than_a_minute_and_a_half(
    stored: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tokens.LONGEST_WAIT_MS == 90_000, "connecting and reading may take 40 s, and one may be in line before us"
    monkeypatch.setattr(tokens, "LONGEST_WAIT_MS", 50)
    mine, identity = stored(token("old"))
    with database.session(engine) as session, session.transaction():
        session.execute("SELECT FROM xero_sync.token FOR UPDATE")
        with pytest.raises(RetryLater) as raised:
            mine.renew(None)
    assert (raised.value.seconds, raised.value.limit, identity.asked) == (60, "outage", [])
    assert "renewing this authorisation's token" in raised.value.message


def test_what_is_not_stored_any_more_has_to_be_connected(stored: Any, engine: Engine) -> None:
    stored(token("old"))

    def refused() -> None:
        for ask in (DatabaseTokens.get, lambda mine: mine.renew(None)):
            with pytest.raises(ReconnectNeeded) as raised:
                ask(DatabaseTokens(engine, uuid4(), APP))
            assert raised.value.message == "The authorisation of this connection is no longer stored."
            assert raised.value.correction == "Connect to Xero again."

    refused()
    with database.session(engine):
        refused()


def test_under_another_key_a_user_s_authorisation_is_a_mistake_and_an_app_s_is_had_anew(stored: Any) -> None:
    other = replace(APP, token_keys=(NEWEST,))
    mine, _ = stored(token("old"), seen_by=other)
    for ask in (mine.get, lambda: mine.renew(None)):
        with pytest.raises(Misconfigured, match="none of the connection's token_keys fits") as raised:
            ask()
        assert raised.value.correction.startswith("Put the key they were encrypted with back")
    app = replace(SPEAKS_FOR_ITSELF, token_keys=(NEWEST,))
    mine, identity = stored(token("old"), token("new", refresh=None), app=SPEAKS_FOR_ITSELF, seen_by=app)
    assert mine.get().access_token == "new"
    assert mine.get().access_token == "new"
    assert identity.asked == ["client credentials"]


WAYS = {
    "of another row": "UPDATE xero_sync.token SET secret = (SELECT secret FROM xero_sync.token WHERE id <> %(id)s)",
    "of another connection": "UPDATE xero_sync.token SET airflow_conn_id = 'xero_other'",
}


@pytest.mark.parametrize("way", [*WAYS, "of another app"])
def test_the_tokens_of_another_authorisation_are_never_used(stored: Any, engine: Engine, way: str) -> None:
    """Whoever can write to the table cannot make one organisation's documents go to another's."""

    def misplaced(app: XeroApp) -> tuple[DatabaseTokens, Identity]:
        seen_by = replace(app, client_id="another") if way == "of another app" else app
        mine, identity = stored(token("mine"), token("new", refresh=None), app=app, seen_by=seen_by)
        with database.session(engine) as session:
            [(token_id)] = [row["id"] for row in session.execute("SELECT id FROM xero_sync.token").fetchall()]
            if way in WAYS:
                save_new(engine, app, "xero_app", token("of another"))
                session.execute(f"{WAYS[way]} WHERE id = %(id)s", {"id": token_id})
        return mine, identity

    mine, identity = misplaced(APP)
    for ask in (mine.get, lambda: mine.renew(None)):
        with pytest.raises(Misconfigured) as raised:
            ask()
        assert "belong to another authorisation or app" in raised.value.message
        assert raised.value.correction.startswith("Connect to Xero again.")
    assert identity.asked == []
    with database.session(engine) as session:
        session.execute("DELETE FROM xero_sync.token")
    mine, identity = misplaced(SPEAKS_FOR_ITSELF)
    if way != "of another app":  # its key would be another, too
        assert mine.get().access_token == "new"
        assert identity.asked == ["client credentials"]


@pytest.mark.parametrize(("plain", "said"), [(b"", "cannot be decrypted"), (b"[]", "another"), (b"{}", "another")])
def test_what_is_no_token_is_none(stored: Any, engine: Engine, plain: bytes, said: str) -> None:
    mine, identity = stored(token("old"))
    with database.session(engine) as session:
        session.execute("UPDATE xero_sync.token SET secret = %s", (vault(APP).encrypt(plain),))
    with pytest.raises(Misconfigured, match=said):
        mine.get()
    assert identity.asked == []


def test_what_was_encrypted_for_something_else_is_no_token(stored: Any, engine: Engine) -> None:
    mine, _ = stored(token("old"))
    secret = vault(APP).decrypt(bytes(row(engine)["secret"])).replace(b"xero_sync.token", b"xero_sync.other")
    with database.session(engine) as session:
        session.execute("UPDATE xero_sync.token SET secret = %s", (vault(APP).encrypt(secret),))
    with pytest.raises(Misconfigured, match="another"):
        mine.get()


def test_a_token_of_before_they_said_whose_they_are_is_good_until_it_is_renewed(stored: Any, engine: Engine) -> None:
    old, new = token("old"), token("new")
    mine, _ = stored(token("first"), new)

    def secret() -> bytes:
        return vault(APP).decrypt(bytes(row(engine)["secret"]))

    assert b"xero_app" in secret()
    with database.session(engine) as session:
        session.execute("UPDATE xero_sync.token SET secret = %s", (vault(APP).encrypt(msgspec.json.encode(old)),))
    assert mine.get() == old
    assert mine.renew(old) == new
    assert b"xero_app" in secret()
    assert mine.get() == new


def test_an_app_s_token_is_asked_for_and_never_refreshed(stored: Any) -> None:
    mine, identity = stored(token("old", -1), token("new"), app=SPEAKS_FOR_ITSELF)
    assert mine.renew(None).access_token == "new"
    assert identity.asked == ["client credentials"]


def test_it_lies_under_the_newest_key_and_is_read_under_any(stored: Any, engine: Engine) -> None:
    both = replace(APP, token_keys=(NEWEST, KEY))
    old, new = token("old"), token("new")
    mine, _ = stored(old, new, seen_by=both)
    assert mine.get() == old
    mine.renew(old)
    secret = bytes(row(engine)["secret"])
    assert b"new" in Fernet(NEWEST).decrypt(secret)
    assert b"new" not in secret
    assert vault(both).decrypt(vault(APP).encrypt(b"x")) == b"x"


@pytest.mark.parametrize(("app", "user"), [(APP, "user-1"), (SPEAKS_FOR_ITSELF, None)])
def test_whose_consent_it_was_is_kept_of_users_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, app: XeroApp, user: str | None
) -> None:
    monkeypatch.setattr(Token, "xero_user_id", "user-1")
    token_id = save_new(engine, app, "xero_app", token("new"))
    with database.session(engine) as session:
        found = about(session, token_id)
        with pytest.raises(LookupError, match="connect to Xero again"):
            about(session, UUID(int=1))
    assert (found.id, found.airflow_conn_id, found.state, found.broken_reason) == (token_id, "xero_app", "ok", None)
    assert found.xero_user_id == user


def test_the_key_of_an_app_that_speaks_for_itself_follows_from_its_secret() -> None:
    """It must not change from one version to the next: what is stored would be lost until the next call."""
    [key] = fernet_keys(SPEAKS_FOR_ITSELF)
    assert key == b"-zHLLT1mdBc4MHZ6WnyRA0rIpY50w6ccafbB_KMGECE="
    assert fernet_keys(replace(SPEAKS_FOR_ITSELF, client_secret="another")) != (key,)
    assert fernet_keys(replace(SPEAKS_FOR_ITSELF, token_keys=(KEY,))) == (KEY.encode(),)


def test_keys_that_are_none_are_named_by_their_place_and_never_told() -> None:
    assert fernet_keys(replace(APP, token_keys=(NEWEST, KEY))) == (NEWEST.encode(), KEY.encode())
    with pytest.raises(Misconfigured, match="no token_keys") as missing:
        fernet_keys(replace(APP, token_keys=()))
    assert "Fernet.generate_key()" in missing.value.correction
    with pytest.raises(Misconfigured, match="Of the connection's 4 token_keys number 2, 4 is not") as wrong:
        fernet_keys(replace(APP, token_keys=(KEY, "short", NEWEST, "not base64 !")))
    assert "short" not in str(wrong.value)
    assert wrong.value.correction.startswith("A Fernet key is 32 bytes")
