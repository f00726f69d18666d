-- An unfinished read, and how far it came.

-- name: unfinished^
-- One under an hour old goes on where it was, if it was staged under the same declaration and reads at least as much.
SELECT id, whole, everything, since, started_at, position, complete,
       declaration = :declaration AND (whole OR NOT :whole) AND (NOT :everything OR everything AND NOT complete)
       AND started_at > clock_timestamp() - interval '1 hour' AND started_at <= clock_timestamp() AS goes_on
  FROM xero_sync.staging
 WHERE connection_id = :connection_id AND data_set = :data_set;

-- name: begin^
INSERT INTO xero_sync.staging (connection_id, data_set, declaration, whole, everything, since)
VALUES (:connection_id, :data_set, :declaration, :whole, :everything, :since)
RETURNING id, whole, everything, since, started_at, position, complete;

-- name: advance!
UPDATE xero_sync.staging SET position = :position, complete = :complete WHERE id = :id;

-- name: end!
DELETE FROM xero_sync.staging WHERE id = :id;

-- name: seen
SELECT key FROM xero_sync.stage_seen WHERE staging_id = :staging_id AND source = :source;

-- name: forget_seen!
DELETE FROM xero_sync.stage_seen WHERE staging_id = :id;

-- name: cursor^
SELECT high_water, completed_at, clock_timestamp() - completed_at AS age, clock_timestamp() - full_at AS full_age
  FROM xero_sync.cursor
 WHERE connection_id = :connection_id AND data_set = :data_set;

-- name: move_cursor!
-- Forward only, whatever order the pulls end in.
INSERT INTO xero_sync.cursor AS held (connection_id, data_set, high_water, completed_at, full_at)
VALUES (:connection_id, :data_set, :high_water, now(), CASE WHEN :whole THEN now() END)
    ON CONFLICT (connection_id, data_set) DO UPDATE SET
       high_water = greatest(held.high_water, excluded.high_water),
       completed_at = excluded.completed_at,
       full_at = coalesce(excluded.full_at, held.full_at);
