"""A pull: extract, validate, load."""

from xero.sync.pull.flow import pull

__all__ = ["pull"]
