"""Circuit breaker: tolerates one server error, which one document may cause; stops the run after two in a row."""

import logging
from collections.abc import Callable

from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, RetryLater, XeroError
from xero.sync.push.deadlines import Wait

log = logging.getLogger(__name__)

MAX_OUTAGES_IN_A_ROW = 2  # Xero is then considered to be down for all documents
MAX_KNOWN_OUTAGES_IN_A_ROW = 10  # the same, for documents that had an outage before
MAX_FAILURES_ALONE = 3  # how often Xero may fail on a document that was sent alone


class OutageBreaker:
    """Keeps the first outage until the other documents are pushed; raises the second one in a row."""

    def __init__(self) -> None:
        self._outage: XeroError | None = None
        self._in_a_row = 0

    def attempt(self, what: str, work: Callable[[], None], *, known: bool = False) -> None:
        """Does the work. Raises what it raises, but for a first outage: that is kept until `finish`. `known`: of
        documents that had an outage before, which says less about Xero."""
        most = MAX_KNOWN_OUTAGES_IN_A_ROW if known else MAX_OUTAGES_IN_A_ROW
        try:
            work()
        except (RetryLater, BadAnswer) as error:
            self._in_a_row += 1
            if self._in_a_row >= most or (isinstance(error, RetryLater) and error.limit != "outage"):
                raise
            self._outage = error
            log.warning("%s: %s The other documents are pushed first.", what, error.message)
        else:
            self._in_a_row = 0

    def finish(self) -> None:
        """Raises what was kept: the run has not done all."""
        if self._outage:
            raise self._outage


def is_of_one(client: XeroClient, path: str, error: XeroError) -> bool:
    """Whether Xero returns a 5xx for one record only: it still lists others of the path."""
    if not error.server_failed:
        return False
    try:
        client.get(path, params={"page": 1, "pageSize": 1})
    except XeroError:
        return False  # Xero is down for all
    return True


def later(wait: Wait) -> RetryLater:
    """The error that leaves a request to a later run."""
    return RetryLater(
        wait.seconds,
        "outage",
        "Xero may still be processing an earlier push.",
        "No action needed: a later run checks the result in Xero.",
    )
