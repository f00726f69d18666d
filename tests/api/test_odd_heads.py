"""Whatever a server sends, in its head, its body or its tokens: an answer or a decision, and never an accident."""

import base64
import gzip
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import requests

from tests.support.scripted import Reply, Rig, Server
from xero.api import answers, session
from xero.api.auth import OAuth
from xero.api.errors import BadAnswer, OutOfBounds, RetryLater, XeroError
from xero.api.settings import XeroApp
from xero.api.tokens import Token

CONTACTS = "/api.xro/2.0/Contacts"
OK = json.dumps({"Contacts": []}).encode()

HEADS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"HTTP/1.1 000 OK\r\n\r\n",
    b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"\r\n\r\n",
    b"",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: nameless\r\nno colon\r\n folded\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nabc\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 2\r\n\r\n\xff\xff",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: br, zstd, gzip\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; expires=" + b" " * 50000 + b"x; max-age=\xff\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; expires=" + b"1-" * 25000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nSet-Cookie2: " + b'a="' + b"\\" * 50000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nDate: " + b"1 " * 30000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"9" * 60000 + b"\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 401 No\r\nWWW-Authenticate: " + b'Digest realm="' * 1000 + b"\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\nhello",
]


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_an_odd_head_is_an_answer_or_a_decision(
    rig: Rig, app: XeroApp, server: Server, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_SECONDS", 0.5)
    server.says(Reply(raw=head, cut=len(head)))
    with suppress(XeroError):
        rig.client.get(CONTACTS)
    with suppress(XeroError):
        OAuth(app).client_credentials()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "location", ["http://[", "\xff\xfe", "//[::1", "", "x" * 60000, "http://:99999999/", "https://@:/", "/elsewhere"]
)
def test_wherever_a_redirect_points_it_is_a_decision(
    server: Server, rig: Rig, app: XeroApp, location: str, status: int
) -> None:
    server.says(Reply(status, gzip.compress(b" "), {"Location": location, "Content-Encoding": "gzip"}))
    with pytest.raises(XeroError):
        rig.client.get(CONTACTS)
    with pytest.raises(XeroError):
        OAuth(app).client_credentials()
    assert {seen.path for seen in server.seen} == {CONTACTS, "/connect/token"}


def test_the_body_of_a_redirect_is_not_unpacked(server: Server, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.Response, "content", property(lambda self: pytest.fail("it was read, and unpacked")))
    server.says(Reply(302, gzip.compress(b" " * 1000), {"Location": "/elsewhere", "Content-Encoding": "gzip"}))
    with pytest.raises(BadAnswer):
        rig.client.get(CONTACTS)


def test_a_gzip_of_very_many_parts_is_out_of_bounds(server: Server, rig: Rig) -> None:
    """Each part costs what is left of the body."""
    for parts, refused in ((answers.MAX_PARTS - 1, False), (answers.MAX_PARTS, True)):
        server.says(Reply(200, gzip.compress(b"") * parts + gzip.compress(OK), {"Content-Encoding": "gzip"}))
        if refused:
            with pytest.raises(OutOfBounds, match="parts"):
                rig.client.get(CONTACTS)
        else:
            assert rig.client.get(CONTACTS).status == 200


@pytest.mark.parametrize("unit", [b"{}", b"[]", b'{"a":1}', b'""'])
def test_what_would_fill_the_memory_is_not_decoded(
    server: Server, rig: Rig, unit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MAX_VALUES", 1000)
    body = b'{"Contacts":[' + b",".join([unit] * 1001) + b"]}"
    server.says(Reply(200, body))
    with pytest.raises(OutOfBounds, match="values"):
        rig.client.get(CONTACTS)


# -- tokens

ODD = ["a\r\nX-Evil: 1", "a\nb", " ", "\u20ac", "\ud800", "a\x00b", "x" * 20_000, "é", "\t"]


@pytest.mark.parametrize("token", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_token_that_no_header_can_carry_is_none(server: Server, app: XeroApp, name: str, token: str) -> None:
    said = {"access_token": "a" * 30, "refresh_token": "r" * 30, "expires_in": 1800, name: token}
    server.says(Reply(200, json.dumps(said).encode()))
    with pytest.raises(BadAnswer, match=name) as raised:
        OAuth(app).client_credentials()
    assert token.strip() not in str(raised.value) or not token.strip()


@pytest.mark.parametrize("scope", ["\ud800", "a\x00b", "x" * 5000])
def test_a_scope_that_cannot_be_kept_is_none(server: Server, app: XeroApp, scope: str) -> None:
    server.says(Reply(200, json.dumps({"access_token": "a", "scope": scope}).encode()))
    with pytest.raises(BadAnswer, match="scope"):
        OAuth(app).client_credentials()


@pytest.mark.parametrize("token", [one for one in ODD if len(one) < 100], ids=ascii)
def test_an_odd_token_that_was_kept_is_renewed(server: Server, rig: Rig, token: str) -> None:
    rig.tokens.token = Token(token, "r", rig.tokens.token.expires_at, "s")
    server.says(Reply(200, OK))
    assert rig.client.get(CONTACTS).status == 200
    assert rig.tokens.renewals == 1


def test_a_token_does_not_live_for_years(server: Server, app: XeroApp) -> None:
    server.says(Reply(200, json.dumps({"access_token": "a" * 30, "expires_in": 10**12}).encode()))
    assert OAuth(app).client_credentials().expires_at - datetime.now(UTC) <= timedelta(days=1)


# -- words


@pytest.mark.parametrize("odd", ["\ud800", "\x9b31m", "\u2028", "\u202e", "\x85", "\x1b[2J", "\r\n", "\u200b"])
def test_words_are_fit_for_logs_rows_and_terminals(server: Server, rig: Rig, app: XeroApp, odd: str) -> None:
    said = {"Elements": [{"ValidationErrors": [{"Message": f"a{odd}b"}]}]}
    for reply in (Reply(400, json.dumps(said).encode()), Reply(500, json.dumps({"Detail": f"a{odd}b"}).encode())):
        server.says(reply)
        with pytest.raises(XeroError) as raised:
            rig.client.get(CONTACTS)
        str(raised.value).encode()
        assert odd[0] not in str(raised.value)
    server.says(Reply(400, json.dumps({"error": "invalid_client", "error_description": f"a{odd}b"}).encode()))
    with pytest.raises(XeroError) as raised:
        OAuth(app).client_credentials()
    assert odd[0] not in str(raised.value)


def spellings(secret: str) -> list[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return [secret, quote(secret, safe=""), encoded, secret.replace("/", "\\/")]


def test_no_spelling_of_a_secret_is_told(server: Server) -> None:
    secret = "s3cr3t/of+the=client"
    app = XeroApp("me", secret, api_host=server.url, identity_host=server.url, grant_type="client_credentials")
    for echo in [*spellings(secret), base64.b64encode(f"me:{secret}".encode()).decode()]:
        said = {"error": "invalid_client", "error_description": f"you sent {echo}, no"}
        server.says(Reply(400, json.dumps(said).encode()))
        with pytest.raises(XeroError) as raised:
            OAuth(app).client_credentials()
        assert echo.rstrip("=") not in str(raised.value)


def test_no_spelling_of_a_token_is_told(server: Server, rig: Rig) -> None:
    token = "opaque/token+of=xero"
    rig.tokens.token = Token(token, "r", rig.tokens.token.expires_at, "s")
    for echo in spellings(token):
        server.says(Reply(400, json.dumps({"Message": f"not {echo}"}).encode()))
        with pytest.raises(XeroError) as raised:
            rig.client.get(CONTACTS)
        assert echo.rstrip("=") not in str(raised.value)


# -- waiting


@pytest.mark.parametrize("problem", ["app", "minute", "concurrent"])
def test_a_limit_of_a_minute_closes_no_day(server: Server, rig: Rig, problem: str) -> None:
    server.says(Reply(429, b"", {"Retry-After": "86400", "X-Rate-Limit-Problem": problem}))
    with pytest.raises(RetryLater) as raised:
        rig.client.get(CONTACTS)
    assert raised.value.seconds <= 3601


def test_outages_of_all_calls_together_are_waited_for_a_quarter_of_an_hour(server: Server, rig: Rig) -> None:
    """Each call would have a patience of its own."""
    busy, fine = Reply(503, b"", {"Retry-After": "290"}), Reply(200, OK)
    server.says(*[busy, fine] * 10)
    for _ in range(3):
        assert rig.client.get(CONTACTS).status == 200
    with pytest.raises(RetryLater):
        rig.client.get(CONTACTS)
    assert sum(rig.pauses) <= 900


def test_since_ever_is_no_condition(server: Server, rig: Rig) -> None:
    """What a server's clock said may be before any calendar of HTTP's."""
    for since, said in ((datetime(1, 1, 1, tzinfo=UTC), None), (datetime(1752, 12, 31, tzinfo=UTC), None),
                        (datetime(1753, 1, 1, tzinfo=UTC), "1753-01-01T00:00:00")):  # fmt: skip
        server.says(Reply(200, OK))
        rig.client.get(CONTACTS, modified_since=since)
        assert dict(server.seen[-1].headers).get("If-Modified-Since") == said
