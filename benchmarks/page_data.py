"""Fills a database like that of a large service after a year: 500 connections, a million events, 100,000 invoices."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from unittest import mock

from sqlalchemy import Engine

from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database, sql
from xero.qicworks.admin.migrate import migrate

CONNECTIONS = 500
EVENTS = 1_000_000
INVOICES = 100_000
LARGE = 20  # the first connection has every twentieth event

ORGANISATIONS = """
INSERT INTO qicworks.organisation (name)
SELECT 'Organisation ' || lpad(n::text, 3, '0') || ' Pty Ltd' FROM generate_series(1, %(connections)s) AS n
"""
CONNECTED = """
WITH token AS (
    INSERT INTO xero_sync.token (airflow_conn_id, secret, expires_at) VALUES ('xero_default', '', now()) RETURNING id
)
INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, connected_at)
SELECT organisation.id, token.id, 'tenant ' || organisation.name, organisation.name || ' (Xero)',
       now() - interval '400 days'
  FROM qicworks.organisation CROSS JOIN token
"""
# One in fifty was last loaded two days ago.
CURSORS = """
INSERT INTO xero_sync.cursor (connection_id, data_set, completed_at)
SELECT id, pulled.name, now() - CASE WHEN place %% 50 = 0 THEN interval '2 days' ELSE interval '9 hours' END
  FROM (SELECT id, row_number() OVER (ORDER BY tenant_id) AS place FROM xero_sync.connection) AS connection
 CROSS JOIN unnest(%(pulled)s::text[]) AS pulled (name)
"""
# Nine in ten succeed, and pushes name documents.
EVENTS_OF_A_YEAR = """
INSERT INTO xero_sync.connection_event
       (started_at, ended_at, connection_id, direction, data_set, status, read, inserted, updated, unchanged, rejected,
        pushed, calls, bytes_received, message, correction, document, dag_id, run_id, task_id, map_index, try_number)
SELECT at, at + interval '3 seconds', connection.id, pair.direction, pair.data_set, status,
       n %% 900, n %% 7, n %% 30, n %% 800, CASE WHEN status = 'warning' THEN 1 + n %% 3 ELSE 0 END,
       CASE WHEN pair.direction = 'push' THEN n %% 50 ELSE 0 END, 1 + n %% 12, 2000 + n %% 90000,
       CASE status WHEN 'success' THEN format('%%s records read, %%s new, %%s changed', n %% 900, n %% 7, n %% 30)
                   WHEN 'warning' THEN format('%%s records of contact number %%s are rejected', 1 + n %% 3, n %% 5000)
                   ELSE (ARRAY['Account code ''404'' is not a valid code for this document.',
                               'Xero did not answer in time',
                               'TaxType code ''INPUT'' cannot be used with account code ''200''.'])[1 + n %% 3] END,
       CASE WHEN status <> 'success' THEN 'Correct it in QicWorks, then push or pull again.' END,
       CASE WHEN pair.direction = 'push' AND n %% 4 = 0 THEN 'INV-' || lpad((n %% 100000)::text, 7, '0') END,
       pair.direction || '_' || pair.data_set, 'scheduled__' || at, pair.direction, n %% 500, 1
  FROM generate_series(1, %(events)s) AS n
 CROSS JOIN LATERAL (SELECT now() - interval '400 days' + n * (interval '400 days' / %(events)s) AS at,
                            n * 7919::bigint %% 100 AS luck) AS moment
 CROSS JOIN LATERAL (SELECT CASE WHEN luck < 90 THEN 'success' WHEN luck < 97 THEN 'warning' ELSE 'error' END AS status
                    ) AS drawn
  JOIN (SELECT id, row_number() OVER (ORDER BY tenant_id) - 1 AS place FROM xero_sync.connection) AS connection
    ON connection.place = CASE WHEN n %% %(large)s = 0 THEN 0 ELSE n / 20 %% %(connections)s END
  JOIN (SELECT direction, data_set, place - 1 AS place
          FROM unnest(%(directions)s::text[], %(data_sets)s::text[]) WITH ORDINALITY AS one (direction, data_set, place)
       ) AS pair
    ON pair.place = n * 7907::bigint / 13 %% cardinality(%(directions)s::text[])
 ORDER BY n
"""
INVOICES_OF_A_YEAR = """
INSERT INTO qicworks.invoice
       (organisation_id, number, issue_date, total, push_state, xero_id, pushed_at, push_error, created_at)
SELECT organisation.id, 'INV-' || lpad(n::text, 7, '0'), at, n, state,
       CASE WHEN state = 'pushed' THEN gen_random_uuid() END, CASE WHEN state = 'pushed' THEN at END,
       CASE WHEN state = 'failed' THEN 'Account code ''404'' is not a valid code for this document.' END, at
  FROM generate_series(1, %(invoices)s) AS n
 CROSS JOIN LATERAL (SELECT now() - interval '400 days' + n * (interval '400 days' / %(invoices)s) AS at,
                            CASE WHEN n * 7919::bigint %% 100 < 93 THEN 'pushed'
                                 WHEN n %% 7 < 3 THEN 'draft' WHEN n %% 7 < 5 THEN 'ready' ELSE 'failed' END AS state
                    ) AS drawn
  JOIN (SELECT id, row_number() OVER (ORDER BY name) - 1 AS place FROM qicworks.organisation) AS organisation
    ON organisation.place = n %% %(connections)s
"""


def fill(engine: Engine, *, connections: int = CONNECTIONS, events: int = EVENTS, invoices: int = INVOICES) -> float:
    """Creates the schema before the pages existed, fills it, and migrates it. Returns the seconds of the migration."""
    pairs = [("pull", name) for name in DATASETS] + [("push", name) for name in KINDS] + [("pull", "reconcile")]
    values = {
        "connections": connections,
        "events": events,
        "invoices": invoices,
        "large": LARGE,
        "pulled": list(DATASETS),
        "directions": [direction for direction, _ in pairs],
        "data_sets": [data_set for _, data_set in pairs],
    }
    with tempfile.TemporaryDirectory() as folder:
        earlier = Path(folder, "schema")
        earlier.mkdir()
        for file in (sql.folder() / "schema").glob("*.sql"):
            if file.name < "0009":
                (earlier / file.name).symlink_to(file)
        with mock.patch.object(sql, "folder", return_value=Path(folder)):
            migrate(engine)
    with database.session(engine) as session:
        for statement in (ORGANISATIONS, CONNECTED, CURSORS, EVENTS_OF_A_YEAR, INVOICES_OF_A_YEAR):
            session.execute(statement.encode(), values)
        began = time.monotonic()
        migrate(engine)
        took = time.monotonic() - began
        session.execute("VACUUM ANALYZE")
    return took
