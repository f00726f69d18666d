-- Which organisation owns a document, over all organisations. table, label: the kind's table, and the column that its users call one by.

-- name: called
-- The documents of these ids or names; also those that were deleted: by name only while Xero still has them. `cancellation`: of one
-- that is cancelled, how far that is: differs (Xero does not delete it, or has it in force again), done, or open.
WITH called AS (
    SELECT id, {label}::text AS label, organisation_id, push_state, push_version, created_at FROM qicworks.{table}
     WHERE id::text = ANY(:ids) OR {label}::text = ANY(:names)
     UNION ALL
    SELECT document_id, number, organisation_id, 'deleted', push_version, cancelled_at FROM xero_sync.cancellation
     WHERE document_table = :table AND how = 'deleted'
       AND (document_id::text = ANY(:ids) OR done_at IS NULL AND number = ANY(:names)))
SELECT called.id, called.label, called.organisation_id, called.push_state, called.push_version,
       CASE WHEN cancellation.document_id IS NOT NULL
             AND EXISTS (SELECT FROM xero_sync.difference JOIN xero_sync.connection ON connection.id = difference.connection_id
                          WHERE connection.organisation_id = cancellation.organisation_id AND connection.state <> 'deleted'
                            AND difference.document_id = cancellation.document_id AND difference.document_kind = :kind AND settled_at IS NULL
                            AND reason = 'cancelled_in_qicworks') THEN 'differs'
            WHEN cancellation.done_at IS NOT NULL THEN 'done'
            WHEN cancellation.document_id IS NOT NULL THEN 'open' END AS cancellation
  FROM called
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = called.id AND cancellation.document_table = :table AND cancellation.organisation_id = called.organisation_id
 ORDER BY called.created_at, called.id;

-- name: perhaps_busy
-- Every organisation that may have something to push, and perhaps some more: the outbox of each decides.
SELECT organisation_id FROM qicworks.{table} WHERE push_state IN ('ready', 'in_flight')
 UNION
SELECT connection.organisation_id
  FROM xero_sync.push_request JOIN xero_sync.connection ON connection.id = push_request.connection_id
 WHERE kind = :kind AND closed_at IS NULL
 UNION
SELECT organisation_id FROM qicworks.attachment WHERE parent_type = :table AND push_state = 'ready'
 UNION
SELECT organisation_id FROM xero_sync.cancellation WHERE document_table = :table AND done_at IS NULL
 UNION
SELECT organisation_id FROM xero_sync.removed_file WHERE document_table = :table AND done_at IS NULL
 UNION
SELECT connection.organisation_id
  FROM xero_sync.difference JOIN xero_sync.connection ON connection.id = difference.connection_id
 WHERE document_kind = :kind AND reason = 'cancelled_in_qicworks' AND settled_at IS NULL
 UNION
SELECT document.organisation_id
  FROM xero_sync.lacking_currency AS lacking JOIN qicworks.{table} AS document ON document.id = lacking.document_id
 WHERE kind = :kind AND NOT is_cancelled
 UNION
SELECT document.organisation_id
  FROM xero_sync.lacking_department AS lacking
  JOIN qicworks.{table} AS document ON document.id = lacking.document_id AND document.push_version = lacking.version
 WHERE kind = :kind AND document.push_state = 'failed';

-- name: with_failed
SELECT DISTINCT organisation_id FROM qicworks.{table} WHERE push_state = 'failed';
