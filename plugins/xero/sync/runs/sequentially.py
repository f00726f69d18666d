"""Runs several organisations in one task, one after the other. Each has its own lease and event, and fails alone."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from xero.api.errors import RetryLater, cleaned
from xero.qicworks.runs.outcome import Status
from xero.sync.runs.outcome import Skip

log = logging.getLogger(__name__)

Member = Mapping[str, Any]  # "connection_id", "organisation"
Result = dict[str, Any]  # counts, and `status` and `changed` where there is one

BRIEF_WAIT_SECONDS = 15.0  # for Xero's limits, while other organisations have not run yet


class SomeFailed(Exception):
    """Some of the organisations failed, the others are done. `failures`: by the organisation's name."""

    def __init__(self, failures: Mapping[str, Exception], of: int) -> None:
        messages = "; ".join(f"{name}: {cleaned(error)}" for name, error in failures.items())
        super().__init__(f"{len(failures)} of {of} organisations failed, the others are done. {messages}")
        self.failures = dict(failures)


def run_sequentially(
    members: Sequence[Member], work: Callable[[Member, float | None], Result], done: Mapping[str, Result]
) -> tuple[Result, dict[str, Exception], list[str]]:
    """Returns the results added up, the failures by organisation, and the messages of those that were skipped.

    Args:
        work: Takes a member and the seconds it may wait for Xero's limits (None: the default). Members that have to
            wait longer run last.
        done: Results by connection id of those that this run has done already; they are not run again.
    """
    results: list[Result] = list(done.values())
    failures: dict[str, Exception] = {}
    skipped: list[str] = []
    waiting: list[Member] = []

    def attempt(member: Member, max_wait_seconds: float | None) -> None:
        name = member["organisation"]
        try:
            results.append(work(member, max_wait_seconds))
        except Skip as skip:
            log.info("%s: skipped: %s", name, skip)
            skipped.append(f"{name}: {skip}")
        except RetryLater as wait:
            if max_wait_seconds is None:
                log.error("%s: %s", name, wait)
                failures[name] = wait
            else:
                log.info("%s: runs last: %s", name, wait)
                waiting.append(member)
        except Exception as error:  # noqa: BLE001 - raised after all have run
            log.error("%s: %s: %s", name, type(error).__name__, cleaned(error))
            failures[name] = error

    for number, member in enumerate(members, 1):
        how = "already done by this run" if member["connection_id"] in done else "begins"
        log.info("%d of %d, %s: %s", number, len(members), member["organisation"], how)
        if member["connection_id"] not in done:
            attempt(member, BRIEF_WAIT_SECONDS)
    for member in waiting:
        log.info("%s: begins again", member["organisation"])
        attempt(member, None)
    return add_up(results), failures, skipped


def add_up(results: Collection[Result]) -> Result:
    """Adds up the counts. It changed if any did; its status is the most severe one."""
    total: Result = {}
    for result in results:
        for name, value in result.items():
            if name == "tables":
                total[name] = sorted({*total.get(name, ()), *value})
            elif name == "status":
                total[name] = max(total.get(name, Status.RUNNING), Status(value), key=lambda status: status.severity)
            else:
                total[name] = total.get(name, 0) + value
    if "changed" in total:
        total["changed"] = bool(total["changed"])
    return total
