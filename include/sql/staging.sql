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
-- A version of a time to come is none: it would keep away what changes until then. The days are for two clocks that differ; a
-- whole reading comes sooner.
SELECT CASE WHEN high_water <= clock_timestamp() + interval '32 days' THEN high_water END AS high_water, completed_at,
       clock_timestamp() - CASE WHEN isfinite(completed_at) THEN completed_at ELSE '9999-01-01' END AS age,
       clock_timestamp() - CASE WHEN isfinite(full_at) OR full_at IS NULL THEN full_at ELSE '9999-01-01' END AS full_age
  FROM xero_sync.cursor
 WHERE connection_id = :connection_id AND data_set = :data_set;

-- name: move_cursor!
-- Forward only, whatever order the pulls end in; a whole reading says anew how far it came.
INSERT INTO xero_sync.cursor AS held (connection_id, data_set, high_water, completed_at, full_at)
VALUES (:connection_id, :data_set, :high_water, now(), CASE WHEN :whole THEN now() END)
    ON CONFLICT (connection_id, data_set) DO UPDATE SET
       high_water = greatest(CASE WHEN held.high_water <= clock_timestamp() + interval '32 days'
                                   AND NOT (:whole AND excluded.high_water IS NOT NULL) THEN held.high_water END,
                             excluded.high_water),
       completed_at = excluded.completed_at,
       full_at = coalesce(excluded.full_at, held.full_at);
