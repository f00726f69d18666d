-- How organisations work.

-- name: read^
SELECT to_jsonb(connection_setting) AS setting FROM xero_sync.connection_setting WHERE connection_id = :connection_id;

-- name: begin!
INSERT INTO xero_sync.connection_setting (connection_id) VALUES (:connection_id) ON CONFLICT DO NOTHING;

-- name: set!
UPDATE xero_sync.connection_setting SET {column} = :value, changed_by = :who, changed_at = clock_timestamp()
 WHERE connection_id = :connection_id;
