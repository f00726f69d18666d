-- Records that could not be loaded. `bad` is the temporary table of those of the current staging.

-- name: open_ones
SELECT record, undecodable FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND data_set = :data_set AND table_name = :table_name AND closed_at IS NULL
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
