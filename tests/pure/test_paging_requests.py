"""Which page is asked for next, request by request: what the reader of all pages promises of its way."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from xero.api.answers import MAX_PAGES
from xero.api.errors import BadAnswer, OutOfBounds
from xero.api.page import Page, Position, Problem, high_water
from xero.api.paging import MAX_WALKS, PAUSE, Reader

Row = tuple[str, datetime | None]
Request = tuple[datetime | None, int]


def at(seconds: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def page(
    *rows: Row, count: int | None = None, pages: int | None = None, size: int | None = 2, time: float | None = 0
) -> Page:
    return Page(rows, size, count, pages, None if time is None else at(time))


class Conversation:
    """A server that is asked exactly this, in this order, and the reader that asks it."""

    def __init__(self, *answers: tuple[Request, Page], **position: Any) -> None:
        self.left = list(answers)
        self.position = Position(**{"since": None, "ask": position.get("since"), **position})
        self.pauses: list[float] = []
        self.reader = Reader(
            self._fetch, lambda row: row[0], lambda row: row[1], self.position, pause=self.pauses.append
        )

    def _fetch(self, since: datetime | None, number: int) -> Page:
        assert self.left, f"more is asked: {since}, page {number}"
        asked, answer = self.left.pop(0)
        assert (since, number) == asked
        return answer

    def read(self) -> list[Sequence[Row]]:
        """What came page by page, by the names of the rows."""
        found = [[name for name, _ in rows] for rows in self.reader.pages()]
        assert self.left == []
        return found


A, B, C, D, E = (name for name in "abcde")


def test_each_request_begins_where_the_last_page_ended() -> None:
    talk = Conversation(
        ((at(-9), 1), page((A, at(0)), (B, at(5.5)), count=3, pages=2, time=100)),
        ((at(5), 1), page((B, at(5.5)), (C, at(6)), count=2, pages=1, time=101)),
        since=at(-9),
    )
    assert talk.read() == [[A, B], [C]]
    assert (talk.position.started, talk.position.first_count, talk.position.newest) == (at(100), 3, at(6))
    assert (talk.position.walks, talk.position.warnings, talk.position.exclusive) == (0, [], False)


def test_a_page_that_comes_again_is_the_last_one_and_brings_nothing() -> None:
    full = (A, at(0)), (B, at(5)), (C, at(6))
    talk = Conversation(
        ((None, 1), page(*full, size=3)),
        ((at(6), 1), page((C, at(6)), (D, at(7)), (E, at(8)), size=3)),
        ((at(8), 1), page((E, at(8)), size=1)),
    )
    assert talk.read() == [[A, B, C], [D, E], []]


def test_rows_of_the_last_second_come_once_and_a_changed_one_again() -> None:
    talk = Conversation(
        ((None, 1), page((A, at(0)), (B, at(5.2)), (C, at(5.9)), count=5, size=3)),
        ((at(5), 1), page((C, at(5.9)), (D, at(6.1)), (B, at(6.2)), count=3, size=3)),
    )
    assert talk.read() == [[A, B, C], [D, B]]


def test_a_server_that_leaves_out_the_second_asked_for_is_asked_from_the_one_before() -> None:
    talk = Conversation(
        ((None, 1), page((A, at(0)), (B, at(5)), count=4, time=50)),
        ((at(5), 1), page((C, at(6)), (D, at(7)), count=2, time=51)),
        ((at(4), 1), page((B, at(5)), (C, at(6)), count=3, time=52)),
        ((at(5), 1), page((C, at(6)), (D, at(7)), count=2, time=53)),
    )
    assert talk.read() == [[A, B], [C], [D]]
    assert (talk.position.exclusive, talk.position.started, talk.position.first_count) == (True, at(50), 4)


def test_once_it_is_known_to_leave_a_second_out_it_is_not_asked_twice() -> None:
    talk = Conversation(
        ((at(5), 1), page((C, at(6)), (D, at(9)), count=3)),
        ((at(8), 1), page((D, at(9)), (E, at(9.5)), count=2)),
        since=at(5),
        exclusive=True,
        seen=["x y"],
    )
    assert talk.read() == [[C, D], [E]]


def test_where_nothing_of_the_second_comes_from_the_one_before_either_it_is_not_left_out() -> None:
    """The row that was seen has changed meanwhile."""
    talk = Conversation(
        ((None, 1), page((A, at(0)), (B, at(5)), count=4)),
        ((at(5), 1), page((C, at(6)), (D, at(7)), count=2)),
        ((at(4), 1), page((C, at(6)), (D, at(7)), count=2)),
    )
    assert talk.read() == [[A, B], [C, D]]
    assert talk.position.exclusive is False


@pytest.mark.parametrize(
    ("first", "asked", "exclusive"),
    [
        (((A, at(5.1)), (B, at(5.2))), None, False),  # of one second
        (((A, at(4.5)), (B, at(5.9))), at(5), False),  # up to the second asked for
        (((A, at(4.5)), (B, at(5.9))), at(4), True),  # which this server leaves out
    ],
)
def test_a_page_that_leads_no_further_is_walked_from_the_last_page_down(
    first: tuple[Row, ...], asked: datetime | None, exclusive: bool
) -> None:
    talk = Conversation(
        ((asked, 1), page(*first, count=5, pages=3, time=100.7)),
        ((asked, 3), page((E, at(9)), count=5, pages=3, time=101)),
        ((asked, 2), page((C, at(7)), (D, at(8)), count=5, pages=3, time=102)),
        ((asked, 1), page(*first, count=5, pages=3, time=103)),
        ((at(99), 1), page((D, at(99.5)), count=1, time=104)),
        since=asked,
        exclusive=exclusive,
    )
    assert talk.read() == [[A, B], [E], [C, D], [A, B], [D]]
    assert (talk.position.walks, talk.position.walk_started, talk.position.last_page) == (1, at(100.7), 3)
    assert (talk.position.newest, talk.position.warnings) == (at(99.5), [])


def test_after_a_walk_of_a_server_without_a_clock_it_goes_on_from_what_it_has_told_last() -> None:
    talk = Conversation(
        ((None, 1), page((A, at(5.1)), (B, at(5.2)), count=3, pages=2, time=None)),
        ((None, 2), page((C, at(7)), count=3, pages=2, time=None)),
        ((None, 1), page((A, at(5.1)), (B, at(5.2)), count=3, pages=2, time=None)),
        ((at(4), 1), page((C, at(7)), count=1, time=None)),
    )
    assert talk.read()[1:3] == [[C], [A, B]]
    assert talk.position.walk_started == at(5.2)


def test_a_server_that_tells_no_time_at_all_is_walked_from_before_any_record() -> None:
    """Neither of itself nor of its records: all is read once more, as often as walks are allowed."""
    first, second = (page(*rows, count=3, pages=2, time=None) for rows in (((A, None), (B, None)), ((C, None),)))
    ask = datetime(1, 1, 1, tzinfo=UTC)
    once, again = [((None, 1), first), ((None, 2), second), ((None, 1), first)], [
        ((ask, 1), first), ((ask, 2), second), ((ask, 1), first), ((ask, 1), page(time=None)),
    ]  # fmt: skip
    talk = Conversation(*once, *again)
    assert talk.read() == [[A, B], [C], [A, B], [A, B], [C], [A, B], []]
    assert (talk.pauses, talk.position.walks) == ([], 2)


SAME = (A, at(5.1)), (B, at(5.2))


def walk(*pages: tuple[Row, ...], **position: Any) -> Conversation:
    """Of so many pages, from the last one down, in the middle of which a reading goes on."""
    count = len(pages)
    answers = [((None, count - number), page(*rows, count=99, pages=count)) for number, rows in enumerate(pages)]
    known = {"step": "walk", "page": count, "last_page": count, "walk_started": at(9)}
    return Conversation(*answers, **known | position)


def ended(talk: Conversation) -> bool:
    """Whether the walk came to its first page; else it was given up at the last answer that there was."""
    try:
        for _ in talk.reader.pages():
            if talk.position.step != "walk":
                return True
    except BadAnswer as error:
        given_up = error
    assert talk.left == []
    assert "brought nothing new" in given_up.message
    assert given_up.correction.startswith("Nothing was loaded. Pull again")
    return False


@pytest.mark.parametrize(
    ("pages", "well"),
    [
        ([SAME] * 6, True),  # new, and five times nothing new
        ([SAME] * 7, False),
        ([()] * 5, True),
        ([()] * 6, False),
        ([*[SAME] * 6, ((C, at(7)),), *[SAME] * 5], True),  # one that is new in between
        ([*[SAME] * 6, ((C, at(7)),), *[SAME] * 6], False),
        ([((str(number % 5), at(7)),) for number in range(10)], True),
        ([((str(number % 5), at(7)),) for number in range(11)], False),
        ([((str(number % 6), at(7)),) for number in range(30)], True),  # no more than five are remembered
    ],
)
def test_five_pages_in_a_row_of_a_walk_may_bring_nothing_new(pages: list[tuple[Row, ...]], well: bool) -> None:
    assert ended(walk(*pages)) is well


@pytest.mark.parametrize("rows", [SAME, ()])
@pytest.mark.parametrize("more", [0, 1])
def test_each_walk_begins_to_count_anew(rows: tuple[Row, ...], more: int) -> None:
    """Of the pages before nothing is known, nor how many of them brought nothing."""
    first, second = range(5 + bool(rows), 0, -1), range(5 + bool(rows) + more, 0, -1)
    pages = [((None, number), page(*rows, count=99, pages=len(first), time=100)) for number in first]
    again = (None, 1), page(*SAME, count=99, pages=len(second), time=101)
    more_pages = [((None, number), page(*rows, count=99, pages=len(second), time=100)) for number in second]
    talk = Conversation(
        *pages, again, *more_pages, walk_started=at(9), step="walk", page=len(first), last_page=len(first)
    )
    for _ in zip(pages, talk.reader.pages(), strict=False):
        pass
    talk.reader.read_again("rows are missing")
    assert ended(talk) is not bool(more)


def test_a_second_that_is_not_over_is_walked_a_few_times() -> None:
    assert 0.1 <= PAUSE <= 1


def test_a_page_that_leads_one_second_further_is_not_walked() -> None:
    talk = Conversation(
        ((at(5), 1), page((A, at(5.1)), (B, at(6)), count=3, pages=2)),
        ((at(6), 1), page((B, at(6)), count=1)),
        since=at(5),
    )
    assert talk.read() == [[A, B], []]
    assert talk.position.walks == 0
    excluding = Conversation(
        ((at(5), 1), page((A, at(6.1)), (B, at(7)), count=3, pages=2)),
        ((at(6), 1), page((B, at(7)), (C, at(7.1)), count=2)),
        since=at(5),
        exclusive=True,
    )
    assert excluding.read() == [[A, B], [C]]


def test_without_a_count_of_pages_it_is_counted_up_to_the_first_empty_one() -> None:
    same = (A, at(5.1)), (B, at(5.2))
    talk = Conversation(
        ((None, 1), page(*same, time=100)),
        ((None, 2), page((C, at(6)), (D, at(7)))),
        ((None, 3), page((E, at(8)))),
        ((None, 4), page()),
        ((None, 3), page((E, at(8)))),
        ((None, 2), page((C, at(6)), (D, at(7)))),
        ((None, 1), page(*same)),
        ((at(99), 1), page()),
    )
    assert talk.read() == [[A, B], [C, D], [E], [], [E], [C, D], [A, B], []]
    assert (talk.position.last_page, talk.position.seen) == (3, [])


def test_a_page_of_rows_that_were_seen_is_not_the_last_where_more_are_counted() -> None:
    same = (A, at(5.1)), (B, at(5.2))
    seen = [f"{name} {version}" for name, version in same]
    talk = Conversation(
        ((at(5), 1), page(*same, count=5, pages=3, time=100)),
        ((at(5), 3), page((E, at(7)))),
        ((at(5), 2), page((C, at(5.3)), (D, at(6)))),
        ((at(5), 1), page(*same)),
        ((at(99), 1), page()),
        since=at(5),
        seen=seen,
    )
    assert talk.read()[1:] == [[E], [C, D], [A, B], []]
    uncounted = Conversation(((at(5), 1), page(*same)), since=at(5), seen=seen)
    assert uncounted.read() == [[]]


def test_pages_that_overlap_lead_on_all_the_same() -> None:
    """A record was added meanwhile, and moved the others by one."""
    one, two, three = ((A, at(5.1)), (B, at(5.2))), ((B, at(5.2)), (C, at(6))), ((C, at(6)), (D, at(7)))
    talk = Conversation(
        ((None, 1), page(*one, time=100)),
        *[((None, number), page(*rows)) for number, rows in ((2, two), (3, three), (4, ()), (3, three), (2, two))],
        ((None, 1), page(*one)),
        ((at(99), 1), page()),
    )
    assert talk.read() == [[A, B], [B, C], [C, D], [], [C, D], [B, C], [A, B], []]


def test_a_server_that_ignores_the_number_of_the_page_has_one_page() -> None:
    same = page((A, at(5.1)), (B, at(5.2)), time=100)
    talk = Conversation(((None, 1), same), ((None, 2), same), ((None, 1), same), ((at(99), 1), page()))
    assert talk.read() == [[A, B], [A, B], [A, B], []]
    assert talk.position.last_page == 1
    later = Conversation(
        ((None, 1), same),
        ((None, 2), page((C, at(6)), (D, at(7)))),
        ((None, 3), page((C, at(6)), (D, at(7)))),
        ((None, 2), page((C, at(6)), (D, at(7)))),
        ((None, 1), same),
        ((at(99), 1), page()),
    )
    assert later.read()[2:] == [[C, D], [C, D], [A, B], []]


FILTER = ["the server does not filter by If-Modified-Since; everything was read"]
SORT = ["the server does not sort by UpdatedDateUTC; read page by page instead"]


def test_where_the_filter_is_ignored_the_end_is_read_again_until_nothing_newer_is_met() -> None:
    old = page((A, at(1)), (B, at(2)), count=5, pages=3, time=100)
    talk = Conversation(
        ((at(50), 1), old),
        ((at(50), 3), page((E, at(5)), count=5, pages=3)),
        ((at(50), 2), page((C, at(3)), (D, at(4)), count=5, pages=3)),
        ((at(50), 1), old),
        # Changed while the walk went on: seconds 99 and later count as such.
        ((at(50), 4), page(time=110)),
        ((at(50), 3), page((E, at(5)), (A, at(99)), time=111)),
        ((at(50), 2), page((C, at(3)), (D, at(98.9)))),
        # Once more, from where the pass before began.
        ((at(50), 4), page(time=120)),
        ((at(50), 3), page((A, at(99)), time=121)),
        since=at(50),
    )
    assert talk.read() == [[A, B], [E], [C, D], [A, B], [], [E, A], [C, D], [], [A]]
    assert (talk.position.walks, talk.position.walk_started, talk.position.warnings) == (2, at(110), FILTER)
    assert talk.position.step == "done"


def test_the_end_is_read_down_to_the_first_page_when_all_is_newer() -> None:
    talk = Conversation(
        ((at(50), 1), page((A, at(1)), (B, at(2)), count=3, pages=2, time=100)),
        ((at(50), 2), page((C, at(3)), count=3, pages=2)),
        ((at(50), 1), page((A, at(1)), (B, at(2)), count=3, pages=2)),
        ((at(50), 3), page((D, at(101)), time=110)),
        ((at(50), 2), page((C, at(102)))),
        ((at(50), 1), page((A, at(103)), (B, at(104)))),
        ((at(50), 3), page(time=120)),
        ((at(50), 2), page((C, at(102)))),
        since=at(50),
    )
    assert talk.read()[3:] == [[D], [C], [A, B], [], [C]]


def test_the_end_is_read_again_also_of_a_server_without_a_clock() -> None:
    """From what it has told of its records at first; a pass that meets nothing newer is the last."""
    old = page((A, at(1)), (B, at(52)), count=3, pages=2, time=None)
    talk = Conversation(
        ((at(50), 1), old),
        ((at(50), 2), page((C, at(3)), count=3, pages=2, time=None)),
        ((at(50), 1), old),
        ((at(50), 3), page(time=None)),
        ((at(50), 2), page((C, at(60)), time=None)),
        ((at(50), 1), page((A, at(1)), (D, at(2)), time=None)),
        ((at(50), 3), page(time=None)),
        ((at(50), 2), page((C, at(3)), time=None)),
        since=at(50),
    )
    assert talk.read()[3:] == [[], [C], [A, D], [], [C]]
    assert (talk.position.walk_started, talk.position.warnings) == (at(52), FILTER), "one old row tells it"


def test_one_page_of_an_unfiltered_list_is_one_moment() -> None:
    only = page((A, at(1)), (B, at(2)), pages=1)
    talk = Conversation(((at(50), 1), only), ((at(50), 1), only), since=at(50))
    assert talk.read() == [[A, B], [A, B]]
    assert talk.position.warnings == FILTER


def test_an_unsorted_and_unfiltered_list_is_walked_once() -> None:
    first = page((B, at(2)), (A, at(1.9)), count=3, pages=2)
    talk = Conversation(
        ((at(50), 1), first), ((at(50), 2), page((C, at(0)))), ((at(50), 1), first), since=at(50)
    )  # fmt: skip
    assert talk.read() == [[B, A], [C], [B, A]]
    assert talk.position.warnings == FILTER + SORT


def test_an_unsorted_list_is_walked_and_what_changed_meanwhile_read_by_key() -> None:
    first = page((B, at(2)), (A, at(1.9)), count=3, pages=2, time=100)
    talk = Conversation(((None, 1), first), ((None, 2), page((C, at(0)))), ((None, 1), first), ((at(99), 1), page()))
    assert talk.read() == [[B, A], [C], [B, A], []]
    assert talk.position.warnings == SORT


def test_what_a_server_may_do_is_no_misbehaviour() -> None:
    """To mix the rows of one second, and to begin up to a second before the one asked for."""
    talk = Conversation(
        ((at(5.5), 1), page((A, at(4)), (C, at(6.9)), (B, at(6)), count=4, size=3)),
        ((at(6), 1), page((C, at(6.9)), (B, at(6)), (D, at(7)), count=3, size=3)),
        since=at(5.5),
    )
    assert talk.read() == [[A, C, B], [D]]
    assert talk.position.warnings == []


def test_rows_without_a_date_are_walked_and_said_once() -> None:
    undated = page((A, None), (B, None), pages=1, time=100)
    talk = Conversation(((None, 1), undated), ((None, 1), undated), ((at(99), 1), undated), ((at(99), 1), undated),
                        ((at(99), 1), page()))  # fmt: skip
    assert talk.read() == [[A, B]] * 4 + [[]]
    assert talk.position.warnings == ["no record of a page says when it was changed; read page by page instead"]
    assert talk.position.newest is None


def test_a_row_without_a_date_comes_again_beside_those_that_were_seen() -> None:
    talk = Conversation(
        ((None, 1), page((A, at(0)), (B, at(5)), (C, None), count=4, size=3)),
        ((at(5), 1), page((B, at(5)), (C, None), (D, at(6)), count=3, size=3)),
    )
    assert talk.read() == [[A, B, C], [C, D]]


def rows(count: int) -> tuple[Row, ...]:
    return tuple((f"r{number}", at(number)) for number in range(count))


def test_without_any_count_a_short_page_is_the_last() -> None:
    """A server that does not tell the size of its pages fills at least a hundred rows."""
    assert Conversation(((None, 1), page(*rows(99), size=None))).read() == [[f"r{number}" for number in range(99)]]
    full = Conversation(((None, 1), page(*rows(100), size=None)), ((at(99), 1), page(size=None)),
                        ((at(98), 1), page(size=None)))  # fmt: skip
    assert len(full.read()[0]) == 100


def test_a_short_page_that_says_there_is_more_is_still_the_last() -> None:
    assert Conversation(((None, 1), page((A, at(0)), count=9))).read() == [[A]]


def test_everything_once_more_is_walked_from_the_last_page() -> None:
    talk = Conversation(
        ((at(1), 1), page((A, at(2)), (B, at(3)), count=3, pages=2, time=100)),
        ((at(1), 2), page((C, at(4)), count=3, pages=2)),
        ((at(1), 1), page((A, at(2)), (B, at(3)), count=3, pages=2)),
        ((at(99), 1), page()),
        since=at(1),
        step="done",
        ask=at(77),
    )
    talk.reader.read_again("rows are missing")
    assert talk.read() == [[C], [A, B], []]
    assert (talk.position.warnings, talk.position.newest) == (["rows are missing"], at(4))


def test_an_empty_list_is_walked_as_one_page() -> None:
    talk = Conversation(((None, 1), page(pages=0)), ((None, 1), page(pages=0)), ((at(-1), 1), page()), step="done")
    talk.reader.read_again("rows are missing")
    assert talk.read() == [[], []]


def test_as_many_walks_as_are_allowed() -> None:
    assert MAX_WALKS == 60
    one = page((A, at(2)), pages=1, time=100)
    last = Conversation((((None, 1), one)), walks=59)
    last.reader.read_again("again")
    assert last.position.walks == 60
    with pytest.raises(BadAnswer) as raised:
        Conversation((((None, 1), one)), walks=60).reader.read_again("again")
    assert raised.value.message == "the records keep changing faster than they can be read (60 attempts)"
    assert raised.value.correction == "Pull again at a quieter time."
    # Of a second of the server's that is not over yet nothing can be said.
    for before, now, pauses in (
        (at(100), 100, [PAUSE]), (at(100.2), 100, [PAUSE]), (at(100), 100.7, [PAUSE]), (at(100.9), 100.1, [PAUSE]),
        (at(99), 100, []), (at(99.9), 100.1, []), (at(100), 101, []),
    ):  # fmt: skip
        again = Conversation(((None, 1), page((A, at(2)), pages=1, time=now)), walk_started=before)
        again.reader.read_again("again")
        assert again.pauses == pauses


def test_a_stored_position_begins_where_it_says() -> None:
    fresh = msgspec.json.decode(b'{"since":null,"ask":null}', type=Position)
    assert msgspec.to_builtins(fresh) == {
        "since": None, "ask": None, "step": "by_key", "page": 1, "last_page": 1, "seen": [], "exclusive": False,
        "first_count": None, "newest": None, "started": None, "walk_started": None, "pass_started": None,
        "met_newer": False, "partial": False, "walks": 0, "fetched": 0, "rowless": [], "problems": [], "warnings": [],
    }  # fmt: skip


class PositionBefore(msgspec.Struct):
    """What workers of the version before store and resume: the problems are known by the words of the warnings."""

    since: datetime | None
    ask: datetime | None
    step: str = "by_key"
    rowless: list[str] = []
    warnings: list[str] = []


def test_a_position_is_resumed_by_the_version_before_and_the_reverse() -> None:
    undated = "no record of a page says when it was changed; read page by page instead"
    then = PositionBefore(None, at(5), "walk", ["a"], [*FILTER, "Xero announced 3 records, 2 came", *SORT])
    now = msgspec.convert(msgspec.to_builtins(then), Position)
    assert (now.step, now.ignored_ids, now.warnings) == ("walk", ["a"], then.warnings)
    assert set(now.problems) == {Problem.UNFILTERED, Problem.UNSORTED}
    stored = Position(None, at(5), step="walk", ignored_ids=["a"])
    for problem in (Problem.UNFILTERED, Problem.UNSORTED, Problem.UNDATED, Problem.UNSORTED):
        stored.note(problem)
    assert stored.problems == [Problem.UNFILTERED, Problem.UNSORTED, Problem.UNDATED]
    before = msgspec.convert(msgspec.to_builtins(stored), PositionBefore)
    assert before == PositionBefore(None, at(5), "walk", ["a"], [*FILTER, *SORT, undated])
    assert msgspec.convert(msgspec.to_builtins(stored), Position) == stored


@pytest.mark.parametrize(
    ("newest", "started", "water"),
    [(at(5), at(9), at(5)), (at(9), at(5), at(5)), (at(5), None, at(5)), (None, at(5), None), (None, None, None)],
)
def test_the_next_reading_starts_from_no_time_that_the_server_has_not_reached(
    newest: datetime | None, started: datetime | None, water: datetime | None
) -> None:
    assert high_water(Position(None, None, newest=newest, started=started)) == water


def test_no_list_has_more_than_five_thousand_pages() -> None:
    assert MAX_PAGES == 5_000
    last = Conversation(((None, 1), page((A, at(0)), count=1)), fetched=MAX_PAGES - 1)
    assert (last.read(), last.position.fetched) == ([[A]], MAX_PAGES)
    with pytest.raises(OutOfBounds, match="The list of records"):
        Conversation(fetched=MAX_PAGES).read()
    same = (A, at(5.1)), (B, at(5.2))
    long = Conversation(((None, 1), page(*same, pages=MAX_PAGES)))
    assert len(next(long.reader.pages())) == 2
    assert long.position.page == MAX_PAGES
    with pytest.raises(OutOfBounds, match="5,000 pages"):
        Conversation(((None, 1), page(*same, pages=MAX_PAGES + 1))).read()
