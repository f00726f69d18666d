"""When Xero comes to grief: over one document, or altogether."""

import logging
from collections.abc import Callable

from xero.api.errors import BadAnswer, RetryLater, XeroError

log = logging.getLogger(__name__)

IN_A_ROW = 2  # outages after which Xero is taken to be out of order for all


class Patience:
    """One outage may be a document's own, and holds nothing else back; two in a row are Xero's."""

    def __init__(self) -> None:
        self._trouble: XeroError | None = None
        self._in_a_row = 0

    def attempt(self, what: str, work: Callable[[], None]) -> None:
        """Does the work. Raises what it raises, but for a first outage: that is kept until `finish`."""
        try:
            work()
        except (RetryLater, BadAnswer) as error:
            self._in_a_row += 1
            if self._in_a_row >= IN_A_ROW or (isinstance(error, RetryLater) and error.limit != "outage"):
                raise
            self._trouble = error
            log.warning("%s: %s The others go on.", what, error.message)
        else:
            self._in_a_row = 0

    def finish(self) -> None:
        """Raises what was kept: the run has not done all."""
        if self._trouble:
            raise self._trouble
