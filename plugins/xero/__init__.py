"""Keeps QicWorks and Xero in sync."""

from xero import owner

OWNER = owner.OURS  # what another package of this name does not say

owner.warn_of_another()
