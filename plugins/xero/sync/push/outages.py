"""When Xero comes to grief: over one document, or altogether."""

import logging
from collections.abc import Callable
from uuid import UUID

from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, RetryLater, XeroError
from xero.qicworks.push.outbox import Result
from xero.sync.push.deadlines import Wait

log = logging.getLogger(__name__)

IN_A_ROW = 2  # outages after which Xero is taken to be out of order for all
KNOWN_IN_A_ROW = 10  # the same, of documents that had one before
ALONE = 3  # times that Xero may fail over a document that was sent alone


class Patience:
    """One outage may be a document's own, and holds nothing else back; two in a row are Xero's."""

    def __init__(self) -> None:
        self._trouble: XeroError | None = None
        self._in_a_row = 0

    def attempt(self, what: str, work: Callable[[], None], *, known: bool = False) -> None:
        """Does the work. Raises what it raises, but for a first outage: that is kept until `finish`. `known`: of
        documents that had an outage before, which says less of Xero."""
        most = KNOWN_IN_A_ROW if known else IN_A_ROW
        try:
            work()
        except (RetryLater, BadAnswer) as error:
            self._in_a_row += 1
            if self._in_a_row >= most or (isinstance(error, RetryLater) and error.limit != "outage"):
                raise
            self._trouble = error
            log.warning("%s: %s The others go on.", what, error.message)
        else:
            self._in_a_row = 0

    def finish(self) -> None:
        """Raises what was kept: the run has not done all."""
        if self._trouble:
            raise self._trouble


def is_of_one(client: XeroClient, path: str, error: XeroError) -> bool:
    """Whether Xero answered with a 5xx over and over, and lists others of the path all the same."""
    if not error.server_failed:
        return False
    try:
        client.get(path, params={"page": 1, "pageSize": 1})
    except XeroError:
        return False  # the first error says it
    return True


def later(wait: Wait) -> RetryLater:
    """The error that leaves a request to a later run."""
    return RetryLater(
        wait.seconds,
        "outage",
        "Xero may still be processing an earlier push.",
        "No action needed: a later run checks the result in Xero.",
    )


def not_sent(xero_id: UUID | None) -> Result:
    return Result(
        "failed",
        xero_id,
        error="not sent: Xero answers with an error of its own (HTTP 5xx) when asked how it stands there",
        correction="Push again later. If that happens again, look at it in Xero, and make the change there by hand.",
    )
