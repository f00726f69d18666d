"""Limits with their headers, and what goes wrong on request."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from xero_sandbox.limits import Limits
from xero_sandbox.problems import Problem
from xero_sandbox.settings import Settings


def statuses(sandbox: Any, calls: int, **how: Any) -> list[int]:
    return [sandbox.get("Organisation", **how).status_code for _ in range(calls)]


def test_headers_count_down(sandbox: Any) -> None:
    first, second = sandbox.get("Organisation").headers, sandbox.get("Nothing").headers
    assert "X-MinLimit-Remaining" not in second
    second = sandbox.get("Accounts/unknown").headers
    for name, left in (
        ("X-DayLimit-Remaining", 5000),
        ("X-MinLimit-Remaining", 60),
        ("X-AppMinLimit-Remaining", 10_000),
    ):
        assert (int(first[name]), int(second[name])) == (left - 1, left - 2)


def test_minute_limit_per_organisation(sandbox: Any) -> None:
    sandbox.settings(minute_limit=3, minute_seconds=3600)
    assert statuses(sandbox, 5) == [200, 200, 200, 429, 429]
    refused = sandbox.get("Organisation")
    assert refused.headers["X-Rate-Limit-Problem"] == "minute"
    assert refused.headers["X-MinLimit-Remaining"] == "0"
    assert statuses(sandbox, 1, tenant=1) == [200]
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert sandbox.control("GET", "stats")["refused"] == {"minute": 3}
    sandbox.control("DELETE", "limits")
    assert statuses(sandbox, 1) == [200]


def test_app_limit(sandbox: Any) -> None:
    sandbox.settings(app_limit=2)
    answers = [sandbox.get("Organisation", tenant=tenant) for tenant in (0, 1, 2)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "app" in answers[2].headers["X-Rate-Limit-Problem"]


def test_day_limit(sandbox: Any) -> None:
    sandbox.control("PUT", "limits", {"tenant": sandbox.tenant(), "day_remaining": 1})
    assert sandbox.get("Organisation").headers["X-DayLimit-Remaining"] == "0"
    refused = sandbox.get("Organisation")
    assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "day")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert statuses(sandbox, 1, tenant=1) == [200]
    sandbox.control("DELETE", "limits")
    assert statuses(sandbox, 1) == [200]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_windows(window: str) -> None:
    """Two calls early and two late in a minute of four. A minute on, a fixed window is empty, a sliding one is not."""
    now = 100.0
    limits = Limits(lambda: Settings(window=window, minute_limit=4), lambda: now)

    def call() -> str:
        """Nothing when admitted, else the Retry-After."""
        try:
            limits.admit("one")
        except Problem as problem:
            return problem.reply.headers["Retry-After"]
        limits.leave("one")
        return ""

    assert [call(), call()] == ["", ""]
    now = 150.5
    assert [call(), call(), call()] == ["", "", "10"]
    now = 161.0
    expected = {"fixed": ["", "", "", "", "59"], "sliding": ["", "", "50", "50", "50"]}[window]
    assert [call() for _ in range(5)] == expected


@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize(("problem", "seconds"), [("minute", 60.0), ("day", 86_400.0)])
def test_a_window_ends_when_it_says(window: str, problem: str, seconds: float) -> None:
    """A day is fixed, whatever a minute is. What is told is rounded up: who keeps to it comes never too early."""
    now = 100.25
    settings = Settings(window=window, minute_limit=1, day_limit=1 if problem == "day" else 99)
    limits = Limits(lambda: settings, lambda: now)

    def call() -> tuple[str, str] | None:
        try:
            limits.admit("one")
        except Problem as refusal:
            return refusal.reply.headers["X-Rate-Limit-Problem"], refusal.reply.headers["Retry-After"]
        limits.leave("one")
        return None

    assert call() is None
    assert call() == (problem, f"{seconds:.0f}")
    now += 0.5
    assert call() == (problem, f"{seconds:.0f}")
    now = 100.25 + seconds - 0.125
    assert call() == (problem, "1")
    now = 100.25 + seconds
    assert call() is None


def test_five_in_flight(sandbox: Any) -> None:
    with ThreadPoolExecutor(5) as beside:
        with sandbox.hold("Organisation", times=None) as wait_until_held:
            answers = [beside.submit(sandbox.get, "Organisation") for _ in range(5)]
            wait_until_held(5)
            for refused in [sandbox.get("Organisation") for _ in range(3)]:
                assert (refused.status_code, refused.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
                assert "Retry-After" not in refused.headers
        assert [answer.result().status_code for answer in answers] == [200] * 5
    stats = sandbox.control("GET", "stats")
    assert (stats["max_in_flight"], stats["in_flight"]) == ({sandbox.tenant(): 5}, {})
    assert stats["max_in_window"][sandbox.tenant()] <= 5
    calls = sandbox.control("GET", "calls")
    assert len({call["headers"]["authorization"] for call in calls}) == 1
    assert sandbox.token not in str(calls)
    assert "demo-secret" not in str(calls)


def test_gzip_only_when_asked_for(sandbox: Any) -> None:
    url, headers = f"{sandbox.url}/api.xro/2.0/Accounts", {"Authorization": f"Bearer {sandbox.token}"}
    headers["xero-tenant-id"] = sandbox.tenant()
    plain = requests.get(url, headers={**headers, "Accept-Encoding": "identity"})
    packed = requests.get(url, headers={**headers, "Accept-Encoding": "gzip, deflate"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 3
    assert plain.json()["Accounts"] == packed.json()["Accounts"]
    sizes = [call["bytes"] for call in sandbox.control("GET", "calls")]
    assert sizes == [int(plain.headers["Content-Length"]), int(packed.headers["Content-Length"])]
    sandbox.settings(gzip=False)
    assert "Content-Encoding" not in requests.get(url, headers=headers).headers


def order(sandbox: Any, kind: str, **more: Any) -> None:
    sandbox.control("POST", "faults", {"kind": kind, **more})


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("429", 429, "Rate Limit Exceeded"),
        ("500", 500, "An error occurred"),
        ("503", 503, "offline"),
        ("html", 503, "<html>"),
        ("token_expired", 401, "TokenExpired"),
        ("revoked", 403, "AuthenticationUnsuccessful"),
        ("no_scope", 401, "AuthorizationUnsuccessful"),
    ],
)
def test_faults_that_answer(sandbox: Any, kind: str, status: int, said: str) -> None:
    order(
        sandbox, kind, path="Organisation", skip=1, times=2, tenant=sandbox.tenant(), retry_after=66_975, problem="day"
    )
    assert statuses(sandbox, 1, tenant=1) == [200]
    assert sandbox.get("Accounts").status_code == 200
    assert statuses(sandbox, 4) == [200, status, status, 200]
    assert [fault["hits"] for fault in sandbox.control("GET", "faults")] == [2]
    order(sandbox, kind, path="Organisation", retry_after=66_975, problem="day")
    answer = sandbox.get("Organisation")
    assert said in answer.text
    assert answer.headers.get("Retry-After") == ("66975" if kind == "429" else None)


@pytest.mark.parametrize("kind", ["cut", "truncate", "lost_answer"])
def test_faults_of_the_connection(sandbox: Any, kind: str) -> None:
    order(sandbox, kind, path="Accounts")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        sandbox.get("Accounts")
    assert sandbox.get("Accounts").status_code == 200


def test_malformed_and_slow(sandbox: Any) -> None:
    order(sandbox, "malformed", path="Accounts")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        sandbox.get("Accounts").json()
    order(sandbox, "slow", seconds=0.05)
    start = time.monotonic()
    assert sandbox.get("Accounts").status_code == 200
    assert time.monotonic() - start >= 0.05


def test_a_lost_refresh_has_happened(sandbox: Any) -> None:
    code = sandbox.control("POST", "authorise", {"scope": "offline_access accounting.contacts"})["code"]
    first = sandbox.grant(grant_type="authorization_code", code=code).json()["refresh_token"]
    order(sandbox, "lost_answer", path="/connect/token")
    with pytest.raises(requests.ConnectionError):
        sandbox.grant(grant_type="refresh_token", refresh_token=first)
    order(sandbox, "invalid_grant", path="/connect/token")
    assert sandbox.grant(grant_type="refresh_token", refresh_token=first).json() == {"error": "invalid_grant"}
    assert sandbox.grant(grant_type="refresh_token", refresh_token=first).status_code == 200
    assert sandbox.control("GET", "stats")["refreshes"] == 2


def test_a_call_that_was_cut_has_not_happened(sandbox: Any) -> None:
    code = sandbox.control("POST", "authorise", {"scope": "offline_access accounting.contacts"})["code"]
    order(sandbox, "cut", path="/connect/token")
    with pytest.raises(requests.ConnectionError):
        sandbox.grant(grant_type="authorization_code", code=code)
    assert sandbox.grant(grant_type="authorization_code", code=code).status_code == 200


def test_wrong_orders_are_refused(sandbox: Any) -> None:
    for path, body in (("faults", {"kind": "fire"}), ("faults", {"kind": "503", "pth": "x"}), ("reset", {"size": 3})):
        assert sandbox.session.post(f"{sandbox.url}/sandbox/{path}", json=body).status_code == 400, body
    for body in ({"window": "open"}, {"minute_limit": "many"}, {"colour": 1}):
        assert sandbox.session.patch(f"{sandbox.url}/sandbox/settings", json=body).status_code == 400, body
    assert sandbox.session.get(f"{sandbox.url}/sandbox/organisations/none/Contacts").status_code == 404


def test_50_000_contacts_are_no_burden(sandbox: Any) -> None:
    sandbox.reset(contacts={sandbox.organisations[0]["name"]: 50_000})
    pages = [sandbox.contacts(page=page, order="UpdatedDateUTC ASC") for page in range(1, 52)]
    assert [len(page) for page in pages] == [1000] * 50 + [0]
    assert len({row["ContactID"] for page in pages for row in page}) == 50_000


@pytest.mark.parametrize("done", [False, True])
def test_a_call_is_held_until_it_is_released(sandbox: Any, done: bool) -> None:
    """Before it is carried out, or after; others pass meanwhile."""
    customer = sandbox.contacts()[0]["ContactID"]
    bill = {"Type": "ACCPAY", "InvoiceNumber": "HELD", "Contact": {"ContactID": customer}, "LineItems": [{}]}

    def put() -> int:
        headers = {"Authorization": f"Bearer {sandbox.token}", "xero-tenant-id": sandbox.tenant()}
        path = f"{sandbox.url}/api.xro/2.0/Invoices"
        return requests.put(path, json={"Invoices": [bill]}, headers=headers, timeout=60).status_code

    def is_there() -> bool:
        return any(one.get("InvoiceNumber") == "HELD" for one in sandbox.truth("Invoices"))

    with ThreadPoolExecutor(1) as beside:
        with sandbox.hold("/Invoices", done=done, method="PUT") as wait_until_held:
            answer = beside.submit(put)
            wait_until_held()
            assert is_there() == done
            assert sandbox.get("Contacts").status_code == 200
            assert not answer.done()
        assert answer.result() == 200
    assert is_there()
