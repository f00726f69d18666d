"""Writing on the wire: what goes under a key, when the same is sent again, and what is said of it when nobody knows."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.scripted import ACCESS, Reply, Rig, Server, Tokens, as_json
from xero.api.client import XeroClient
from xero.api.errors import (
    BadAnswer,
    Disconnected,
    NotAvailable,
    NotSent,
    ReconnectNeeded,
    Refused,
    RetryLater,
    XeroError,
)
from xero.api.limits import NoLimiter
from xero.api.session import new_session
from xero.api.settings import XeroApp

INVOICES = "/api.xro/2.0/Invoices"
KEY = "8c5f6c2e-3c3f-4c53-9d5e-6c1f4b9a2d11"
BODY = '{"Invoices":[{"Reference":"Café"}]}'.encode()
OK = as_json(200, {"Status": "OK", "Invoices": []})
CUT = Reply(200, b'{"Invoices": []}', cut=4)
REFUSED = as_json(400, {"Message": "A validation exception occurred"})
EXPIRED = as_json(401, {"Detail": "TokenExpired: token expired"})
MINUTE = Reply(429, b"", {"Retry-After": "2", "X-Rate-Limit-Problem": "minute"})
DAY = Reply(429, b"", {"Retry-After": "40000", "X-Rate-Limit-Problem": "day"})


def write(rig: Rig, method: str = "PUT", **how: Any) -> Any:
    return rig.client.write(method, INVOICES, BODY, key=KEY, **how)


def test_exactly_these_headers(rig: Rig, server: Server) -> None:
    write(rig, "POST", params={"summarizeErrors": "false", "unitdp": "4"})
    path = f"{INVOICES}/1/Attachments/plan%20B.pdf"
    rig.client.write("PUT", path, b"\0\xff", key="k", content_type="application/pdf")
    common = [
        ("Host", server.url.removeprefix("http://")),
        ("User-Agent", "qicworks-xero"),
        ("Accept", "application/json"),
        ("Accept-Encoding", "gzip"),
        ("Connection", "keep-alive"),
        ("Authorization", f"Bearer {ACCESS}"),
        ("xero-tenant-id", "tenant-1"),
    ]
    document, file = server.seen
    assert (document.method, document.path) == ("POST", f"{INVOICES}?summarizeErrors=false&unitdp=4")
    own = [("Idempotency-Key", KEY), ("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    assert sorted(document.headers) == sorted(common + own)
    assert document.body == BODY
    assert (file.method, file.path, file.body) == ("PUT", path, b"\0\xff")
    own = [("Idempotency-Key", "k"), ("Content-Type", "application/pdf"), ("Content-Length", "2")]
    assert sorted(file.headers) == sorted(common + own)


# What came, one after the other; the decision (None: it went well); how often it was sent; in doubt; server failed.
COURSES: dict[str, tuple[list[Reply], type[XeroError] | None, int, bool, bool]] = {
    "refused": ([REFUSED], Refused, 1, False, False),
    "limited for long": ([DAY], RetryLater, 1, False, False),
    "limited for a moment": ([MINUTE, MINUTE, OK], None, 3, False, False),
    "token renewed in the middle": ([EXPIRED, OK], None, 2, False, False),
    "token renewed in vain": ([EXPIRED], ReconnectNeeded, 2, False, False),
    "disconnected": ([as_json(403, {"Detail": "AuthenticationUnsuccessful"})], Disconnected, 1, False, False),
    "not allowed": ([as_json(401, {"Detail": "AuthorizationUnsuccessful"})], NotAvailable, 1, False, False),
    "500": ([Reply(500, b"<html>")], RetryLater, 1, True, True),
    "502": ([Reply(502)], RetryLater, 1, True, True),
    "503 that names a time": ([Reply(503, b"", {"Retry-After": "1"})], RetryLater, 1, True, True),
    "501, never to be done": ([Reply(501, b"")], Refused, 1, False, False),
    "504": ([Reply(504)], RetryLater, 1, True, True),
    "no answer for long": ([CUT], RetryLater, 5, True, False),
    "no answer, then all is well": ([CUT, CUT, OK], None, 3, True, False),
    "half an answer": ([Reply(200, b'{"Invoices": [')], BadAnswer, 5, True, False),
    "another's page": ([Reply(200, b"<html>back soon</html>"), OK], None, 2, True, False),
    "a way elsewhere": ([Reply(302, b"", {"Location": "https://elsewhere.example/"}), OK], None, 2, True, False),
    "no answer, then refused": ([CUT, REFUSED], Refused, 2, True, False),
    "no answer, then a limit": ([CUT, DAY], RetryLater, 2, True, False),
    "no answer, then a new token": ([CUT, EXPIRED, OK], None, 3, True, False),
    "no answer, then 500": ([CUT, Reply(500)], RetryLater, 2, True, True),
    "limited, then 503": ([MINUTE, Reply(503)], RetryLater, 2, True, True),
}


@pytest.mark.parametrize("course", COURSES)
def test_what_is_sent_again_and_what_is_in_doubt(rig: Rig, server: Server, course: str) -> None:
    replies, decision, times, outcome_unknown, server_failed = COURSES[course]
    server.says(*replies)
    sent_before: list[int] = []
    raised: XeroError | None = None
    try:
        write(rig, replay_window=300, on_send=lambda: sent_before.append(len(server.seen)))
    except XeroError as error:
        raised = error
    assert type(raised) is (decision or type(None))
    assert len(server.seen) == rig.client.calls == times
    assert {(dict(one.headers)["Idempotency-Key"], one.body) for one in server.seen} == {(KEY, BODY)}
    assert sent_before == list(range(times)), "it is said before each attempt that it leaves"
    if raised:
        assert (raised.outcome_unknown, raised.server_failed) == (outcome_unknown, server_failed)


def test_what_was_in_doubt_before_stays_so(rig: Rig, server: Server) -> None:
    for reply in (REFUSED, DAY, EXPIRED):
        server.says(reply)
        with pytest.raises(XeroError) as raised:
            write(rig, replay_window=300, outcome_unknown=True)
        assert (raised.value.outcome_unknown, raised.value.server_failed) == (True, False)


def test_without_leave_it_is_sent_once(rig: Rig, server: Server) -> None:
    server.says(CUT, OK)
    with pytest.raises(RetryLater) as raised:
        write(rig)
    assert raised.value.outcome_unknown
    assert len(server.seen) == 1


class Watched:
    """A limiter that writes down how long each call would wait, and refuses some."""

    def __init__(self, *refused: int) -> None:
        self.max_wait: list[float] = []
        self.inside = False
        self._refused = refused

    @contextmanager
    def permit(self, tenant_id: str | None, *, max_wait: float) -> Iterator["Watched"]:
        self.max_wait.append(max_wait)
        if len(self.max_wait) in self._refused:
            raise RetryLater(1000, "minute")
        self.inside = True
        yield self
        self.inside = False

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: object) -> None:
        """Nothing is counted."""


Made = Callable[..., XeroClient]


@pytest.fixture
def made(app: XeroApp, clock: Clock) -> Made:
    how = {"sleep": clock.sleep, "clock": clock}
    return lambda limiter=None, **more: XeroClient(
        app, new_session(), Tokens(), limiter or NoLimiter(), "t", **{**how, **more}
    )


@pytest.mark.parametrize(("replay_window", "times"), [(7.999, 1), (8.0, 2), (15.999, 2), (16.0, 3)])
def test_it_is_sent_again_only_while_the_key_is_kept(
    made: Made, server: Server, clock: Clock, replay_window: float, times: int
) -> None:
    """All that passes counts, not the pause alone: each attempt takes six seconds, each pause two."""
    server.says(CUT)
    client = made(backoff=(2, 2, 2))
    with pytest.raises(RetryLater):
        client.write("PUT", INVOICES, BODY, key=KEY, replay_window=replay_window, on_send=lambda: clock.advance(6))
    assert len(server.seen) == times


def test_a_limit_is_waited_for_no_longer_than_the_key_is_kept(made: Made, server: Server, clock: Clock) -> None:
    server.says(CUT, OK)
    limiter = Watched()
    made(limiter, backoff=(2,)).write(
        "PUT", INVOICES, BODY, key=KEY, replay_window=30, on_send=lambda: clock.advance(6)
    )
    assert limiter.max_wait == [300, 22], "before it left nothing runs out"
    made(limiter).write("PUT", INVOICES, BODY, key=KEY, replay_window=30, outcome_unknown=True)
    assert limiter.max_wait[-1] == 30


def test_it_says_that_it_leaves_with_the_right_to_send_in_hand(made: Made, server: Server) -> None:
    told: list[bool] = []
    limiter = Watched(2, 4)
    client = made(limiter, backoff=(0.0,))
    client.write("PUT", INVOICES, BODY, key=KEY, on_send=lambda: told.append(limiter.inside))
    assert told == [True]
    with pytest.raises(RetryLater) as raised:
        client.write("PUT", INVOICES, BODY, key=KEY, on_send=lambda: told.append(limiter.inside))
    assert (len(told), len(server.seen), raised.value.outcome_unknown) == (1, 1, False), "it never left"
    server.says(CUT)
    with pytest.raises(RetryLater) as raised:
        client.write("PUT", INVOICES, BODY, key=KEY, replay_window=300, on_send=lambda: told.append(limiter.inside))
    assert (len(told), len(server.seen), raised.value.outcome_unknown) == (2, 2, True), "it left once"


def test_nothing_leaves_where_that_cannot_be_said(rig: Rig, server: Server) -> None:
    def gone() -> None:
        raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError):
        write(rig, replay_window=300, on_send=gone)
    assert not server.seen


def test_a_token_that_ends_between_two_attempts_is_renewed(rig: Rig, server: Server) -> None:
    server.says(CUT, EXPIRED, CUT, OK)
    write(rig, replay_window=300)
    carried = [dict(one.headers)["Authorization"] for one in server.seen]
    assert carried == [f"Bearer {ACCESS}", f"Bearer {ACCESS}", "Bearer renewed-1", "Bearer renewed-1"]
    assert rig.tokens.renewals == 1


@pytest.mark.parametrize("body", [BODY, b""])
def test_what_may_not_be_sent_any_more_is_not(made: Made, server: Server, clock: Clock, body: bytes) -> None:
    """Asked at the last moment, after it was said that it leaves; that it was not sent is certain."""
    asked: list[str] = []
    client = made()

    def still() -> bool:
        asked.append("still")
        return False

    with pytest.raises(NotSent) as raised:
        client.write(
            "PUT", INVOICES, body, key=KEY, replay_window=300, on_send=lambda: asked.append("sending"), may_send=still
        )
    assert (raised.value.outcome_unknown, raised.value.seconds, raised.value.limit) == (False, 0, "outage")
    assert asked == ["sending", "still"], "it is not tried again"
    assert clock.slept == []
    assert all(seen.body == b"" for seen in server.seen)
    assert len(server.seen) <= bool(body), "nobody acts on the head of a request alone"


@pytest.mark.parametrize("body", [BODY, b""])
def test_what_may_still_be_sent_is(made: Made, server: Server, body: bytes) -> None:
    asked: list[None] = []
    server.says(CUT, OK)
    made(backoff=(0,)).write(
        "PUT", INVOICES, body, key=KEY, replay_window=9, may_send=lambda: asked.append(None) is None
    )
    assert [seen.body for seen in server.seen] == [body, body]
    assert len(asked) == 2, "before each attempt"


def test_it_may_have_been_saved_before_though_nothing_was_sent_now(made: Made) -> None:
    with pytest.raises(NotSent) as raised:
        made().write("PUT", INVOICES, BODY, key=KEY, outcome_unknown=True, may_send=lambda: False)
    assert raised.value.outcome_unknown
