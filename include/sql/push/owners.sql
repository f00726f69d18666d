-- Which organisation owns a document, over all organisations. table, label: the kind's table, and the column that its users call one by.

-- name: called
-- The documents of these ids or names.
SELECT id, {label}::text AS label, organisation_id, push_state, push_version FROM qicworks.{table}
 WHERE id::text = ANY(:ids) OR {label}::text = ANY(:names)
 ORDER BY created_at, id;

-- name: perhaps_busy
-- Every organisation that may have something to push, and perhaps some more: the outbox of each decides.
SELECT organisation_id FROM qicworks.{table} WHERE push_state IN ('ready', 'in_flight')
 UNION
SELECT connection.organisation_id
  FROM xero_sync.push_request JOIN xero_sync.connection ON connection.id = push_request.connection_id
 WHERE kind = :kind AND closed_at IS NULL
 UNION
SELECT organisation_id FROM qicworks.attachment WHERE parent_type = :table AND push_state = 'ready';

-- name: with_failed
SELECT DISTINCT organisation_id FROM qicworks.{table} WHERE push_state = 'failed';
