"""One test for each guard of a stored authorisation: never an expired token, never one wiped that is in use."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine

from tests.support.callers import Sandbox
from xero.qicworks import sql
from xero.qicworks.connect.tokens import save_new
from xero.sync.connect.token_store import DatabaseTokens

TOKENS = sql.Statements("tokens")


def test_an_expired_token_is_never_handed_out_by_a_renewal(sandbox: Sandbox, engine: Engine) -> None:
    """Though it is another one than the caller's stale token."""
    stale = sandbox.consent()
    expired = replace(sandbox.consent(), expires_at=datetime.now(UTC) - timedelta(minutes=1))
    tokens = DatabaseTokens(engine, save_new(engine, sandbox.app(), "xero_default", expired), sandbox.app())
    assert expired.access_token != stale.access_token
    assert not tokens.renew(stale).expired()


def test_an_authorisation_in_use_is_never_wiped(sandbox: Sandbox, engine: Engine, database_url: str) -> None:
    """Also if a connection was matched to it a moment before."""
    used, deleted, free, kept = (save_new(engine, sandbox.app(), "xero_default", sandbox.consent()) for _ in range(4))
    with psycopg.connect(database_url, row_factory=dict_row, autocommit=True) as session:
        session.execute("UPDATE xero_sync.token SET created_at = created_at - interval '2 days'")
        for token_id, state in ((used, "connected"), (deleted, "deleted")):
            session.execute(
                "WITH made AS (INSERT INTO qicworks.organisation (name) VALUES (%s) RETURNING id)"
                " INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, state)"
                " SELECT id, %s, %s, 'Xero', %s FROM made",
                (state, token_id, state, state),
            )
        TOKENS.wipe(session, token_id=used, reason="a test")
        TOKENS.wipe_replaced(
            session, replaced=[used], keep=kept, airflow_conn_id="xero_default", reason="replaced in a test"
        )
        states = session.execute("SELECT id, state, secret <> '' AS held FROM xero_sync.token").fetchall()
    wanted = {used: ("ok", True), kept: ("ok", True), deleted: ("broken", False), free: ("broken", False)}
    assert {row["id"]: (row["state"], row["held"]) for row in states} == wanted
