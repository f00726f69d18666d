"""How documents arrive in Xero: their status, and what lines take that have no account or tax code."""

from dataclasses import dataclass
from enum import StrEnum

SALES = "REVENUE"
PURCHASES = "EXPENSE"


class Arrival(StrEnum):
    """The status in which a document is created in Xero."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    AUTHORISED = "AUTHORISED"


@dataclass(frozen=True)
class Defaults:
    """An account and a tax code that lines without their own take: settings of each organisation.

    Args:
        of: Which documents, in the settings' help.
        account_class: The class of accounts that is usual there.
        side: Only documents with this value in their column `side`; None: all.
        prefix: Of the settings' names.
    """

    of: str
    account_class: str
    side: str | None = None
    prefix: str = ""


def arrival_of(status: object) -> Arrival:
    """A status of Xero's as one in which a document can arrive; any other counts as a draft."""
    return next((one for one in Arrival if one == status), Arrival.DRAFT)
