"""What all runs share: connection events, leases, Xero's limits across processes, and what is due when."""

from xero.qicworks.runs.call_budget import DatabaseLimiter
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status

__all__ = ["Counts", "DatabaseLimiter", "Direction", "EventOutcome", "Origin", "Status"]
