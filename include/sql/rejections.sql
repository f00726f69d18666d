-- Records that could not be loaded. `bad` is a temporary table of those of the current staging.

-- name: open_rejections
SELECT record, undecodable FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND data_set = :data_set AND table_name = :table_name AND closed_at IS NULL
   AND jsonb_typeof(record) = 'object' AND coalesce(jsonb_typeof(undecodable) IN ('object', 'null'), true)
 ORDER BY id;

-- name: keep!
INSERT INTO xero_sync.rejection AS held (connection_id, data_set, table_name, key, reasons, record, undecodable,
                                         held_back, event_id)
SELECT :connection_id, :data_set, :table_name, key, problems, record, undecodable, :held_back, :event_id FROM bad
    ON CONFLICT (connection_id, data_set, table_name, key) WHERE closed_at IS NULL DO UPDATE SET
       reasons = excluded.reasons, record = excluded.record, undecodable = excluded.undecodable, last_tried_at = now(),
       held_back = held.held_back AND excluded.held_back;

-- name: close_others!
-- Closes rejections whose record was loaded, or no longer exists in Xero.
UPDATE xero_sync.rejection AS held
   SET closed_at = now(), closed_by = :event_id
 WHERE connection_id = :connection_id AND data_set = :data_set AND table_name = :table_name AND closed_at IS NULL
   AND NOT EXISTS (SELECT FROM bad WHERE bad.key = held.key);

-- name: some_bad
SELECT key, problems FROM bad ORDER BY key LIMIT :count;

-- name: commonest_reasons
SELECT reason, count(*) AS count FROM bad, unnest(problems) AS reason GROUP BY reason ORDER BY count DESC, reason LIMIT 3;

-- name: newest_open
SELECT rejection.id, rejection.connection_id, organisation.name AS organisation, rejection.data_set, rejection.table_name, rejection.key,
       rejection.reasons, rejection.record, rejection.undecodable, rejection.held_back, rejection.rejected_at, rejection.last_tried_at,
       rejection.event_id
  FROM xero_sync.rejection
  JOIN xero_sync.connection ON connection.id = rejection.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE rejection.closed_at IS NULL AND connection.state <> 'deleted'
   AND (:connection_id::uuid IS NULL OR rejection.connection_id = :connection_id)
   AND (:pulled::text[] IS NULL OR rejection.data_set = ANY(:pulled))
   AND (:before::bigint IS NULL OR rejection.id < :before)
 ORDER BY rejection.id DESC
 LIMIT :limit;

-- name: drop_bad!
DROP TABLE bad;

-- The statements below are templates: {stage} is the staging table, {key} what `key` makes of the column that identifies a
-- record.

-- name: key!
-- What identifies a rejection: the record's id; of a very long id its beginning and its hash, so it fits an index; of a row without
-- an id its hash.
CASE WHEN length({key}::text) > 200 THEN left({key}::text, 100) || ' ' || md5({key}::text)
     ELSE coalesce({key}::text, 'row ' || encode(row_hash, 'hex')) END;

-- name: has_any
-- Whether anything is bad in this staging, or was before.
SELECT EXISTS (SELECT FROM {stage} WHERE staging_id = :staging_id AND problems IS NOT NULL)
    OR EXISTS (SELECT FROM xero_sync.rejection
                WHERE connection_id = :connection_id AND data_set = :data_set AND table_name = :table_name AND closed_at IS NULL);

-- name: collect_bad!
-- Where several versions of a record were staged, the last one that Xero sent decides.
CREATE TEMP TABLE bad ON COMMIT DROP AS
WITH suspect AS (
    SELECT DISTINCT {key} AS key FROM {stage} WHERE staging_id = :staging_id AND problems IS NOT NULL
), latest AS (
    SELECT DISTINCT ON (key) {key} AS key, problems, undecodable, to_jsonb(staged)
           - ARRAY['staging_id', 'seq', 'row_hash', 'retried', 'undecodable', 'problems'] AS record
      FROM {stage} AS staged JOIN suspect ON suspect.key = {key}
     WHERE staging_id = :staging_id
     ORDER BY key, retried, xero_updated_at DESC NULLS FIRST, seq DESC
)
SELECT key, problems, undecodable, record FROM latest WHERE problems IS NOT NULL;

-- name: count_newly_bad
SELECT count(DISTINCT {key})
  FROM {stage}
 WHERE staging_id = :staging_id AND problems IS NOT NULL AND NOT retried
   AND NOT EXISTS (SELECT FROM xero_sync.rejection
                    WHERE connection_id = :connection_id AND data_set = :data_set AND table_name = :table_name
                      AND closed_at IS NULL AND NOT held_back AND rejection.key = {key});
