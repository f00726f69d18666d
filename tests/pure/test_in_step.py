"""What leads all kinds of document through one world does what they wait for once, and says of which kind something
fails."""

from typing import Any, cast

import pytest

from tests.support.in_step import Steps, in_step
from tests.support.pushing import Books

BOOKS = cast(Books, None)


def test_what_all_wait_for_is_done_once_and_what_it_said_is_told_to_each() -> None:
    done: list[str] = []

    def sweep(books: Books) -> str:
        done.append("sweep")
        return "said"

    @in_step("bills", "invoices")
    def test(books: Books, kind: str, mode: str) -> Steps:
        done.append(f"{kind} {mode}")
        done.append(f"{kind} {(yield sweep)}")

    test(BOOKS, mode="ask")
    assert done == ["bills ask", "invoices ask", "sweep", "bills said", "invoices said"]


@pytest.mark.parametrize("failing", [("bills",), ("invoices",), ("bills", "invoices")])
def test_a_kind_that_fails_is_named_and_the_others_are_led_to_their_end(failing: tuple[str, ...]) -> None:
    ended: list[str] = []

    @in_step("bills", "expenses", "invoices")
    def test(books: Books, kind: str) -> Steps:
        yield str
        if kind in failing:
            pytest.fail("it is wrong")
        yield str
        ended.append(kind)

    with pytest.raises(BaseException, match=r"it is wrong|of several kinds") as failed:
        test(BOOKS)
    each: tuple[Any, ...] = getattr(failed.value, "exceptions", (failed.value,))
    assert [one.__notes__ for one in each] == [[f"of {kind}"] for kind in failing]
    assert ended == [kind for kind in ("bills", "expenses", "invoices") if kind not in failing]


def test_kinds_that_wait_for_something_different_are_not_in_step() -> None:
    @in_step("bills", "invoices")
    def test(books: Books, kind: str) -> Steps:
        yield {"bills": str, "invoices": repr}[kind]

    with pytest.raises(AssertionError, match="not in step"):
        test(BOOKS)
