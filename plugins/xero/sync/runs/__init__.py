"""What all flows share: one run with its lease and event, who takes part, and how runs end."""

from xero.sync.runs.outcome import Busy, Outcome, PullFailed, Skip
from xero.sync.runs.participants import select_connections, select_connections_to_push
from xero.sync.runs.sequentially import run_sequentially

__all__ = [
    "Busy",
    "Outcome",
    "PullFailed",
    "Skip",
    "run_sequentially",
    "select_connections",
    "select_connections_to_push",
]
