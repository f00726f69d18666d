"""Brings the database to the schema in `include/sql/schema`."""

import logging

from sqlalchemy import Engine, text
from yoyo import get_backend, read_migrations

from xero.qicworks import sql

log = logging.getLogger(__name__)


def migrate(engine: Engine) -> list[str]:
    """Applies what is not yet applied, one migration a transaction, under a lock. Returns the ids applied now."""
    with engine.begin() as connection:
        # Two first runs at once would both try to create the schema.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('xero_sync schema', 0))"))
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS xero_sync"))
    address = engine.url.update_query_dict({"schema": "xero_sync"})
    backend = get_backend(address.render_as_string(hide_password=False))
    try:
        with backend.lock(timeout=120):
            pending = backend.to_apply(read_migrations(str(sql.folder() / "schema")))
            applied = [migration.id for migration in pending]
            backend.apply_migrations(pending)
    finally:
        backend.connection.close()
    for name in applied:
        log.info("migration %s applied", name)
    return applied
