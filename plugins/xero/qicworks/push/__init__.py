"""The outbox: which documents are ready, what was sent, and how Xero responded."""

from xero.qicworks.push.documents_by_owner import DocumentOwner
from xero.qicworks.push.links import Links
from xero.qicworks.push.outbox import Outbox

__all__ = ["DocumentOwner", "Links", "Outbox"]
