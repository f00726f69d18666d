"""How long a call waits and for what, to the second; which status means what. Time passes only where it is slept."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from requests.adapters import HTTPAdapter

from tests.support.scripted import ACCESS, Reply, Server, Tokens, as_json
from xero.api import client as module
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, NotAvailable, OutOfBounds, Refused, RetryLater, XeroError
from xero.api.session import new_session
from xero.api.settings import XeroApp

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
        self.patience: list[float] = []
        self.tenants: list[str | None] = []
        self.settled: list[tuple[float | None, object]] = []
        self._clock, self._takes = clock, takes

    @contextmanager
    def permit(self, tenant_id: str | None, *, patience: float) -> Iterator["Watched"]:
        self.tenants.append(tenant_id)
        self.patience.append(patience)
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
    assert limiter.patience == [300.0, 297.5, 237.0], "what was waited is gone"
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
    made(patience=3.0, backoff=(1.0, 2.0)).get(CONTACTS)
    assert clock.slept == [1.0, 2.0]
    server.says(CUT, CUT, OK)
    with pytest.raises(RetryLater):
        made(patience=2.9, backoff=(1.0, 2.0)).get(CONTACTS)
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
    for reply, seconds in ((Reply(503), 300), (Reply(503, b"", {"Retry-After": "900"}), 900), (CUT, 300)):
        server.says(reply)
        with pytest.raises(RetryLater) as raised:
            client.get(CONTACTS)
        assert (raised.value.seconds, raised.value.limit) == (seconds, "outage")


def test_under_its_key_a_write_is_sent_again_up_to_the_last_second(
    client: XeroClient, server: Server, clock: Clock, limiter: Watched
) -> None:
    """Only from when it may have arrived: before it left, a limit is waited for as for any other call."""

    def write(again_for: float, **how: Any) -> None:
        client.write("PUT", CONTACTS, b"{}", key="k", again_for=again_for, **how)

    server.says(limited(100), CUT, CUT, OK)
    write(103.5)
    assert clock.slept == [100.5, 1.0, 2.0]
    assert limiter.patience == [300.0, 199.5, 2.0, 0.0]
    server.says(CUT, OK)
    with pytest.raises(RetryLater):
        write(0.9)
    assert len(clock.slept) == 3
    server.says(OK)
    write(30, in_doubt=True)
    assert limiter.patience[-1] == 30
    write(400, in_doubt=True)
    assert limiter.patience[-1] == 300


def test_no_patience_is_left_and_never_less(app: XeroApp, server: Server, clock: Clock) -> None:
    slow = Watched(clock, takes=50.0)
    client = XeroClient(
        app,
        new_session(),
        Tokens(),
        slow,
        "t",
        patience=10.0,
        backoff=(0.0, 0.0),
        sleep=clock.sleep,
        clock=lambda: clock.now,
    )
    server.says(CUT, OK)
    client.get(CONTACTS)
    assert slow.patience == [10.0, 0.0]


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
        (200, None), (204, None), (201, Refused), (300, BadAnswer), (301, BadAnswer), (399, BadAnswer), (400, Refused),
        (499, Refused), (500, RetryLater), (501, Refused), (502, RetryLater), (599, RetryLater),
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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 499])
def test_a_page_of_somebody_else_is_an_outage_and_no_refusal(
    client: XeroClient, server: Server, clock: Clock, status: int
) -> None:
    server.says(Reply(status, b"<html>proxy</html>", {"Content-Type": "text/html", "Retry-After": "9"}), OK)
    client.get(CONTACTS)
    assert clock.slept == [9.0]
    server.says(Reply(413, b"<html>proxy</html>", {"Content-Type": "text/html"}))
    with pytest.raises(Refused, match="HTTP 413"):
        client.get(CONTACTS)


def test_an_answer_beyond_all_bounds_is_not_asked_for_again_and_may_have_been_saved(
    client: XeroClient, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_: Any) -> bytes:
        raise OutOfBounds("Too much.", "Look at it.")

    monkeypatch.setattr(module, "receive", too_much)
    with pytest.raises(OutOfBounds) as raised:
        client.get(CONTACTS)
    assert not raised.value.in_doubt
    with pytest.raises(OutOfBounds) as raised:
        client.write("PUT", CONTACTS, b"{}", key="k", again_for=300)
    assert raised.value.in_doubt
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
        assert "payroll subscription" in not_available.value.correction
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
        lambda text: "has been renewed" in text,
        lambda text: "no answer came" in text and text.endswith("Trying again in 1.0 s"),
        lambda text: "limit" in text and text.endswith("Trying again in 2.5 s"),
    ]
    messages = [record.getMessage() for record in caplog.records if record.name == "xero.api"]
    assert [check(text) for check, text in zip(said, messages, strict=True)] == [True] * 3
