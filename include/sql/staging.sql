-- Unfinished readings, how far each came, and the cursors of finished ones.

-- name: unfinished^
-- A reading less than an hour old can be resumed if it was staged under the same declaration and covers at least as much.
SELECT id, whole AS "full", everything AS refetch_details, since, started_at, position, complete,
       declaration = :declaration AND (whole OR NOT :full) AND (NOT :refetch_details OR everything AND NOT complete)
       AND started_at > clock_timestamp() - interval '1 hour' AND started_at <= clock_timestamp() AS can_resume
  FROM xero_sync.staging
 WHERE connection_id = :connection_id AND data_set = :data_set;

-- name: begin^
INSERT INTO xero_sync.staging (connection_id, data_set, declaration, whole, everything, since)
VALUES (:connection_id, :data_set, :declaration, :full, :refetch_details, :since)
RETURNING id, whole AS "full", everything AS refetch_details, since, started_at, position, complete;

-- name: advance!
UPDATE xero_sync.staging SET position = :position, complete = :complete WHERE id = :id;

-- name: end!
DELETE FROM xero_sync.staging WHERE id = :id;

-- name: seen
SELECT key FROM xero_sync.stage_seen WHERE staging_id = :staging_id AND source = :source;

-- name: forget_seen!
DELETE FROM xero_sync.stage_seen WHERE staging_id = :id;

-- name: cursor^
-- A version in the future is not used: changes until then would be missed. Up to 32 days are allowed for clocks that differ,
-- because a full reading comes sooner.
SELECT CASE WHEN high_water <= clock_timestamp() + interval '32 days' THEN high_water END AS high_water, completed_at,
       clock_timestamp() - CASE WHEN isfinite(completed_at) THEN completed_at ELSE '9999-01-01' END AS age,
       clock_timestamp() - CASE WHEN isfinite(full_at) OR full_at IS NULL THEN full_at ELSE '9999-01-01' END AS full_age
  FROM xero_sync.cursor
 WHERE connection_id = :connection_id AND data_set = :data_set;

-- name: move_cursor!
-- Moves forward only, also if pulls end in another order; a full reading sets it.
INSERT INTO xero_sync.cursor AS held (connection_id, data_set, high_water, began_at, completed_at, full_at)
VALUES (:connection_id, :data_set, :high_water, :began_at, now(), CASE WHEN :full THEN now() END)
    ON CONFLICT (connection_id, data_set) DO UPDATE SET
       high_water = greatest(CASE WHEN held.high_water <= clock_timestamp() + interval '32 days'
                                   AND NOT (:full AND excluded.high_water IS NOT NULL) THEN held.high_water END,
                             excluded.high_water),
       began_at = excluded.began_at,
       completed_at = excluded.completed_at,
       full_at = coalesce(excluded.full_at, held.full_at);

-- name: see*!
-- Pages are read by key and overlap: of a record that comes twice the newest version stays. `read_at` is by the database's clock, since
-- machines may differ in theirs; `age` is in seconds, null for a record that was only listed.
INSERT INTO xero_sync.stage_seen AS known (staging_id, source, key, version, is_active, read_at)
VALUES (:staging_id, :source, :key, :version, :is_active, clock_timestamp() - :age * interval '1 second')
    ON CONFLICT (staging_id, source, key) DO UPDATE
   SET version = excluded.version, is_active = excluded.is_active, read_at = excluded.read_at
 WHERE known.version IS NULL OR excluded.version >= known.version;

-- name: listed$
-- How many records were listed, to be read by id.
SELECT count(DISTINCT key) FROM xero_sync.stage_seen WHERE staging_id = :staging_id AND read_at IS NULL;

-- The statements below are templates: {stage} is the table's own staging table, {key} the column that identifies a record.

-- name: count
SELECT count(*) FROM {stage} WHERE staging_id = :staging_id;

-- name: distinct
-- Rows without a key are counted each.
SELECT count(DISTINCT {key}) + count(*) FILTER (WHERE {key} IS NULL)
  FROM {stage}
 WHERE staging_id = :staging_id AND NOT retried;

-- name: without_key
SELECT count(*) FROM {stage} WHERE staging_id = :staging_id AND {key} IS NULL;

-- name: listed_only
-- Records that were listed and not read by id.
SELECT count(*)
  FROM xero_sync.stage_seen AS listed
 WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL
   AND NOT EXISTS (SELECT FROM {stage} AS staged
                    WHERE staged.staging_id = listed.staging_id AND staged.{key}::text = lower(listed.key));

-- name: drop_superseded!
-- Retried rejections of records that Xero has sent since.
DELETE FROM {stage} AS again WHERE staging_id = :staging_id AND retried
   AND EXISTS (SELECT FROM {stage} AS sent
                WHERE sent.staging_id = again.staging_id AND NOT sent.retried AND sent.{key} = again.{key});

-- name: drop_superseded_parts!
-- Retried rejections of parts of a record that was read since: it may no longer have them.
DELETE FROM {stage} AS again WHERE staging_id = :staging_id AND retried
   AND EXISTS (SELECT FROM xero_sync.stage_seen AS whole
                WHERE whole.staging_id = again.staging_id AND whole.read_at IS NOT NULL
                  AND lower(whole.key) = again.{parent_key}::text);

-- name: drop_of_erased!
-- {column}: the key, or that of the record a row is a part of; ids are unique over all that Xero has.
DELETE FROM {stage} WHERE staging_id = :staging_id AND lower({column}::text) = ANY(:erased);

-- name: forget_problems!
UPDATE {stage} SET problems = NULL WHERE staging_id = :staging_id AND problems IS NOT NULL;

-- name: mark!
UPDATE {stage} SET problems = :problems WHERE staging_id = :staging_id AND seq = :seq;

-- name: drop_rows!
DELETE FROM {stage} WHERE staging_id = :staging_id;
