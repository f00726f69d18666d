"""A push: recover what was left open, then claim, send and settle, batch by batch."""

from xero.sync.push.flow import preview, push

__all__ = ["preview", "push"]
