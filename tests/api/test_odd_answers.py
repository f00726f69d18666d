"""Whatever answers in Xero's place, nothing is believed that Xero did not say, and no answer ends in an accident."""

import gzip
import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
import requests
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scripted import Reply, Rig, Server, Tokens, as_json
from xero.api import answers, connections, session
from xero.api.auth import OAuth
from xero.api.client import Answer, XeroClient
from xero.api.errors import (
    BadAnswer,
    Disconnected,
    NotAvailable,
    OutOfBounds,
    Refused,
    RetryLater,
    XeroError,
)
from xero.api.limits import NoLimiter
from xero.api.settings import XeroApp
from xero.api.tokens import Token
from xero.datasets.registry import DATASETS
from xero.sync.pull.records import records_in

CONTACTS, EMPLOYEES = "/api.xro/2.0/Contacts", "/payroll.xro/1.0/Employees"
PAGE = b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD><BODY><H1>Access Denied</H1> Reference #18.2</BODY></HTML>"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = as_json(200, {"Contacts": []})


def page(status: int, body: bytes = PAGE, content_type: str = "text/html") -> Reply:
    return Reply(status, body, {"Content-Type": content_type})


# -- a page that is not from Xero


@pytest.mark.parametrize("path", [CONTACTS, EMPLOYEES, "/connections", f"{CONTACTS}/1/Attachments/x.pdf"])
@pytest.mark.parametrize(
    "reply",
    [page(403), page(400), page(401), page(404), page(407), page(403, b"Access Denied"), page(400, b"Bad Request"),
     page(403, b"Forbidden", "text/plain"), page(403, gzip.compress(PAGE)), as_json(403, {"requestId": "x"}),
     as_json(403, {"blocked": True, "by": "gateway"})],
    ids=range(11),
)  # fmt: skip
def test_a_page_of_somebody_else_is_an_outage(rig: Rig, server: Server, path: str, reply: Reply) -> None:
    if reply.body[:2] == b"\x1f\x8b":
        reply.headers["Content-Encoding"] = "gzip"
    server.says(reply)
    with pytest.raises(RetryLater, match="not from Xero") as raised:
        rig.client.get(path)
    assert raised.value.limit == "outage"
    assert (len(rig.pauses), rig.tokens.renewals) == (4, 0)
    server.says(reply, as_json(200, {"Status": "OK"}))
    assert rig.client.get(path).status == 200, "it is over minutes later"


def test_too_large_is_too_large_whoever_says_so(rig: Rig, server: Server) -> None:
    server.says(page(413, b"<html>413 Request Entity Too Large</html>"))
    with pytest.raises(Refused) as raised:
        rig.client.write("PUT", CONTACTS, b"{}", key="k")
    assert raised.value.status == 413


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "text/plain", ""])
def test_a_sentence_of_xero_s_is_shown(rig: Rig, server: Server, content_type: str) -> None:
    server.says(page(404, b"The resource you're looking for cannot be found", content_type))
    with pytest.raises(Refused, match="cannot be found"):
        rig.client.get(CONTACTS)


def test_an_empty_403_of_payroll_is_no_payroll(rig: Rig, server: Server) -> None:
    server.says(Reply(403, b""))
    with pytest.raises(NotAvailable, match="needs Xero Payroll"):
        rig.client.get(EMPLOYEES)


@pytest.mark.parametrize("reply", [page(403), page(400, b"Bad Request"), as_json(403, {"message": "no"}), page(404)])
def test_a_page_in_place_of_a_token_is_an_outage(app: XeroApp, server: Server, reply: Reply) -> None:
    server.says(reply)
    for ask in (OAuth(app).client_credentials, lambda: OAuth(app).refresh(Tokens().token)):
        with pytest.raises(RetryLater) as raised:
            ask()
        assert raised.value.limit == "outage"


# -- the case of keys


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title, str.swapcase])
def test_keys_come_in_any_case(rig: Rig, server: Server, change: Any) -> None:
    def said(status: int, detail: str) -> Reply:
        return as_json(status, {change("Title"): "Forbidden", change("Status"): status, change("Detail"): detail})

    server.says(said(403, "AuthenticationUnsuccessful"))
    with pytest.raises(Disconnected):
        rig.client.get(CONTACTS)
    server.says(as_json(400, {change("Elements"): [{change("ValidationErrors"): [{change("Message"): "No such"}]}]}))
    with pytest.raises(Refused, match="No such"):
        rig.client.get(CONTACTS)
    for path, scope in ((CONTACTS, "accounting.contacts"), (EMPLOYEES, "payroll.employees"),
                        ("/payroll.xro/1.0/PayRuns", "payroll.payruns.read"),
                        ("/api.xro/2.0/TaxRates", "accounting.settings.read")):  # fmt: skip
        server.says(said(401, "AuthorizationUnsuccessful"))
        with pytest.raises(NotAvailable, match=f"scope {scope}"):
            rig.client.get(path)


# -- nothing has changed


def test_a_304_is_an_empty_page(rig: Rig, server: Server) -> None:
    server.says(Reply(304, b""))
    answer = rig.client.get(CONTACTS, modified_since=datetime(2026, 11, 1, tzinfo=UTC))
    assert records_in(answer, DATASETS["contacts"].sources[0]) == []
    assert answers.announced(answer.data, "pageCount") is None
    assert answer.server_time is not None
    with pytest.raises(BadAnswer):
        rig.client.get(CONTACTS)


# -- bounds


@pytest.mark.parametrize("path", [CONTACTS, "/connect/token"])
def test_what_unpacks_to_too_much_is_not_unpacked(rig: Rig, app: XeroApp, server: Server, path: str) -> None:
    bomb = gzip.compress(b" " * (answers.MAX_BYTES_UNPACKED + 1), 1)
    assert len(bomb) < 1 << 20
    server.says(Reply(200, bomb, {"Content-Encoding": "gzip"}))
    with pytest.raises(OutOfBounds, match="unpacks to more than"):
        rig.client.get(path) if path == CONTACTS else OAuth(app).client_credentials()
    assert len(server.seen) == 1, "asked once"


def test_gzip_in_several_parts_is_read_whole(rig: Rig, server: Server) -> None:
    parts = gzip.compress(b'{"Contacts"') + gzip.compress(b': [], "Status": "OK"}')
    server.says(Reply(200, parts, {"Content-Encoding": "gzip"}))
    assert rig.client.get(CONTACTS).data["Contacts"] == []


def test_what_is_too_large_is_not_read_to_its_end(rig: Rig, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_BYTES_ON_WIRE", 1000)
    server.says(Reply(200, b" " * 1001))
    with pytest.raises(OutOfBounds):
        rig.client.get(CONTACTS)
    server.says(Reply(200, b'{"Status": "OK"}'.ljust(1000)))
    assert rig.client.get(CONTACTS).status == 200


@pytest.mark.parametrize("path", [CONTACTS, "/connect/token"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b" " * 600, drip=0.05),
        Reply(raw=b"HTTP/1.1 200 OK" + b" " * 600, drip=0.05),
        Reply(raw=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"1" * 600, drip=0.05),
        Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 100, drip=0.01),
        Reply(raw=CHUNKED + b"1\r\n \r\n" * 100, drip=0.01),
        Reply(raw=CHUNKED + b"0" * 200, drip=0.01),
        Reply(raw=CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 100, drip=0.01),
        Reply(raw=b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 9999\r\n\r\n" + b" " * 200, drip=0.01),
    ],
    ids=["body", "status", "header", "continue", "chunks", "size of a chunk", "trailers", "redirect"],
)
def test_what_drips_is_not_waited_for(
    rig: Rig, app: XeroApp, server: Server, monkeypatch: pytest.MonkeyPatch, path: str, reply: Reply
) -> None:
    """Each byte comes well within the timeout, and the last one never."""
    monkeypatch.setattr(session, "MAX_SECONDS", 0.2)
    server.says(reply)
    with pytest.raises(OutOfBounds, match="not complete"):
        rig.client.get(path) if path == CONTACTS else OAuth(app).client_credentials()
    assert len(server.seen) == 1


# -- anything at all


class Answering(requests.Session):
    """A session that gets one answer for everything."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__()
        self.answer = (status, headers, body)

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        status, headers, body = self.answer
        raw = urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False, decode_content=False)
        adapter: Any = requests.adapters.HTTPAdapter()
        response: requests.Response = adapter.build_response(request, raw)
        for hook in request.hooks["response"]:
            hook(response)
        return response


WORDS = st.text(max_size=20) | st.sampled_from(
    ["AuthenticationUnsuccessful", "AuthorizationUnsuccessful", "invalid_grant"]
)
KEYS = st.sampled_from(
    ["Detail", "detail", "Title", "Status", "Message", "Elements", "ValidationErrors", "problem", "error", "scope",
     "access_token", "refresh_token", "expires_in", "DateTimeUTC", "pagination", "Contacts", "pageCount"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | WORDS, inner, max_size=4),
    max_leaves=20,
)
DEEP = st.integers(100, 3000).map(lambda depth: ('{"Elements":[' * depth + "1" + "]}" * depth).encode())
BODIES = st.binary(max_size=60) | JSON.map(lambda said: json.dumps(said).encode()) | DEEP
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "X-Rate-Limit-Problem", "X-DayLimit-Remaining", "Content-Encoding",
                     "Content-Type", "Location"]),
    st.sampled_from(["", "0", "-1", "9" * 20, "1e400", "gzip", "Mon, 01 Jan 99999 00:00:00 GMT", "day",
                     "Mon, 01 Jan 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359", "text/html", "nan",
                     "Mon, 99 Zzz 2026 00:00:00 +999999999999"])
    | st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20),
    max_size=3,
)  # fmt: skip
STATUSES = st.sampled_from([200, 201, 204, 301, 304, 400, 401, 403, 404, 412, 413, 429, 500, 501, 503])


def client(session: requests.Session) -> XeroClient:
    return XeroClient(XeroApp("id", "secret"), session, Tokens(), NoLimiter(), "tenant", max_wait=0.0)


@settings(deadline=None)
@given(status=STATUSES, headers=HEADERS, body=BODIES, path=st.sampled_from([CONTACTS, EMPLOYEES, "/connections"]))
def test_any_answer_is_an_answer_or_a_decision(status: int, headers: dict[str, str], body: bytes, path: str) -> None:
    with suppress(XeroError):
        answer = client(Answering(status, headers, body)).get(path)
        assert isinstance(answer, Answer)
        assert answers.announced(answer.data, "pageCount") is None or status == 200


@settings(deadline=None)
@given(status=STATUSES, headers=HEADERS, body=BODIES)
def test_any_answer_of_the_identity_server_is_a_token_or_a_decision(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    oauth = OAuth(XeroApp("id", "secret", grant_type="client_credentials"), Answering(status, headers, body))
    for ask in (oauth.client_credentials, lambda: oauth.refresh(Tokens().token), lambda: oauth.revoke(Tokens().token)):
        with suppress(XeroError):
            token = ask()
            assert token is None or isinstance(token, Token)


@settings(deadline=None)
@given(body=BODIES)
def test_any_list_of_connections_is_one_or_a_decision(body: bytes) -> None:
    with suppress(XeroError), mock.patch.dict(connections.HASTE, {"backoff": (), "max_wait": 0.0}):
        connections.get_connections(XeroApp("id", "secret"), Tokens(), Answering(200, {}, body))


@pytest.mark.parametrize("depth", [30, 900, 5000])
def test_a_refusal_nested_deep_is_a_refusal(depth: int) -> None:
    said: Any = {"Message": "deep"}
    for _ in range(depth):
        said = {"Elements": [said]}
    assert Refused(400, said).status == 400
