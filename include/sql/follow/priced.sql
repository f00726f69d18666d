-- Documents that are in Xero, compared with their records there. Templates: {table} is the kind's table, {records} that of the records.

-- name: to_compare
-- The next of which one side has changed since they were compared. `compared`: a hash of both sides, and of what is compared: workers
-- of the version before, which may still run, compare no rates. A document that waits for more
-- than an hour is looked at again. What was pushed after the reading of Xero began is left to the next: its record may be older.
-- The reading is the one that `reading` loads; of another run, the one of `followed` that was loaded last.
SELECT document.id, document.push_state, document.push_version, document.xero_id, record.content, record.missing_since IS NOT NULL AS missing,
       cancellation.document_id IS NOT NULL AS cancelled, state.waits, pushed.pushed_at::text AS pushed_at, state.compared
  FROM qicworks.{table} AS document
  JOIN qicworks.{records} AS record ON record.connection_id = :connection_id AND record.xero_id = document.xero_id
  JOIN qicworks.organisation ON organisation.id = document.organisation_id
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = document.id AND document_table = :table
       AND cancellation.organisation_id = :organisation_id
  LEFT JOIN xero_sync.followed_document AS followed ON followed.document_id = document.id
  LEFT JOIN xero_sync.pushed_content AS pushed ON pushed.document_id = document.id AND pushed.connection_id = :connection_id
 CROSS JOIN (
       SELECT coalesce((SELECT started_at FROM xero_sync.staging WHERE connection_id = :connection_id AND data_set = :reading),
                       (SELECT min(began_at) FROM xero_sync.cursor
                         WHERE connection_id = :connection_id AND split_part(data_set, '/', 1) = :followed),
                       'infinity') AS began_at) AS read
 CROSS JOIN LATERAL (
       SELECT document.push_state IN ('ready', 'in_flight') AND document.updated_at > now() - interval '1 hour' AS waits) AS pending
 CROSS JOIN LATERAL (
       SELECT pending.waits, md5(concat_ws('|', 'with rates', organisation.base_currency, document.push_version, document.push_state, document.status, document.xero_id,
                                           encode(record.row_hash, 'hex'), record.missing_since, cancellation.cancelled_at,
                                           pending.waits, :conflicts::text)) AS compared) AS state
 WHERE document.organisation_id = :organisation_id AND document.xero_id IS NOT NULL
   AND followed.compared IS DISTINCT FROM state.compared
   AND coalesce(pushed.pushed_at, '-infinity') <= read.began_at
   AND (:after::uuid IS NULL OR document.id > :after)
 ORDER BY document.id
 LIMIT :documents;

-- name: keep_compared!
INSERT INTO xero_sync.followed_document (document_id, connection_id, compared)
SELECT document_id, :connection_id, compared FROM unnest(:ids::uuid[], :compared::text[]) AS made (document_id, compared)
    ON CONFLICT (document_id) DO UPDATE SET
       connection_id = excluded.connection_id, compared = excluded.compared, compared_at = clock_timestamp();

-- name: push_again!
-- To be written over, or to take over what was changed in Xero: the next push does it.
UPDATE qicworks.{table} SET push_state = 'ready' WHERE id = ANY(:ids) AND push_state IN ('pushed', 'failed');

-- name: removed
-- Documents with open differences that no longer exist here, or are no longer linked to Xero; not one that Xero lacks, which forgets
-- its link for that: it is still not there until it is pushed again.
SELECT DISTINCT difference.document_id AS id, difference.label
  FROM xero_sync.difference
 WHERE difference.connection_id = :connection_id AND difference.document_kind = :kind AND difference.settled_at IS NULL
   AND difference.document_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.{table} AS document
                    WHERE document.id = difference.document_id AND document.organisation_id = :organisation_id
                      AND (document.xero_id IS NOT NULL
                           OR document.push_state IN ('ready', 'in_flight', 'failed')
                              AND NOT EXISTS (SELECT FROM xero_sync.cancellation
                                               WHERE cancellation.document_id = document.id AND document_table = :table
                                                 AND cancellation.organisation_id = :organisation_id)
                              AND EXISTS (SELECT FROM xero_sync.difference AS lacking
                                           WHERE lacking.connection_id = :connection_id AND lacking.document_id = document.id
                                             AND lacking.reason = 'missing_in_xero' AND lacking.settled_at IS NULL)));

-- name: paid_otherwise
-- Documents whose amounts paid differ (QicWorks', Xero's, and the sum of the payments that Xero lists), or differed until now. What a later pull of payments has brought is compared with the next reading.
SELECT document.id, document.number, record.missing_since IS NULL AND record.amount_paid IS NOT NULL AS is_known, document.paid_to_date,
       record.amount_paid, record.amount_paid - coalesce(record.disagreement, 0) AS payments
  FROM qicworks.{table} AS document
  JOIN qicworks.{records} AS record ON record.connection_id = :connection_id AND record.xero_id = document.xero_id
 WHERE document.organisation_id = :organisation_id
   AND (record.disagreement IS NOT NULL AND record.missing_since IS NULL
        OR document.paid_to_date <> record.amount_paid AND record.missing_since IS NULL
           AND NOT EXISTS (SELECT FROM qicworks.invoice_balance AS newer
                            WHERE newer.connection_id = :connection_id AND newer.xero_id = document.xero_id
                              AND (newer.xero_updated_at, newer.synced_at) > (record.xero_updated_at, record.synced_at))
           AND NOT EXISTS (SELECT FROM xero_sync.cancellation
                            WHERE cancellation.document_id = document.id AND document_table = :table
                              AND cancellation.organisation_id = :organisation_id)
        OR EXISTS (SELECT FROM xero_sync.difference
                    WHERE difference.connection_id = :connection_id AND difference.document_id = document.id
                      AND difference.reason = 'paid_differs' AND difference.settled_at IS NULL))
 ORDER BY document.id;
