-- name: last_tie_out^
-- The latest tie-out of a connection that has ended.
SELECT id, started_at, status, outcome, message
  FROM xero_sync.connection_event
 WHERE connection_id = :connection_id AND direction = 'pull' AND data_set = 'tie_out' AND document IS NULL AND ended_at IS NOT NULL
 ORDER BY id DESC
 LIMIT 1;
