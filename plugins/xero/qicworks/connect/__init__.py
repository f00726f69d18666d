"""Which Xero organisation is connected to which QicWorks organisation, and the encrypted tokens for it."""

from xero.qicworks.connect.connections import Connection, NotTakingPart
from xero.qicworks.connect.seals import Seals
from xero.qicworks.connect.tokens import StoredTokens

__all__ = ["Connection", "NotTakingPart", "Seals", "StoredTokens"]
