"""Connecting without a browser: every organisation of a custom connection, matched by name."""

from collections.abc import Callable
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Engine

from xero.api.settings import XeroApp
from xero.sync.connect.clients import OpenClient
from xero.sync.connect.consent import Tenant, authorised_tenants, match, without_consent
from xero.sync.connect.match_checks import Wanted

Say = Callable[[str], Any]


def connect_all(engine: Engine, app: XeroApp, airflow_conn_id: str, open_client: OpenClient, say: Say) -> int:
    """Matches every organisation that Xero lists to the QicWorks organisation of its name, which is created if missing.

    Safe to run again. Returns how many could not be matched or read; `say` gets one sentence for each step.
    """
    token_id = without_consent(engine, app, airflow_conn_id)
    found = authorised_tenants(engine, lambda conn_id: app, token_id)
    if not found:
        say("Xero lists no organisation for this app: an organisation has to authorise it first")
    wanted: Wanted = {one.tenant_id: _choice(one) for one in found}
    matched = match(engine, token_id, found, wanted, lambda conn_id: app, open_client)
    for one in matched:
        say(one.message)
        say(f"  cannot be read yet: {one.trouble}" if one.trouble else f"  {one.read}")
    doubtful = [one for one in found if wanted[one.tenant_id] is None]
    for left in doubtful:
        say(f"{left.name}: left as it is: its match with '{left.unsealed}' has no seal, and the names differ")
        say("  save the match on its page if it is right; if the keys did not change, another program wrote it")
    return len(doubtful) + sum(one.trouble is not None for one in matched)


def _choice(found: Tenant) -> UUID | Literal["new"] | None:
    """An existing match without a valid seal is kept only if the names agree; otherwise a person decides."""
    if found.unsealed and found.unsealed != found.organisation:
        return None
    return found.organisation_id or "new"
