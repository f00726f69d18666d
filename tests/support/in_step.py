"""A test of several kinds of document in one world: they go from sweep to sweep together, and one serves them all."""

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import pytest

from tests.support.pushing import PRICED, Books

Result = TypeVar("Result")
#: What is done once for all kinds as soon as each of them has come as far and yields it.
Step = Callable[[Books], object]
Part = Generator[Step, Any, Result]  # of a test, by `yield from`
Steps = Part[None]


def in_step(*kinds: str) -> Callable[[Callable[..., Steps]], Callable[..., None]]:
    """`test(books, kind, …)` for each of the kinds: it yields what it would call if it were alone (`sweep`).

    What fails is said of its kind; the others are led to their end."""

    def of(test: Callable[..., Steps]) -> Callable[..., None]:
        @functools.wraps(test)
        def every(books: Books, **parameters: Any) -> None:
            _lead(books, {kind: test(books=books, kind=kind, **parameters) for kind in kinds})

        signature = inspect.signature(test)
        others = [one for name, one in signature.parameters.items() if name != "kind"]
        every.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return every

    return of


every_kind = in_step(*PRICED)


def _lead(books: Books, running: dict[str, Steps]) -> None:
    failed: list[BaseException] = []
    said: object = None
    while running:
        wanted: dict[str, Step] = {}
        for kind, steps in running.items():
            try:
                wanted[kind] = steps.send(said)
            except StopIteration:
                continue
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - told below
                error.add_note(f"of {kind}")
                failed.append(error)
        running = {kind: running[kind] for kind in wanted}
        try:
            assert len(set(wanted.values())) <= 1, f"not in step: {wanted}"
            for step in set(wanted.values()):
                said = step(books)
        except Exception as error:  # noqa: BLE001 - told below
            error.add_note(f"of {', '.join(running)}")
            failed.append(error)
            break
    if len(failed) > 1:
        raise BaseExceptionGroup("of several kinds", failed)
    for one in failed:
        raise one
