"""Staged rows, their merge into the pulled tables, and the rows that were rejected."""

from xero.qicworks.pull.merge import Loading
from xero.qicworks.pull.staging import Staging

__all__ = ["Loading", "Staging"]
