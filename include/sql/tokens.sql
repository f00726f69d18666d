-- Authorisations: one row for each consent (or client), its tokens encrypted.

-- name: read_token(token_id)^
SELECT state, broken_reason, secret, airflow_conn_id FROM xero_sync.token WHERE id = :token_id;

-- name: wait_at_most(milliseconds)$
-- A process that waits for a renewal must not wait forever: the renewing process may hang.
SELECT set_config('lock_timeout', :milliseconds::text, true);

-- name: lock_token(token_id)^
SELECT state, broken_reason, secret, airflow_conn_id FROM xero_sync.token WHERE id = :token_id FOR UPDATE;

-- name: store_token(token_id, secret, expires_at, scope, xero_user_id)!
UPDATE xero_sync.token
   SET secret = :secret, expires_at = :expires_at, scope = :scope, state = 'ok', broken_reason = NULL,
       xero_user_id = coalesce(:xero_user_id, xero_user_id), renewed_at = clock_timestamp()
 WHERE id = :token_id;

-- name: break_token(token_id, reason)!
UPDATE xero_sync.token SET state = 'broken', broken_reason = :reason WHERE id = :token_id;

-- name: new_token(token_id, airflow_conn_id, secret, expires_at, scope, xero_user_id)!
INSERT INTO xero_sync.token (id, airflow_conn_id, secret, expires_at, scope, xero_user_id)
VALUES (:token_id, :airflow_conn_id, :secret, :expires_at, :scope, :xero_user_id);

-- name: about(token_id)^
SELECT id, airflow_conn_id, state, broken_reason, xero_user_id FROM xero_sync.token WHERE id = :token_id;

-- name: of_app(airflow_conn_id)$
-- The working authorisation of a custom connection.
SELECT id FROM xero_sync.token
 WHERE airflow_conn_id = :airflow_conn_id AND state = 'ok' AND xero_user_id IS NULL
 ORDER BY created_at DESC
 LIMIT 1;

-- name: wipe(token_id, reason)!
-- Only what no live connection uses.
UPDATE xero_sync.token SET secret = '', state = 'broken', broken_reason = :reason
 WHERE id = :token_id AND NOT EXISTS (SELECT FROM xero_sync.connection WHERE token_id = token.id AND state <> 'deleted');

-- name: wipe_replaced(replaced, keep, airflow_conn_id, reason)!
-- The replaced tokens, and the app's tokens that are over a day old, unless a live connection uses them.
UPDATE xero_sync.token SET secret = '', state = 'broken', broken_reason = :reason
 WHERE id <> :keep
   AND (id = ANY(:replaced) OR (airflow_conn_id = :airflow_conn_id AND state = 'ok'
                                AND created_at < clock_timestamp() - interval '1 day'))
   AND NOT EXISTS (SELECT FROM xero_sync.connection WHERE token_id = token.id AND state <> 'deleted');

-- name: would_be_dropped(token_id, xero_user_id)
-- The apps that revoking this authorisation may disconnect: those with live connections, or with authorisations of the last hour
-- that are not matched yet, of the same user or of an unknown user.
SELECT DISTINCT token.airflow_conn_id
  FROM xero_sync.token
  LEFT JOIN xero_sync.connection ON connection.token_id = token.id AND connection.state <> 'deleted'
 WHERE (token.id = :token_id OR token.xero_user_id = :xero_user_id OR token.xero_user_id IS NULL OR :xero_user_id::text IS NULL)
   AND (connection.id IS NOT NULL
        OR (token.id <> :token_id AND token.state = 'ok' AND token.created_at > clock_timestamp() - interval '1 hour'));

-- name: idle
-- Xero ends authorisations that are not renewed for 60 days.
SELECT id, airflow_conn_id FROM xero_sync.token
 WHERE state = 'ok' AND renewed_at < clock_timestamp() - interval '30 days'
   AND EXISTS (SELECT FROM xero_sync.connection WHERE token_id = token.id AND state <> 'deleted');
