-- Authorisations as the pages show them; never their tokens.

-- name: unmatched
-- Those that no connection uses: their organisations are not matched yet.
SELECT id, airflow_conn_id, created_at FROM xero_sync.token
 WHERE state = 'ok' AND NOT EXISTS (SELECT FROM xero_sync.connection WHERE token_id = token.id AND state <> 'deleted')
 ORDER BY created_at DESC
 LIMIT 5;
