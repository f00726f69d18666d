-- Authorisations: one row for each consent (or client), its tokens encrypted.

-- name: read_token(token_id)^
SELECT state, broken_reason, secret FROM xero_sync.token WHERE id = :token_id;

-- name: wait_at_most(milliseconds)$
-- Who waits for a renewal must not wait for ever: the one who renews may hang.
SELECT set_config('lock_timeout', :milliseconds::text, true);

-- name: lock_token(token_id)^
SELECT state, broken_reason, secret FROM xero_sync.token WHERE id = :token_id FOR UPDATE;

-- name: store_token(token_id, secret, expires_at, scope)!
UPDATE xero_sync.token
   SET secret = :secret, expires_at = :expires_at, scope = :scope, state = 'ok', broken_reason = NULL,
       renewed_at = clock_timestamp()
 WHERE id = :token_id;

-- name: break_token(token_id, reason)!
UPDATE xero_sync.token SET state = 'broken', broken_reason = :reason WHERE id = :token_id;

-- name: new_token(airflow_conn_id, secret, expires_at, scope)$
INSERT INTO xero_sync.token (airflow_conn_id, secret, expires_at, scope)
VALUES (:airflow_conn_id, :secret, :expires_at, :scope)
RETURNING id;
