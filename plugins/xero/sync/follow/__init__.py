"""What became of it: comparing QicWorks with Xero after pulls and pushes."""

from xero.sync.follow.comparison import Comparison

__all__ = ["Comparison"]
