"""Whether Xero fails over one record only, or altogether."""

from uuid import UUID

from xero.api.client import XeroClient
from xero.api.errors import XeroError
from xero.qicworks.outbox import Result


def is_of_one(client: XeroClient, path: str, error: XeroError) -> bool:
    """Whether Xero answered with a 5xx over and over, and lists others of the path all the same."""
    if not error.server_failed:
        return False
    try:
        client.get(path, params={"page": 1, "pageSize": 1})
    except XeroError:
        return False  # the first error says it
    return True


def unreadable(xero_id: UUID | None) -> Result:
    return Result(
        "failed",
        xero_id,
        error="not sent: Xero answers with an error of its own (HTTP 5xx) when asked how it stands there",
        correction="Push again later. If that happens again, look at it in Xero, and make the change there by hand.",
    )
