"""What becomes of an open request: nothing is sent twice, looked up too early, or left alone for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xero.documents.registry import KINDS
from xero.qicworks.push.outbox import Request
from xero.sync.push.deadlines import (
    QUIET_SECONDS,
    REPLAY_WINDOW_SECONDS,
    Fate,
    LookUp,
    Release,
    Replay,
    Wait,
    fate,
    fate_after_search,
    wait_until_quiet,
)

NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
INSTANT = 1e-6  # seconds
BATCHED = [kind for kind in KINDS.values() if kind.replays]
ONE_BY_ONE = [kind for kind in KINDS.values() if not kind.replays]

#: Seconds around every limit, and of clocks that were put back by anything from an instant to days.
AGES = st.one_of(
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, QUIET_SECONDS, REPLAY_WINDOW_SECONDS]).flatmap(
        lambda limit: st.sampled_from([limit - INSTANT, limit, limit + INSTANT])
    ),
)
KIND = st.sampled_from(sorted(KINDS.values(), key=lambda kind: kind.name))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def request(first: float | None, last: float | None = None, sealed: float | None = None, **more: object) -> Request:
    """One that was sealed, and first and last sent, so many seconds ago."""
    last = first if last is None else last
    sealed = first if sealed is None else sealed
    made = Request(
        id=uuid4(),
        key="key",
        method="PUT",
        path="/",
        query={},
        body="{}",
        documents=(uuid4(),),
        versions=(1,),
        identities=({},),
        first_sent_at=None if first is None else ago(first),
        last_sent_at=None if last is None else ago(last),
        sealed_at=ago(sealed or 0.0),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_every_kind_is_here() -> None:
    assert BATCHED
    assert ONE_BY_ONE
    assert any(kind.look_first for kind in BATCHED)
    assert not all(kind.look_first for kind in BATCHED)


@given(KIND, AGES, st.booleans())
def test_what_was_never_sent_is_released(kind: object, sealed: float, server_failed: bool) -> None:
    assert fate(request(None, None, sealed, server_failed=server_failed), NOW, kind) == Release()  # type: ignore[arg-type]


@given(KIND, AGES, AGES, AGES, st.booleans(), st.sampled_from(["PUT", "POST"]))
@example(KINDS["bills"], REPLAY_WINDOW_SECONDS, 0.0, 0.0, False, "PUT")
@example(KINDS["bills"], 0.0, 0.0, REPLAY_WINDOW_SECONDS, False, "PUT")
def test_a_key_is_trusted_only_while_xero_surely_keeps_it(
    kind: object, first: float, last: float, sealed: float, server_failed: bool, method: str
) -> None:
    """Never after a 5xx, never where a time lies in the future, never by a time that somebody else wrote."""
    becomes = fate(request(first, last, sealed, server_failed=server_failed, method=method), NOW, kind)  # type: ignore[arg-type]
    since = (NOW - ago(first)).total_seconds()
    since_sealed = (NOW - ago(sealed)).total_seconds()
    trusted = 0 <= since < 300 and 0 <= since_sealed < 300 and not server_failed and kind.replays  # type: ignore[attr-defined]
    assert isinstance(becomes, Replay) == trusted
    if isinstance(becomes, Replay):
        assert since + becomes.window_seconds == pytest.approx(300)
        assert becomes.search_first == (kind.look_first and method == "PUT")  # type: ignore[attr-defined]


@given(KIND, AGES, AGES, AGES, st.floats(0, 120))
@example(KINDS["payroll"], 0.0, QUIET_SECONDS, 0.0, QUIET_SECONDS)
@example(KINDS["payroll"], 0.0, -86400.0, 0.0, QUIET_SECONDS)
def test_xero_is_left_alone_for_a_minute_and_no_longer(
    kind: object, first: float, last: float, sealed: float, quiet: float
) -> None:
    """Counted from the last attempt. A clock that was put back makes nobody wait for a time to come."""
    becomes: Fate = fate(request(first, last, sealed, server_failed=True), NOW, kind, quiet)  # type: ignore[arg-type]
    since = (NOW - ago(last)).total_seconds()
    if since >= quiet or quiet == 0:
        assert becomes == LookUp()
    else:
        assert isinstance(becomes, Wait)
        assert becomes.seconds == pytest.approx(min(quiet - since, quiet), abs=INSTANT)
        assert 0 < becomes.seconds <= quiet


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (59.0, Wait(1.0)),
        (60 - INSTANT, Wait(pytest.approx(INSTANT))),
        (60.0, None),
        (61.0, None),
        (-3600.0, Wait(60.0)),
    ],
)
def test_the_quiet_minute_ends_at_a_minute(age: float, expected: Wait | None) -> None:
    assert wait_until_quiet(request(age), NOW) == expected


def test_a_request_without_a_time_of_its_last_attempt_waits_a_full_minute() -> None:
    assert wait_until_quiet(replace(request(10.0), last_sent_at=None), NOW) == Wait(QUIET_SECONDS)


def test_a_request_without_a_seal_has_no_fate() -> None:
    with pytest.raises(AssertionError, match="seal"):
        fate(replace(request(1.0), sealed_at=None), NOW, KINDS["bills"])


@given(st.lists(st.booleans(), min_size=1, max_size=50), st.floats(0, 299))
def test_after_a_search_it_is_repeated_only_if_nothing_was_found(found: list[bool], age: float) -> None:
    """Where Xero has some of the documents, the others may be arriving."""
    becomes = fate_after_search(request(age), NOW, KINDS["bills"], found)
    if not any(found):
        assert isinstance(becomes, Replay)
    elif all(found) or age >= QUIET_SECONDS:
        assert becomes == LookUp()
    else:
        assert becomes == Wait(pytest.approx(QUIET_SECONDS - age, abs=INSTANT))


def test_a_search_that_lasted_too_long_ends_the_replay() -> None:
    assert fate_after_search(request(301.0), NOW, KINDS["bills"], [False]) == LookUp()
