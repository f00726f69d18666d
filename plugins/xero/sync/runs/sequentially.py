"""Several organisations by one task, one after the other: each with its lease and event, its failure its own."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from xero.api.errors import RetryLater, cleaned
from xero.qicworks.runs.outcome import Status
from xero.sync.runs.outcome import Skip

log = logging.getLogger(__name__)

Member = Mapping[str, Any]  # "connection_id", "organisation"
Result = dict[str, Any]  # counts, and `status` and `changed` where there is one

BRIEF = 15.0  # seconds that one waits for Xero's limits while others have not had their turn


class SomeFailed(Exception):
    """Some of the organisations failed, the others are done. `failures`: by the organisation's name."""

    def __init__(self, failures: Mapping[str, Exception], of: int) -> None:
        told = "; ".join(f"{name}: {cleaned(error)}" for name, error in failures.items())
        super().__init__(f"{len(failures)} of {of} organisations failed, the others are done. {told}")
        self.failures = dict(failures)


def run_sequentially(
    members: Sequence[Member], work: Callable[[Member, float | None], Result], done: Mapping[str, Result]
) -> tuple[Result, dict[str, Exception], list[str]]:
    """What all came to together, who failed, and why others were skipped.

    `done`: what those came to, by connection id, that this run has done already; they are passed over. Who has to wait
    for Xero comes last. `work` is given a member and the seconds it may wait for Xero's limits (None: as always).
    """
    results: list[Result] = list(done.values())
    failures: dict[str, Exception] = {}
    skipped: list[str] = []
    waiting: list[Member] = []

    def attempt(member: Member, patience: float | None) -> None:
        name = member["organisation"]
        try:
            results.append(work(member, patience))
        except Skip as skip:
            log.info("%s: skipped: %s", name, skip)
            skipped.append(f"{name}: {skip}")
        except RetryLater as wait:
            if patience is None:
                log.error("%s: %s", name, wait)
                failures[name] = wait
            else:
                log.info("%s: comes last: %s", name, wait)
                waiting.append(member)
        except Exception as error:  # noqa: BLE001 - it is raised when all have had their turn
            log.error("%s: %s: %s", name, type(error).__name__, cleaned(error))
            failures[name] = error

    for number, member in enumerate(members, 1):
        how = "done already by this run" if member["connection_id"] in done else "begins"
        log.info("%d of %d, %s: %s", number, len(members), member["organisation"], how)
        if member["connection_id"] not in done:
            attempt(member, BRIEF)
    for member in waiting:
        log.info("%s: begins again", member["organisation"])
        attempt(member, None)
    return together(results), failures, skipped


def together(results: Collection[Result]) -> Result:
    """Counts are added up; it changed if any did, and is a warning if any is."""
    whole: Result = {}
    for result in results:
        for name, value in result.items():
            if name == "tables":
                whole[name] = sorted({*whole.get(name, ()), *value})
            elif name == "status":
                whole[name] = max(whole.get(name, Status.RUNNING), Status(value), key=lambda status: status.severity)
            else:
                whole[name] = whole.get(name, 0) + value
    if "changed" in whole:
        whole["changed"] = bool(whole["changed"])
    return whole
