"""Migrations, the rights of the database role, and retention."""

from xero.qicworks.admin.grants import grant_to
from xero.qicworks.admin.retention import Retention, prune

__all__ = ["Retention", "grant_to", "prune"]
