"""The client on the wire: what it sends, and what it makes of each answer."""

import gzip
import logging
import traceback
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.scripted import ACCESS, Reply, Rig, Server, Tokens, as_json
from xero.api.client import XeroClient
from xero.api.connections import delete_connection, get_connections
from xero.api.errors import (
    BadAnswer,
    Disconnected,
    Misconfigured,
    NotAvailable,
    ReconnectNeeded,
    Refused,
    RetryLater,
    XeroError,
)
from xero.api.limits import NoLimiter
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import Token

CONTACTS = "/api.xro/2.0/Contacts"
OK = as_json(200, {"Status": "OK", "DateTimeUTC": "/Date(1600000000123)/", "Contacts": []})


def titled(status: int, detail: str) -> Reply:
    return as_json(status, {"Type": None, "Title": "x", "Status": status, "Detail": detail, "Extensions": {}})


def test_exactly_these_headers_and_no_netrc(
    rig: Rig, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login wrong password wrong\n")
    since = datetime(2026, 3, 1, 10, 30, 5, 999_999, timezone(timedelta(hours=10, minutes=30)))
    rig.client.get(
        CONTACTS, params={"page": 2, "includeArchived": True, "order": "UpdatedDateUTC ASC"}, modified_since=since
    )
    (seen,) = server.seen
    assert seen.path == f"{CONTACTS}?page=2&includeArchived=true&order=UpdatedDateUTC+ASC"
    assert sorted(seen.headers) == sorted(
        [
            ("Host", server.url.removeprefix("http://")),
            ("User-Agent", "qicworks-xero"),
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip"),
            ("Connection", "keep-alive"),
            ("Authorization", f"Bearer {ACCESS}"),
            ("xero-tenant-id", "tenant-1"),
            ("If-Modified-Since", "2026-03-01T00:00:05"),
        ]
    )


def test_one_connection_is_kept_and_no_cookie_comes_back(rig: Rig, server: Server) -> None:
    server.says(Reply(headers={"Set-Cookie": "tracking=1"}))
    for _ in range(5):
        rig.client.get(CONTACTS)
    assert len({seen.port for seen in server.seen}) == 1
    assert not [name for seen in server.seen for name, _ in seen.headers if name == "Cookie"]


def test_an_answer(rig: Rig, server: Server) -> None:
    body = gzip.compress(
        b'{"Status": "OK", "DateTimeUTC": "/Date(1600000000123)/", "Contacts": [{"Balance": 10.10}]}' + b" " * 5000
    )
    server.says(Reply(200, body, {"Content-Encoding": "gzip", "X-MinLimit-Remaining": "59"}))
    answer = rig.client.get(CONTACTS)
    assert answer.data["Contacts"] == [{"Balance": Decimal("10.10")}]
    assert answer.server_time == datetime(2020, 9, 13, 12, 26, 40, 123000, UTC)
    assert answer.bytes_received == len(body) == rig.client.bytes_received
    assert answer.bytes_unpacked == len(gzip.decompress(body)) == rig.client.bytes_unpacked
    assert answer.headers["x-minlimit-remaining"] == "59"
    assert (answer.status, rig.client.calls) == (200, 1)


def test_an_answer_and_an_error_keep_by_what_xero_finds_them(rig: Rig, server: Server) -> None:
    server.says(Reply(headers={"Xero-Correlation-Id": "0b9d-1"}))
    rig.client.get(CONTACTS)
    assert rig.client.correlation_id == "0b9d-1"
    refusal = as_json(404, {"Title": "Not found", "Status": 404, "Detail": "gone"}, **{"Xero-Correlation-Id": "0b9d-2"})
    server.says(refusal)
    with pytest.raises(Refused) as raised:
        rig.client.get(CONTACTS)
    assert (raised.value.correlation_id, rig.client.correlation_id) == ("0b9d-2", "0b9d-2")
    # The last attempt's, and none where that was not answered.
    server.says(Reply(503, headers={"Xero-Correlation-Id": "0b9d-3"}), *[Reply(200, b"{}" * 50, cut=3)] * 9)
    with pytest.raises(RetryLater) as lost:
        rig.client.get(CONTACTS)
    assert lost.value.correlation_id is None
    assert rig.client.correlation_id == "0b9d-3", "the last that Xero answered with"


@pytest.mark.parametrize("odd", ["", " ", "a b", "x" * 65, "<script>", "eyJ.abc", "é"])
def test_what_is_no_such_id_is_not_kept(rig: Rig, server: Server, odd: str) -> None:
    server.says(Reply(headers={"Xero-Correlation-Id": odd.encode().decode("latin-1")}))
    rig.client.get(CONTACTS)
    assert rig.client.correlation_id is None


def test_without_an_envelope_time_the_date_header_counts(rig: Rig, server: Server) -> None:
    server.says(Reply(headers={"Date": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    assert rig.client.get(CONTACTS).server_time == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)


def test_a_naive_moment_is_a_mistake_of_the_caller(rig: Rig) -> None:
    with pytest.raises(ValueError, match="aware"):
        rig.client.get(CONTACTS, modified_since=datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_expired_token_is_renewed_before_it_is_sent(rig: Rig, server: Server) -> None:
    rig.tokens.token = Token("old", None, datetime.now(UTC) - timedelta(seconds=1), "")
    rig.client.get(CONTACTS)
    assert dict(server.seen[0].headers)["Authorization"] == "Bearer renewed-1"


def test_401_renews_once_and_goes_on(rig: Rig, server: Server) -> None:
    server.says(titled(401, "TokenExpired: token expired at 01/01/2026 00:00:00"), OK)
    rig.client.get(CONTACTS)
    assert [dict(seen.headers)["Authorization"] for seen in server.seen] == [f"Bearer {ACCESS}", "Bearer renewed-1"]
    assert (rig.client.calls, rig.tokens.renewals, sum(rig.pauses)) == (2, 1, 0)
    rig.client.get(CONTACTS)
    assert dict(server.seen[-1].headers)["Authorization"] == "Bearer renewed-1"


def test_a_second_401_is_for_a_human(rig: Rig, server: Server) -> None:
    server.says(titled(401, "TokenExpired"))
    with pytest.raises(ReconnectNeeded, match="Connect to Xero again"):
        rig.client.get(CONTACTS)
    assert (len(server.seen), rig.tokens.renewals) == (2, 1)


@pytest.mark.parametrize(
    ("path", "reply", "decision", "words"),
    [
        (CONTACTS, titled(403, "AuthenticationUnsuccessful"), Disconnected, "connect again"),
        (CONTACTS, titled(401, "AuthorizationUnsuccessful"), NotAvailable, "scope"),
        (CONTACTS, titled(403, "AuthorizationUnsuccessful"), NotAvailable, "scope"),
        ("/payroll.xro/1.0/Employees", titled(403, "Forbidden"), NotAvailable, "payroll administrator"),
        (CONTACTS, titled(403, f"echo {ACCESS}"), Refused, "403"),
        (CONTACTS, as_json(400, {"Message": f"No property; {ACCESS}"}), Refused, "No property"),
        (CONTACTS, Reply(404, b"The resource cannot be found", {"Content-Type": "text/plain"}), Refused, "be found"),
        (CONTACTS, Reply(412, b""), Refused, "no reason"),
    ],
)  # fmt: skip
def test_refusals_are_decisions_at_once(
    rig: Rig, server: Server, path: str, reply: Reply, decision: type[XeroError], words: str
) -> None:
    server.says(reply)
    with pytest.raises(XeroError) as raised:
        rig.client.get(path)
    assert type(raised.value) is decision
    assert words in str(raised.value)
    assert raised.value.correction
    assert (len(server.seen), rig.pauses) == (1, [])
    assert_clean(raised.value)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, b"offline", {"Content-Type": "text/plain"}), Reply(500, b"<html>"), Reply(502), Reply(504),
        Reply(200, b'{"Contacts": [1, 2, 3]}', cut=10),
        Reply(200, b'{"Contacts": [1, 2'),
        Reply(200, b"<html>We'll be back soon</html>"),
        Reply(200, b"[]"),
        Reply(200, gzip.compress(b'{"Status": "OK", "Contacts": []}')[:-9], {"Content-Encoding": "gzip"}),
        Reply(200, b"not gzip", {"Content-Encoding": "gzip"}),
    ],
    ids=range(10),
)  # fmt: skip
def test_an_outage_is_ridden_out(rig: Rig, server: Server, reply: Reply) -> None:
    server.says(reply, reply, reply, OK)
    assert rig.client.get(CONTACTS).data["Contacts"] == []
    assert rig.pauses == [1.0, 2.0, 4.0]
    assert rig.client.calls == 4


@pytest.mark.parametrize(
    ("reply", "decision"),
    [(Reply(503, b"offline"), RetryLater), (Reply(200, b"{", cut=0), RetryLater), (Reply(200, b"<html>"), BadAnswer),
     (Reply(301, b"", {"Location": "https://elsewhere.example/"}), BadAnswer)],
)  # fmt: skip
def test_an_outage_that_lasts_is_told(rig: Rig, server: Server, reply: Reply, decision: type[XeroError]) -> None:
    server.says(reply)
    with pytest.raises(XeroError) as raised:
        rig.client.get(CONTACTS)
    assert type(raised.value) is decision
    assert rig.pauses == [1.0, 2.0, 4.0, 8.0]
    assert len(server.seen) == 5
    assert_clean(raised.value)


def test_a_silent_server_is_an_outage(app: XeroApp, server: Server) -> None:
    server.close()
    client = XeroClient(app, new_session(), Tokens(), NoLimiter(), "t", backoff=(0.01,), timeouts=(0.2, 0.2))
    with pytest.raises(RetryLater, match="no answer came") as raised:
        client.get(CONTACTS)
    assert raised.value.limit == "outage"
    assert_clean(raised.value)


def test_503_that_names_a_time_is_obeyed(rig: Rig, server: Server) -> None:
    server.says(Reply(503, b"", {"Retry-After": "30"}), OK)
    rig.client.get(CONTACTS)
    assert rig.pauses == [30.0]


def test_503_for_longer_than_our_patience_is_told(rig: Rig, server: Server) -> None:
    server.says(Reply(503, b"", {"Retry-After": "4000"}))
    with pytest.raises(RetryLater) as raised:
        rig.client.get(CONTACTS)
    assert (raised.value.seconds, rig.pauses) == (4000, [])


def test_a_short_429_is_waited_out_never_early(rig: Rig, server: Server) -> None:
    limited = Reply(429, b"Rate Limit Exceeded", {"Retry-After": "12", "X-Rate-Limit-Problem": "minute"})
    server.says(limited, limited, OK)
    rig.client.get(CONTACTS)
    assert len(rig.pauses) == 2
    assert all(12 < pause < 27 for pause in rig.pauses)


def test_a_long_429_holds_nothing(rig: Rig, server: Server) -> None:
    server.says(Reply(429, b"", {"Retry-After": "66975", "X-Rate-Limit-Problem": "day"}))
    with pytest.raises(RetryLater) as raised:
        rig.client.get(CONTACTS)
    assert raised.value.limit == "day"
    assert 66975 <= raised.value.seconds < 66990
    assert (len(server.seen), rig.pauses) == (1, [])


@pytest.mark.parametrize(("max_wait", "sent"), [(0.999, 2), (1.0, 3), (1.499, 3), (1.5, 4)])
def test_patience_is_for_one_call_as_a_whole(
    app: XeroApp, server: Server, clock: Clock, max_wait: float, sent: int
) -> None:
    """Each pause is of half a second."""
    server.says(Reply(429, b"", {"Retry-After": "0", "X-Rate-Limit-Problem": "minute"}))
    how = {"max_wait": max_wait, "sleep": clock.sleep, "clock": clock}
    client = XeroClient(app, new_session(), Tokens(), NoLimiter(), "t", **how)
    with pytest.raises(RetryLater):
        client.get(CONTACTS)
    assert len(server.seen) == sent
    assert clock.slept == [0.5] * (sent - 1)


def test_what_takes_longer_than_five_minutes_is_not_waited_for(rig: Rig, server: Server) -> None:
    server.says(Reply(503, b"", {"Retry-After": "300"}), OK)
    rig.client.get(CONTACTS)
    assert rig.pauses == [300.0]
    server.says(Reply(503, b"", {"Retry-After": "300.001"}), OK)
    with pytest.raises(RetryLater):
        rig.client.get(CONTACTS)
    assert rig.pauses == [300.0]


def test_what_the_token_store_decides_goes_through(rig: Rig, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise Misconfigured("Wrong.", "Correct it.")

    server.says(titled(401, "TokenExpired"))
    monkeypatch.setattr(rig.tokens, "renew", refuse)
    with pytest.raises(Misconfigured):
        rig.client.get(CONTACTS)


def test_nothing_secret_is_logged(rig: Rig, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "xero")  # which a command line in the same process may have set
    server.says(
        titled(401, f"TokenExpired {ACCESS}"), titled(503, f"offline {ACCESS}"), Reply(200, ACCESS.encode()), OK
    )
    rig.client.get(CONTACTS)
    assert "renewed" in caplog.text
    assert "Next attempt in 1.0 s" in caplog.text
    assert ACCESS not in caplog.text
    assert "renewed-1" not in caplog.text


def test_the_organisations_of_an_authorisation(app: XeroApp, server: Server) -> None:
    entry = {
        "id": "c-1",
        "authEventId": "e",
        "tenantId": "t-1",
        "tenantType": "ORGANISATION",
        "tenantName": "Müller",
        "new": 1,
    }
    server.says(as_json(503, {}), as_json(200, [entry]))
    (connection,) = get_connections(app, Tokens().token)
    assert (connection.id, connection.tenant_id, connection.tenant_name) == ("c-1", "t-1", "Müller")
    assert "xero-tenant-id" not in [name.lower() for seen in server.seen for name, _ in seen.headers]
    assert {seen.path for seen in server.seen} == {"/connections"}


@pytest.mark.parametrize("content", [{}, [1], [{"id": "x"}]])
def test_a_list_of_connections_that_cannot_be_read(app: XeroApp, server: Server, content: object) -> None:
    server.says(as_json(200, content))
    with pytest.raises(BadAnswer):
        get_connections(app, Tokens())


def test_a_connection_is_deleted_by_its_own_id(app: XeroApp, server: Server) -> None:
    server.says(Reply(204, b""), Reply(404, b"", {"Content-Type": "text/plain"}))
    assert delete_connection(app, Tokens(), "c-1") is True
    assert delete_connection(app, Tokens(), "c-1") is False
    assert [(seen.method, seen.path) for seen in server.seen] == [("DELETE", "/connections/c-1")] * 2


def assert_clean(error: BaseException) -> None:
    printed = "".join(traceback.format_exception(error))
    links = [error]
    while link := links[-1].__cause__ or links[-1].__context__:
        links.append(link)
    assert ACCESS not in printed + "".join(repr(link) + str(vars(link)) for link in links)
