"""How long a call waits and for what, to the second; which status means what. Time passes only where it is slept."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.support.scripted import ACCESS, Reply, Server, Tokens, as_json
from xero.api import client as module
from xero.api.client import XeroClient
from xero.api.errors import (
    BadAnswer,
    Disconnected,
    NotAvailable,
    OutOfBounds,
    ReconnectNeeded,
    Refused,
    RetryLater,
    XeroError,
)
from xero.api.session import new_session
from xero.api.settings import XeroApp
from xero.api.tokens import Token

CONTACTS = "/api.xro/2.0/Contacts"
EMPLOYEES = "/payroll.xro/1.0/Employees"
OK = as_json(200, {"Status": "OK", "Contacts": []})
CUT = Reply(200, b'{"Contacts": []}', cut=4)


@dataclass
class Clock:
    """Stands still, and goes on when somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Watched:
    """A limiter that writes down what it is asked and told; each permit takes some seconds to come."""

    def __init__(self, clock: Clock, takes: float = 0.0) -> None:
        self.max_wait: list[float] = []
        self.tenants: list[str | None] = []
        self.settled: list[tuple[float | None, object]] = []
        self._clock, self._takes = clock, takes

    @contextmanager
    def permit(self, tenant_id: str | None, *, max_wait: float) -> Iterator["Watched"]:
        self.tenants.append(tenant_id)
        self.max_wait.append(max_wait)
        self._clock.now += self._takes
        yield self

    def settle(self, headers: Mapping[str, str], retry_after: float | None, problem: object) -> None:
        assert headers["Date"]
        self.settled.append((retry_after, problem))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Watched:
    return Watched(clock)


@pytest.fixture
def client(app: XeroApp, clock: Clock, limiter: Watched) -> XeroClient:
    return XeroClient(app, new_session(), Tokens(), limiter, "tenant-1", sleep=clock.sleep, clock=lambda: clock.now)


def limited(seconds: float | None, problem: str = "minute") -> Reply:
    told = {} if seconds is None else {"Retry-After": str(seconds)}
    return Reply(429, b"", {**told, "X-Rate-Limit-Problem": problem})


def test_what_the_limiter_is_asked_and_told(client: XeroClient, server: Server, limiter: Watched) -> None:
    server.says(limited(2, "day"), limited(None), OK)
    client.get(CONTACTS)
    assert limiter.settled == [(2.0, "day"), (None, "minute"), (None, None)]
    assert limiter.max_wait == [300.0, 297.5, 237.0], "what was waited is gone"
    assert limiter.tenants == ["tenant-1"] * 3


@pytest.mark.parametrize(
    ("problem", "seconds"),
    [("minute", 60.5), ("appminute", 60.5), ("concurrent", 1.5)],
)
def test_a_limit_that_names_no_time_is_waited_out_for_its_window(
    client: XeroClient, server: Server, clock: Clock, problem: str, seconds: float
) -> None:
    server.says(limited(None, problem), OK)
    client.get(CONTACTS)
    assert clock.slept == [seconds]


def test_a_limit_is_waited_for_up_to_the_last_second_of_the_patience(
    client: XeroClient, server: Server, clock: Clock
) -> None:
    server.says(limited(299.5), OK)
    client.get(CONTACTS)
    assert clock.slept == [300.0]
    server.says(limited(299.6), OK)
    with pytest.raises(RetryLater) as raised:
        client.get(CONTACTS)
    assert (raised.value.seconds, raised.value.limit, clock.slept) == (300.1, "minute", [300.0])


def test_an_outage_is_waited_for_up_to_the_last_second_of_the_patience(
    app: XeroApp, server: Server, clock: Clock, limiter: Watched
) -> None:
    def made(**how: Any) -> XeroClient:
        return XeroClient(
            app, new_session(), Tokens(), limiter, None, sleep=clock.sleep, clock=lambda: clock.now, **how
        )

    server.says(CUT, CUT, OK)
    made(max_wait=3.0, backoff=(1.0, 2.0)).get(CONTACTS)
    assert clock.slept == [1.0, 2.0]
    server.says(CUT, CUT, OK)
    with pytest.raises(RetryLater):
        made(max_wait=2.9, backoff=(1.0, 2.0)).get(CONTACTS)
    assert clock.slept == [1.0, 2.0, 1.0]


def test_the_longer_of_what_xero_says_and_what_is_usual_is_waited(
    client: XeroClient, server: Server, clock: Clock
) -> None:
    def offline(seconds: str) -> Reply:
        return Reply(503, b"", {"Retry-After": seconds})

    server.says(offline("0.5"), offline("30"), CUT, OK)
    client.get(CONTACTS)
    assert clock.slept == [1.0, 30.0, 4.0], "what it said once counts once"


def test_what_an_outage_that_lasts_is_told_with(client: XeroClient, server: Server) -> None:
    page = Reply(403, b"<html>", {"Retry-After": "900", "Content-Type": "text/html"})
    for reply, seconds, said in (
        (Reply(503), 300, "HTTP 503"),
        (Reply(503, b"", {"Retry-After": "900"}), 900, "HTTP 503"),
        (page, 900, "HTTP 403, with a page that is not from Xero"),
        (CUT, 300, "no answer came from"),
    ):
        server.says(reply)
        with pytest.raises(RetryLater) as raised:
            client.get(CONTACTS)
        assert raised.value.message.startswith(f"Xero is not available: {said}")
        assert (raised.value.seconds, raised.value.limit) == (seconds, "outage")
        assert "check status.xero.com" in raised.value.correction


def test_under_its_key_a_write_is_sent_again_up_to_the_last_second(
    client: XeroClient, server: Server, clock: Clock, limiter: Watched
) -> None:
    """Only from when it may have arrived: before it left, a limit is waited for as for any other call."""

    def write(replay_window: float, **how: Any) -> None:
        client.write("PUT", CONTACTS, b"{}", key="k", replay_window=replay_window, **how)

    server.says(limited(100), CUT, CUT, OK)
    write(103.5)
    assert clock.slept == [100.5, 1.0, 2.0]
    assert limiter.max_wait == [300.0, 199.5, 2.0, 0.0]
    server.says(CUT, OK)
    with pytest.raises(RetryLater):
        write(0.9)
    assert len(clock.slept) == 3
    server.says(OK)
    write(30, outcome_unknown=True)
    assert limiter.max_wait[-1] == 30
    write(400, outcome_unknown=True)
    assert limiter.max_wait[-1] == 300


def test_no_patience_is_left_and_never_less(app: XeroApp, server: Server, clock: Clock) -> None:
    slow = Watched(clock, takes=50.0)
    client = XeroClient(
        app,
        new_session(),
        Tokens(),
        slow,
        "t",
        max_wait=10.0,
        backoff=(0.0, 0.0),
        sleep=clock.sleep,
        clock=lambda: clock.now,
    )
    server.says(CUT, OK)
    client.get(CONTACTS)
    assert slow.max_wait == [10.0, 0.0]


def test_how_long_an_answer_may_take(
    app: XeroApp, server: Server, limiter: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds to connect, sixty between two pieces; and the certificate is looked at."""
    seen: list[Any] = []
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    class Recorder(HTTPAdapter):
        def send(self, request: Any, **how: Any) -> Any:  # type: ignore[override]
            seen.append((how["timeout"], how["verify"]))
            return super().send(request, **how)

    session = new_session()
    session.mount("http://", Recorder())
    XeroClient(app, session, Tokens(), limiter, "t").get(CONTACTS)
    assert seen == [((10.0, 60.0), True)]


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        (200, None), (204, None), (201, Refused), (299, Refused), (300, BadAnswer), (301, BadAnswer),
        (399, BadAnswer), (400, Refused), (499, Refused), (500, RetryLater), (501, Refused), (502, RetryLater),
        (599, RetryLater),
    ],
)  # fmt: skip
def test_which_status_means_what(
    client: XeroClient, server: Server, clock: Clock, status: int, decision: type[XeroError] | None
) -> None:
    headers = {"Location": "https://elsewhere.example"} if status < 400 else {}
    server.says(Reply(status, b"" if status == 204 else b'{"Status": "OK"}', headers))
    if decision is None:
        assert client.delete("/connections/1") is None  # type: ignore[func-returns-value]
        return
    with pytest.raises(XeroError) as raised:
        client.get(CONTACTS)
    assert type(raised.value) is decision
    assert len(server.seen) == (5 if decision in (RetryLater, BadAnswer) else 1)


def test_nothing_new_is_an_empty_answer_only_where_that_was_asked(client: XeroClient, server: Server) -> None:
    server.says(Reply(304, b""))
    answer = client.get(CONTACTS, modified_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert (answer.status, answer.bytes_received) == (304, 0)
    with pytest.raises(BadAnswer):
        client.get(CONTACTS)


@pytest.mark.parametrize(
    ("reply", "decision"),
    [
        (as_json(400, {"Message": "No."}), Refused),
        (as_json(404, {"Message": "No."}), Refused),
        (as_json(403, {"Detail": "AuthenticationUnsuccessful"}), Disconnected),
        (Reply(503), RetryLater),
        (limited(7_200, "day"), RetryLater),
        (Reply(301, b""), BadAnswer),
    ],
)
def test_only_a_304_says_that_there_is_nothing_new(
    client: XeroClient, server: Server, reply: Reply, decision: type[XeroError]
) -> None:
    """Else a pull would go on from here, and what has changed meanwhile would be lost."""
    server.says(reply)
    with pytest.raises(XeroError) as raised:
        client.get(CONTACTS, modified_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert type(raised.value) is decision
    server.says(OK)
    answer = client.get(CONTACTS, modified_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert (answer.status, answer.data["Contacts"]) == (200, [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 499])
def test_a_page_of_somebody_else_is_an_outage_and_no_refusal(
    client: XeroClient, server: Server, clock: Clock, status: int
) -> None:
    server.says(Reply(status, b"<html>proxy</html>", {"Content-Type": "text/html", "Retry-After": "9"}), OK)
    client.get(CONTACTS)
    assert clock.slept == [9.0]
    for final in (413, 501):
        server.says(Reply(final, b"<html>proxy</html>", {"Content-Type": "text/html"}))
        with pytest.raises(Refused, match=f"HTTP {final}"):
            client.get(CONTACTS)
    server.says(Reply(399, b"<html>proxy</html>", {"Content-Type": "text/html"}))
    with pytest.raises(BadAnswer, match="points elsewhere"):
        client.get(CONTACTS)


@pytest.mark.parametrize(
    ("path", "status", "detail", "said"),
    [
        (CONTACTS, 503, "offline", "Xero is not available: HTTP 503, offline. "),
        (CONTACTS, 503, None, "Xero is not available: HTTP 503. "),
        (CONTACTS, 401, "TokenExpired", "(HTTP 401, TokenExpired). "),
        (CONTACTS, 401, None, "(HTTP 401). "),
        (
            EMPLOYEES,
            403,
            "Forbidden 123456",
            f"Xero gives this app no access to {EMPLOYEES} (HTTP 403, Forbidden ***). ",
        ),
        (EMPLOYEES, 403, None, f"Xero gives this app no access to {EMPLOYEES} (HTTP 403). "),
    ],
)
def test_what_xero_says_of_it_is_said_where_it_says_something(
    client: XeroClient, server: Server, path: str, status: int, detail: str | None, said: str
) -> None:
    server.says(as_json(status, {"Title": "x", "detail": detail}))
    with pytest.raises(XeroError) as raised:
        client.get(path)
    assert said in str(raised.value)


@pytest.mark.parametrize(("reply", "failed"), [(Reply(500), True), (Reply(599), True), (CUT, False), (OK, False)])
def test_that_the_server_itself_failed_is_known(client: XeroClient, server: Server, reply: Reply, failed: bool) -> None:
    """By the last answer: a line that is cut says nothing of the server."""
    before = CUT if failed else Reply(500)
    server.says(before, before, before, before, Reply(200, b"<html>") if reply is OK else reply)
    with pytest.raises(XeroError) as raised:
        client.get(CONTACTS)
    assert raised.value.server_failed is failed


def test_no_redirect_is_followed_in_any_session(app: XeroApp, server: Server, limiter: Watched) -> None:
    """In one, too, that would follow them if it were let: the token goes to no other host."""
    client = XeroClient(app, requests.Session(), Tokens(), limiter, "t", backoff=())
    server.says(Reply(307, b"", {"Location": f"{server.url}/elsewhere"}), OK)
    with pytest.raises(BadAnswer, match="points elsewhere"):
        client.get(CONTACTS)
    assert [seen.path for seen in server.seen] == [CONTACTS]


@pytest.mark.parametrize(("problem", "kept"), [("minute", 3_600), ("appminute", 3_600), ("concurrent", 3_600)])
def test_one_odd_answer_closes_nothing_for_longer_than_an_hour(
    client: XeroClient, server: Server, limiter: Watched, problem: str, kept: float
) -> None:
    server.says(limited(7_200, problem))
    with pytest.raises(RetryLater) as raised:
        client.get(CONTACTS)
    assert limiter.settled[0][0] == kept
    assert raised.value.seconds == kept + 0.5
    server.says(limited(7_200, "day"))
    with pytest.raises(RetryLater) as raised:
        client.get(CONTACTS)
    assert limiter.settled[1] == (7_200, "day")


def test_all_calls_together_wait_a_quarter_of_an_hour_for_outages(
    client: XeroClient, server: Server, clock: Clock
) -> None:
    """Of a server that sends each call away for a while nothing can be pulled: a later run tries."""
    offline = Reply(503, b"", {"Retry-After": "300"})
    for _ in range(3):
        server.says(offline, OK)
        client.get(CONTACTS)
    server.says(CUT, OK)
    with pytest.raises(RetryLater):
        client.get(CONTACTS)
    assert clock.slept == [300.0] * 3
    server.says(limited(2), OK)
    client.get(CONTACTS)  # a limit is no outage


def test_the_last_seconds_for_outages_are_waited_too(client: XeroClient, server: Server, clock: Clock) -> None:
    for seconds, waited in (("300", True), ("300", True), ("299", True), ("1.5", False), ("0", True), ("0", False)):
        server.says(Reply(503, b"", {"Retry-After": seconds}), OK)
        if waited:
            client.get(CONTACTS)
        else:
            with pytest.raises(RetryLater):
                client.get(CONTACTS)
    assert clock.slept == [300.0, 300.0, 299.0, 1.0]


def test_a_new_token_is_no_reason_to_wait(client: XeroClient, server: Server, clock: Clock) -> None:
    server.says(CUT, as_json(401, {"Detail": "TokenExpired"}), OK)
    client.get(CONTACTS)
    assert sum(clock.slept) == 1.0


def test_since_before_any_record_is_since_ever(client: XeroClient, server: Server) -> None:
    """Xero, on .NET and SQL Server, knows no day before 1753."""
    for since, header in (
        (datetime(1753, 1, 1, tzinfo=UTC), "1753-01-01T00:00:00"),
        (datetime(1752, 12, 31, 23, 59, 59, tzinfo=UTC), None),
        (datetime(1, 1, 1, tzinfo=UTC), None),
        (datetime(2026, 11, 2, 9, 30, tzinfo=UTC), "2026-11-02T09:30:00"),
        (None, None),
    ):
        client.get(CONTACTS, modified_since=since)
        assert dict(server.seen[-1].headers).get("If-Modified-Since") == header


@pytest.mark.parametrize(("status", "decision"), [(400, Refused), (401, ReconnectNeeded), (403, Disconnected)])
def test_only_a_403_says_that_an_organisation_has_disconnected(
    client: XeroClient, server: Server, status: int, decision: type[XeroError]
) -> None:
    server.says(as_json(status, {"Detail": "AuthenticationUnsuccessful"}))
    with pytest.raises(XeroError) as raised:
        client.get(CONTACTS)
    assert type(raised.value) is decision
    if status == 403:
        assert raised.value.message == "This organisation has disconnected the app in Xero."
        assert raised.value.correction.startswith("Ask the organisation to connect again")


def test_an_answer_beyond_all_bounds_is_not_asked_for_again_and_may_have_been_saved(
    client: XeroClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_: Any) -> bytes:
        raise OutOfBounds("Too much.", "Look at it.")

    monkeypatch.setattr(module, "receive", too_much)
    with pytest.raises(OutOfBounds) as raised:
        client.get(CONTACTS)
    assert not raised.value.outcome_unknown
    with pytest.raises(OutOfBounds) as raised:
        client.write("PUT", CONTACTS, b"{}", key="k", replay_window=300)
    assert raised.value.outcome_unknown
    assert len(server.seen) == 2


def test_of_payroll_no_number_is_told_and_no_right_is_a_missing_subscription(
    client: XeroClient, server: Server
) -> None:
    server.says(as_json(400, {"Message": "TFN 123456782 of Ann"}))
    with pytest.raises(Refused) as raised:
        client.get(EMPLOYEES)
    assert raised.value.messages == ["TFN *** of Ann"]
    with pytest.raises(Refused) as raised:
        client.get(CONTACTS)
    assert raised.value.messages == ["TFN 123456782 of Ann"]
    for status, said in ((403, {"Message": "Forbidden"}), (401, {"Detail": "AuthorizationUnsuccessful"})):
        server.says(as_json(status, said))
        with pytest.raises(NotAvailable) as not_available:
            client.get(EMPLOYEES)
        assert "needs Xero Payroll" in not_available.value.correction
        assert ("scope" in not_available.value.correction) is (status == 401)
    server.says(as_json(401, {"Detail": "AuthorizationUnsuccessful"}))
    with pytest.raises(NotAvailable) as not_available:
        client.get(CONTACTS)
    assert "payroll" not in not_available.value.correction
    assert "accounting.contacts" in not_available.value.correction


def test_what_is_sent_without_an_organisation(app: XeroApp, server: Server, limiter: Watched) -> None:
    client = XeroClient(app, new_session(), Tokens(), limiter, None)
    client.write("POST", "/x", b"{}", key="k")
    assert "xero-tenant-id" not in {name for name, _ in server.seen[0].headers}
    assert limiter.tenants == [None]


def test_the_store_is_asked_for_a_token_once(app: XeroApp, server: Server, limiter: Watched) -> None:
    """It asks a database."""
    asked: list[str] = []

    class Counted(Tokens):
        def get(self) -> Token:
            asked.append("get")
            return super().get()

        def renew(self, stale: Token | None) -> Token:
            asked.append(f"renew {stale and stale.access_token}")
            return super().renew(stale)

    client = XeroClient(app, new_session(), Counted(), limiter, "t")
    server.says(OK, as_json(401, {"Detail": "TokenExpired"}), OK)
    for _ in range(4):
        client.get(CONTACTS)
    assert asked == ["get", f"renew {ACCESS}"]


def test_the_same_token_until_it_expires(client: XeroClient, server: Server) -> None:
    server.says(as_json(401, {"Detail": "TokenExpired"}), OK)
    for _ in range(3):
        client.get(CONTACTS)
    carried = [dict(seen.headers)["Authorization"] for seen in server.seen]
    assert carried == [f"Bearer {ACCESS}", *["Bearer renewed-1"] * 3]


def test_what_was_sent_and_received_is_counted(client: XeroClient, server: Server) -> None:
    server.says(Reply(503, b"12345"), OK)
    client.get(CONTACTS)
    assert (client.calls, client.bytes_received) == (2, 5 + len(OK.body))


def test_it_is_told_once_before_each_wait(client: XeroClient, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "xero.api")
    server.says(as_json(401, {"Detail": "TokenExpired"}), CUT, limited(2), OK)
    client.get(CONTACTS)
    said: list[Callable[[str], bool]] = [
        lambda text: "was renewed" in text,
        lambda text: "no answer came" in text and text.endswith("Next attempt in 1.0 s."),
        lambda text: "limit" in text and text.endswith("Next attempt in 2.5 s."),
    ]
    messages = [record.getMessage() for record in caplog.records if record.name == "xero.api"]
    assert [check(text) for check, text in zip(said, messages, strict=True)] == [True] * 3
