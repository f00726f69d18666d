"""What pages, alerts and metrics show. Reads only."""

from xero.qicworks.views.status import ConnectionStatus, NeedsAttention, get_status, needs_attention

__all__ = ["ConnectionStatus", "NeedsAttention", "get_status", "needs_attention"]
