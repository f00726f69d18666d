"""Brings the database to the schema in `include/sql/schema`."""

import logging

from sqlalchemy import URL, Engine
from yoyo import get_backend, read_migrations

from xero.qicworks import database, sql

QUERIES = sql.Statements("migrate")
log = logging.getLogger(__name__)


def migrate(engine: Engine) -> list[str]:
    """Applies what is not yet applied, one migration a transaction, under a lock. Returns the ids applied now."""
    with database.session(engine) as session:
        QUERIES.wait_without_limit(session)
        QUERIES.lock_schema(session)
        QUERIES.create_schema(session)
        backend = get_backend(_address(engine.url))
        try:
            pending = backend.to_apply(read_migrations(str(sql.folder() / "schema")))
            applied = [migration.id for migration in pending]
            backend.apply_migrations(pending)
        finally:
            backend.connection.close()
    for name in applied:
        log.info("migration %s applied", name)
    return applied


def _address(url: URL) -> str:
    """As yoyo reads it: a socket's folder goes into the query."""
    if url.host and url.host.startswith("/"):
        url = url.set(host="").update_query_dict({"host": url.host})
    return url.update_query_dict({"schema": "xero_sync"}).render_as_string(hide_password=False)
