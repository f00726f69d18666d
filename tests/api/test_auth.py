"""The OAuth conversation, on the wire and in its decisions."""

import base64
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.scripted import ACCESS, SECRET, Reply, Server, as_json, fresh
from xero.api.auth import OAuth
from xero.api.errors import BadAnswer, Misconfigured, ReconnectNeeded, RetryLater, XeroError
from xero.api.settings import XeroApp

NOW = datetime(2026, 11, 21, 13, 59, 30, tzinfo=UTC)
GRANTED = {
    "access_token": ACCESS,
    "refresh_token": "refresh-1",
    "expires_in": 1800,
    "token_type": "Bearer",
    "scope": "a b",
}


def form(server: Server) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(server.seen[-1].body.decode()).items()}


def test_a_refresh_on_the_wire(server: Server, app: XeroApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login wrong password wrong\n")
    server.says(as_json(200, GRANTED))
    token = OAuth(app, clock=lambda: NOW).refresh(fresh())
    assert server.seen[0].path == "/connect/token"
    headers = dict(server.seen[0].headers)
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"the-client:{SECRET}".encode()).decode()
    assert form(server) == {"grant_type": "refresh_token", "refresh_token": "refresh-0"}
    assert (token.access_token, token.refresh_token, token.scope) == (ACCESS, "refresh-1", "a b")
    assert token.expires_at - NOW == timedelta(minutes=29), "a minute early"


def test_client_credentials_on_the_wire(server: Server, app: XeroApp) -> None:
    server.says(as_json(200, {"access_token": ACCESS, "expires_in": 1800, "token_type": "Bearer"}))
    token = OAuth(app).client_credentials()
    assert form(server) == {"grant_type": "client_credentials", "scope": "offline_access accounting.contacts"}
    assert token.refresh_token is None


def test_a_code_on_the_wire(server: Server, app: XeroApp) -> None:
    server.says(as_json(200, GRANTED))
    OAuth(app).exchange("the-code")
    assert form(server) == {
        "grant_type": "authorization_code", "code": "the-code", "redirect_uri": "https://qicworks.example/back",
    }  # fmt: skip


def test_revocation_on_the_wire(server: Server, app: XeroApp) -> None:
    server.says(Reply(200, b""))
    OAuth(app).revoke(fresh())
    assert server.seen[0].path == "/connect/revocation"
    assert form(server) == {"token": "refresh-0"}


def test_where_the_user_consents(app: XeroApp) -> None:
    parts = urlsplit(OAuth(app).authorization_url("the-state"))
    assert f"{parts.scheme}://{parts.netloc}" == app.login_host
    assert parts.path == "/identity/connect/authorize"
    assert {name: values[0] for name, values in parse_qs(parts.query).items()} == {
        "response_type": "code", "client_id": "the-client", "redirect_uri": "https://qicworks.example/back",
        "scope": "offline_access accounting.contacts", "state": "the-state",
    }  # fmt: skip


@pytest.mark.parametrize(("said", "life"), [(5, 4.5), ("10", 9), (600, 540), (601, 541), (None, 1740)])
def test_a_short_life_is_used_and_an_untold_one_is_the_usual(
    server: Server, app: XeroApp, said: object, life: float
) -> None:
    """Were a token of some seconds taken for expired at once, all who wait for it would ask for one of their own."""
    server.says(as_json(200, {"access_token": ACCESS, "expires_in": said, "token_type": "Bearer"}))
    token = OAuth(app, clock=lambda: NOW).client_credentials()
    assert token.expires_at == NOW + timedelta(seconds=life)
    assert not token.expired(NOW)
    assert not token.expired(token.expires_at - timedelta(microseconds=1))
    assert token.expired(token.expires_at)


def test_a_token_does_not_show_itself() -> None:
    token = fresh()
    assert not token.expired()
    assert ACCESS not in repr(token)
    assert "refresh-0" not in repr(token)


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_error_keeps_by_what_xero_finds_it(server: Server, app: XeroApp, status: int) -> None:
    said = {200: {"hello": 1}, 400: {"error": "invalid_grant"}, 404: {}}[status]
    server.says(as_json(status, said, **{"Xero-Correlation-Id": "1f-2e"}))
    with pytest.raises(XeroError) as raised:
        OAuth(app).refresh(fresh())
    assert raised.value.correlation_id == "1f-2e"


ECHO = f"refresh-0 {SECRET} {ACCESS} {base64.b64encode(f'the-client:{SECRET}'.encode()).decode()}"
#: How every correction begins: with what to do, by whom.
TO_DO = ("Check", "Compare", "Connect", "Correct", "Put", "The next run", "Nothing to do")


@pytest.mark.parametrize(
    ("reply", "decision", "words"),
    [
        (as_json(400, {"error": "invalid_grant", "error_description": ECHO}), ReconnectNeeded, "Connect to Xero again"),
        (as_json(400, {"error": "invalid_client", "error_description": ECHO}), Misconfigured, "client secret"),
        (as_json(401, {"error": "invalid_client"}), Misconfigured, "client secret"),
        (as_json(400, {"error": "unauthorized_client"}), Misconfigured, "client secret"),
        (as_json(400, {"error": "invalid_scope"}), Misconfigured, "scopes"),
        (as_json(400, {"error": f"strange {ECHO}"}), Misconfigured, "client"),
        (as_json(400, {"error": "temporarily_unavailable"}), RetryLater, "problem"),
        (Reply(404, b"<html>" + ECHO.encode(), {"Content-Type": "text/html"}), RetryLater, "identity_host"),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), Misconfigured, "identity_host"),
        (Reply(200, b"<html>" + ECHO.encode(), {"Content-Type": "text/html"}), BadAnswer, "identity_host"),
        (as_json(200, {"hello": ECHO}), BadAnswer, "identity_host"),
        (as_json(503, {"error": ECHO}), RetryLater, "503"),
        (Reply(429, b"slow down", {"Retry-After": "7"}), RetryLater, "7 seconds"),
        (Reply(200, b"{}" * 50, cut=3), RetryLater, "cannot be reached"),
    ],
)
def test_each_answer_is_a_decision_without_a_secret(
    server: Server, app: XeroApp, reply: Reply, decision: type[XeroError], words: str
) -> None:
    server.says(reply)
    with pytest.raises(XeroError) as raised:
        OAuth(app).refresh(fresh())
    error = raised.value
    assert type(error) is decision
    assert words in str(error)
    assert error.correction.startswith(TO_DO)
    assert not error.message.startswith(TO_DO)
    assert len(server.seen) == 1
    assert_clean(error)


def assert_clean(error: BaseException) -> None:
    """No secret in the error, in what it came from, or in what a log would print of both."""
    printed = "".join(traceback.format_exception(error))
    links = [error]
    while link := links[-1].__cause__ or links[-1].__context__:
        links.append(link)
    printed += "".join(repr(link) + str(vars(link)) for link in links)
    for secret in ("refresh-0", SECRET, ACCESS, base64.b64encode(f"the-client:{SECRET}".encode()).decode()):
        assert secret not in printed


def test_a_server_that_is_not_there(app: XeroApp, server: Server) -> None:
    server.close()
    with pytest.raises(RetryLater, match="cannot be reached") as raised:
        OAuth(app).client_credentials()
    assert raised.value.limit == "outage"
    assert_clean(raised.value)
