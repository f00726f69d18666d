-- Records that could not be loaded. `bad` is the temporary table of those of the current staging.

-- name: open_ones
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
-- A version of these loaded, or Xero has them no longer.
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
