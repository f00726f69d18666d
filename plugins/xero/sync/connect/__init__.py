"""Connecting: consent, matching organisations, renewing idle tokens, disconnecting."""

from xero.sync.connect.authorised import Tenant, authorised_tenants
from xero.sync.connect.clients import OpenClient
from xero.sync.connect.matching import match
from xero.sync.connect.renew_idle import renew_idle_tokens
from xero.sync.connect.token_store import DatabaseTokens

__all__ = ["DatabaseTokens", "OpenClient", "Tenant", "authorised_tenants", "match", "renew_idle_tokens"]
