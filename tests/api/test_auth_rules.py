"""How long a token is used, what is kept when Xero leaves it out, what each answer of the identity server means."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.scripted import ACCESS, SECRET, Reply, Server, as_json, fresh
from xero.api import auth, tokens
from xero.api.auth import OAuth
from xero.api.errors import BadAnswer, Misconfigured, ReconnectNeeded, RetryLater, XeroError
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import Token

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
GRANTED = {"access_token": ACCESS, "refresh_token": "refresh-1", "expires_in": 1800, "scope": "a b"}


class Frozen(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> "Frozen":
        assert tz is UTC
        return cls.fromtimestamp(NOW.timestamp(), UTC)


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (auth, tokens):
        monkeypatch.setattr(module, "datetime", Frozen)


@pytest.mark.parametrize(
    ("said", "life"),
    [
        (1800, 1740), (600, 540), (601, 541), (599, 539.1), (5, 4.5), ("10", 9),
        (None, 1740), (0, 1740), ([], 1740),
    ],
)  # fmt: skip
def test_a_token_is_renewed_a_minute_before_its_end_and_a_short_one_a_tenth(
    server: Server, app: XeroApp, said: object, life: float
) -> None:
    server.says(as_json(200, {**GRANTED, "expires_in": said}))
    assert OAuth(app).client_credentials().expires_at - NOW == timedelta(seconds=life)


@pytest.mark.parametrize(
    ("said", "life"),
    [(b'"soon"', 1740), (b'{"a": 1}', 1740), (b"[1]", 1740), (b"NaN", None), (b"-5", 1740), (b"0.5", 1740), (b"1", 0.9),
     (b"1.9", 0.9), (b"1e20", 86_340), (b"true", 1740)],
)  # fmt: skip
def test_a_life_that_cannot_be_so_is_the_usual(server: Server, app: XeroApp, said: bytes, life: float | None) -> None:
    server.says(Reply(200, json.dumps(GRANTED).encode().replace(b"1800", said)))
    if life is None:
        with pytest.raises(BadAnswer):
            OAuth(app).refresh(fresh())
    else:
        assert OAuth(app).refresh(fresh()).expires_at - NOW == timedelta(seconds=life)


def test_it_has_expired_from_that_very_moment() -> None:
    for seconds, expired in ((0, True), (1, False), (-1, True)):
        assert Token("a", None, NOW + timedelta(seconds=seconds), "").expired() is expired


def test_what_xero_leaves_out(server: Server, app: XeroApp) -> None:
    server.says(as_json(200, {"access_token": ACCESS, "refresh_token": "", "scope": None}))
    token = OAuth(app).client_credentials()
    assert (token.refresh_token, token.scope) == (None, "")
    assert OAuth(app).refresh(fresh()).scope == fresh().scope, "a refresh grants what was granted before"
    server.says(as_json(200, {**GRANTED, "scope": "other"}))
    refreshed = OAuth(app).refresh(fresh())
    assert (refreshed.access_token, refreshed.refresh_token, refreshed.scope) == (ACCESS, "refresh-1", "other")
    assert refreshed.expires_at == NOW + timedelta(seconds=1740)


@pytest.mark.parametrize("access_token", [None, "", 7, ["x"]])
def test_an_answer_without_a_token_is_none(server: Server, app: XeroApp, access_token: object) -> None:
    server.says(as_json(200, {**GRANTED, "access_token": access_token}))
    with pytest.raises(BadAnswer, match="without an access token") as raised:
        OAuth(app).exchange("the-code")
    assert raised.value.correction.startswith("Check identity_host")


def test_without_a_refresh_token_somebody_has_to_connect(server: Server, app: XeroApp) -> None:
    with pytest.raises(ReconnectNeeded) as raised:
        OAuth(app).refresh(fresh(refresh_token=None))
    assert raised.value.message == "The stored authorisation has no refresh token."
    assert raised.value.correction == "Connect to Xero again, with the scope offline_access."
    assert server.seen == []


def test_what_is_given_back(server: Server, app: XeroApp) -> None:
    server.says(Reply(200, b""))
    OAuth(app).revoke(fresh(refresh_token=None))
    assert f"token={ACCESS}" in server.seen[0].body.decode()
    server.says(Reply(204, b""))
    with pytest.raises(Misconfigured, match="responded with HTTP 204"):
        OAuth(app).revoke(fresh())


def test_where_the_user_is_to_come_back_to_must_be_known(app: XeroApp) -> None:
    nowhere = XeroApp(**{**vars_of(app), "redirect_uri": None})
    with pytest.raises(Misconfigured) as raised:
        OAuth(nowhere).authorization_url("state")
    assert raised.value.message == "The Xero connection has no redirect_uri."
    assert raised.value.correction.startswith("Put the redirect URI")


def vars_of(app: XeroApp) -> dict[str, Any]:
    return {name: getattr(app, name) for name in app.__dataclass_fields__}


CALLS: dict[str, Callable[[OAuth], Any]] = {
    "client_credentials": OAuth.client_credentials,
    "exchange": lambda oauth: oauth.exchange("the-code"),
    "refresh": lambda oauth: oauth.refresh(fresh()),
    "revoke": lambda oauth: oauth.revoke(fresh()),
}


@pytest.mark.parametrize("call", CALLS)
def test_how_long_is_waited_and_that_no_redirect_is_followed(server: Server, app: XeroApp, call: str) -> None:
    """Ten seconds to connect, thirty to read. The secret goes to no other host."""
    seen: list[Any] = []

    class Watched(HTTPAdapter):
        def send(self, request: Any, **how: Any) -> Any:  # type: ignore[override]
            seen.append(how["timeout"])
            return super().send(request, **how)

    session = new_session()
    session.mount("http://", Watched())
    server.says(Reply(302, b"", {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(Misconfigured, match="302"):
        CALLS[call](OAuth(app, session))
    assert seen == [(10.0, 30.0)]
    assert [request.path.rpartition("/")[2] for request in server.seen] == [
        "revocation" if call == "revoke" else "token"
    ]


@pytest.mark.parametrize("call", CALLS)
def test_no_redirect_is_followed_in_any_session(server: Server, app: XeroApp, call: str) -> None:
    """In one, too, that would follow them if it were let."""
    server.says(Reply(307, b"", {"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(Misconfigured, match="307"):
        CALLS[call](OAuth(app, requests.Session()))
    assert [request.path.rpartition("/")[0] for request in server.seen] == ["/connect"]


@pytest.mark.parametrize("status", [200, 400])
def test_the_line_on_which_it_was_given_back_is_let_go(server: Server, app: XeroApp, status: int) -> None:
    answers: list[requests.Response] = []

    class Watched(HTTPAdapter):
        def send(self, request: Any, **how: Any) -> Any:  # type: ignore[override]
            answers.append(super().send(request, **how))
            return answers[-1]

    session = new_session()
    session.mount("http://", Watched())
    server.says(Reply(status, b"x" * 100_000))
    oauth = OAuth(app, session)
    if status == 200:
        oauth.revoke(fresh())
    else:
        with pytest.raises(Misconfigured, match="responded with HTTP 400"):
            oauth.revoke(fresh())
    assert [answer.raw.closed for answer in answers] == [True]


@pytest.mark.parametrize("status", [500, 501, 502, 599])
@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
def test_an_outage_is_one_whatever_it_says(server: Server, app: XeroApp, status: int, error: str) -> None:
    """Else an authorisation would be kept as broken for it, and somebody would have to connect again."""
    server.says(as_json(status, {"error": error}))
    with pytest.raises(RetryLater) as raised:
        OAuth(app).refresh(fresh())
    assert raised.value.limit == "outage"
    assert f"HTTP {status}" in raised.value.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 499])
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'["error"]', b'{"error": 7}', b'"invalid_grant"'])
def test_a_page_that_names_no_error_of_oauth_is_an_outage(
    server: Server, app: XeroApp, status: int, body: bytes
) -> None:
    server.says(Reply(status, body, {"Retry-After": "7"}))
    with pytest.raises(RetryLater, match="a page that is not from Xero") as raised:
        OAuth(app).refresh(fresh())
    assert (raised.value.limit, raised.value.seconds) == ("outage", 7)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"access_token": "a b"}, "access_token"),
        ({"refresh_token": "ü"}, "refresh_token"),
        ({"scope": "a\r\nb"}, "scope"),
        ({"access_token": "a\n", "refresh_token": "b\n"}, "access_token"),
        ({"access_token": "a\n", "refresh_token": "b\n", "scope": "c\n"}, "access_token"),
        ({"access_token": "x" * 16_385}, "access_token"),
        ({"refresh_token": "x" * 16_385}, "refresh_token"),
        ({"scope": "x" * 4_097}, "scope"),
    ],
    ids=range(8),
)
def test_what_no_header_can_carry_is_no_token(server: Server, app: XeroApp, fields: dict[str, str], named: str) -> None:
    """It is neither stored nor sent, nor told."""
    server.says(as_json(200, {**GRANTED, **fields}))
    with pytest.raises(BadAnswer, match=f" gave as {named} is none") as raised:
        OAuth(app).refresh(fresh())
    assert raised.value.correction.startswith("Check identity_host")
    assert not any(value.strip() in raised.value.message for value in fields.values() if len(value) > 2)


def test_the_longest_tokens_that_are_taken(server: Server, app: XeroApp) -> None:
    longest = {"access_token": "x" * 16_384, "refresh_token": "y" * 16_384, "scope": "z" * 4_096}
    server.says(as_json(200, {**GRANTED, **longest}))
    token = OAuth(app).refresh(fresh())
    changed = [name for name in longest if getattr(token, name) != longest[name]]
    assert not changed
    assert not token.expired()
    assert Token("x" * 16_385, None, NOW + timedelta(days=1), "").expired()
    assert Token("a b", None, NOW + timedelta(days=1), "").expired()


@pytest.mark.parametrize(
    ("status", "headers", "decision", "limit", "seconds"),
    [
        (300, {}, Misconfigured, None, None),
        (399, {}, Misconfigured, None, None),
        (429, {}, RetryLater, "app", 60),
        (429, {"Retry-After": "7"}, RetryLater, "app", 7),
        (500, {}, RetryLater, "outage", 300),
        (599, {"Retry-After": "7"}, RetryLater, "outage", 7),
    ],
)
def test_limits_and_outages_are_told_from_a_refusal(
    server: Server,
    app: XeroApp,
    status: int,
    headers: dict[str, str],
    decision: type[XeroError],
    limit: str | None,
    seconds: float | None,
) -> None:
    server.says(Reply(status, json.dumps(GRANTED).encode(), headers))
    with pytest.raises(XeroError) as raised:
        OAuth(app).refresh(fresh())
    assert type(raised.value) is decision
    if isinstance(raised.value, RetryLater):
        assert (raised.value.limit, raised.value.seconds) == (limit, seconds)


def test_what_is_no_redirect_and_no_outage_is_read(server: Server, app: XeroApp) -> None:
    server.says(Reply(299, json.dumps(GRANTED).encode()))
    assert OAuth(app).refresh(fresh()).access_token == ACCESS
    server.says(as_json(499, {"error": "invalid_client"}))
    with pytest.raises(Misconfigured):
        OAuth(app).refresh(fresh())


@pytest.mark.parametrize(
    ("error", "said"),
    [("invalid_client", "invalid_client: why"), ("x" * 40, f"{'x' * 40}: why"), ("x" * 41, "an unknown error: why"),
     ("Invalid", "an unknown error: why")],
)  # fmt: skip
def test_only_a_code_of_oauth_is_told_as_it_came(server: Server, app: XeroApp, error: str, said: str) -> None:
    server.says(as_json(400, {"error": error, "error_description": "why"}))
    with pytest.raises(Misconfigured) as raised:
        OAuth(app).client_credentials()
    assert f"({said})" in raised.value.message
    server.says(as_json(400, {"error": error}))
    with pytest.raises(Misconfigured) as raised:
        OAuth(app).client_credentials()
    assert f"({said.partition(':')[0]})" in raised.value.message, "and nothing where it says no more"


def test_a_packed_answer_is_unpacked(server: Server, app: XeroApp) -> None:
    server.says(Reply(200, gzip.compress(json.dumps(GRANTED).encode()), {"Content-Encoding": "gzip"}))
    assert OAuth(app).refresh(fresh()).access_token == ACCESS


def test_no_secret_of_the_request_comes_back_in_an_error(server: Server, app: XeroApp) -> None:
    echo = f"{SECRET} the-code refresh-0"
    server.says(as_json(400, {"error": "invalid_grant", "error_description": echo}))
    for call, secret in (("exchange", "the-code"), ("refresh", "refresh-0"), ("client_credentials", SECRET)):
        with pytest.raises(ReconnectNeeded) as raised:
            CALLS[call](OAuth(app))
        assert secret not in str(raised.value)
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
def test_trouble_that_the_identity_server_names_is_an_outage(server: Server, app: XeroApp, error: str) -> None:
    server.says(as_json(400, {"error": error}))
    with pytest.raises(RetryLater) as raised:
        OAuth(app).client_credentials()
    assert (raised.value.limit, raised.value.seconds) == ("outage", 300)


def test_an_outage_of_the_line_waits_five_minutes(app: XeroApp, server: Server) -> None:
    class Broken(HTTPAdapter):
        def send(self, request: Any, **how: Any) -> Any:  # type: ignore[override]
            raise requests.ConnectionError("no route")

    session = new_session()
    session.mount("http://", Broken())
    with pytest.raises(RetryLater) as raised:
        OAuth(app, session).client_credentials()
    assert (raised.value.limit, raised.value.seconds) == ("outage", 300)
    assert "ConnectionError" in str(raised.value)


def jwt(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


@pytest.mark.parametrize(
    ("access_token", "user"),
    [
        *[(jwt({"xero_userid": "u" * length}), "u" * length) for length in range(1, 5)],  # of every padding
        (jwt({"xero_userid": ""}), None),
        (jwt({"xero_userid": 7}), None),
        (jwt({}), None),
        (jwt(["xero_userid"]), None),
        ("opaque", None),
        ("a.b.c", None),
        ("a.!.c", None),
        pytest.param(f"a.{base64.urlsafe_b64encode(b'[' * 90_000).decode()}.c", None, id="too deep to be read"),
    ],
)
def test_who_consented_is_read_from_the_token(access_token: str, user: str | None) -> None:
    assert Token(access_token, None, NOW, "").xero_user_id == user
