"""The tie-out: what QicWorks holds as pushed against what Xero holds, document by document, for a period."""

from xero.sync.follow.tie_out.flow import NAME, tie_out
from xero.sync.follow.tie_out.period import Period
from xero.sync.follow.tie_out.result import State, TieOut, as_last_read

__all__ = ["NAME", "Period", "State", "TieOut", "as_last_read", "tie_out"]
