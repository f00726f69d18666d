-- Under which keys the stored tokens lie, and the seals of matches.

-- name: stored
-- All that hold something; `used`: a live connection rests on it.
SELECT id, airflow_conn_id, state, secret,
       EXISTS (SELECT FROM xero_sync.connection WHERE token_id = token.id AND state <> 'deleted') AS used
  FROM xero_sync.token
 WHERE secret <> ''
 ORDER BY airflow_conn_id, created_at, id;

-- name: seals
-- Of live connections.
SELECT connection.id, organisation.name AS organisation, airflow_conn_id, seal
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
  JOIN xero_sync.token ON token.id = connection.token_id
 WHERE seal IS NOT NULL AND connection.state <> 'deleted'
 ORDER BY airflow_conn_id, connection.id;

-- name: lock_seal(id)$
SELECT seal FROM xero_sync.connection WHERE id = :id FOR UPDATE;

-- name: store_seal(id, seal)!
UPDATE xero_sync.connection SET seal = :seal WHERE id = :id;

-- name: wait_at_most(milliseconds)!
SELECT set_config('lock_timeout', :milliseconds::text, true);

-- name: lock(id)$
-- The lock that a renewal takes, too.
SELECT secret FROM xero_sync.token WHERE id = :id FOR UPDATE;

-- name: store(id, secret)!
UPDATE xero_sync.token SET secret = :secret WHERE id = :id;
