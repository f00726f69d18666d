-- States of consents that have begun. Instants are by this database's clock, of the statement and not of its transaction.

-- name: forget_old!
DELETE FROM xero_sync.oauth_state WHERE created_at < clock_timestamp() - interval '1 day';

-- name: issue!
INSERT INTO xero_sync.oauth_state (state_hash, user_id, airflow_conn_id, seal)
VALUES (:state_hash, :user_id, :airflow_conn_id, :seal);

-- name: seal_of$
SELECT seal FROM xero_sync.oauth_state WHERE state_hash = :state_hash;

-- name: use_once$
-- The app it was issued for. Only once, before it expires, and only for its own user.
UPDATE xero_sync.oauth_state SET used_at = clock_timestamp()
 WHERE state_hash = :state_hash AND user_id = :user_id AND used_at IS NULL AND expires_at > clock_timestamp()
RETURNING airflow_conn_id;

-- name: why_not^
SELECT user_id = :user_id AS own, used_at IS NOT NULL AS used FROM xero_sync.oauth_state WHERE state_hash = :state_hash;
