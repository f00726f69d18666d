-- Documents that are in Xero, or should be, with their records there. Templates: {table} is the kind's table, {records} that of the
-- records, {paid} the part with its payments. Of a period; documents without a date always. `differing`: documents with an open
-- difference, which count whatever their state. These, and those that are still to be pushed, may have another day in Xero
-- (`their_day`): they are read whatever their day (`is_of_period`).

-- name: forget_compared!
-- Every document of the organisation is compared afresh with the next load.
UPDATE xero_sync.followed_document SET compared = ''
 WHERE compared <> ''
   AND connection_id IN (SELECT id FROM xero_sync.connection WHERE organisation_id = :organisation_id);

-- name: elapsed$
SELECT clock_timestamp() - :since;

-- name: paid!
own.paid_to_date AS our_paid,
CASE WHEN num_nulls(record.amount_credited, record.amount_due) = 0 THEN record.amount_paid END AS their_paid,
(SELECT coalesce(sum(amount), 0) FROM qicworks.invoice_payment AS payment
  WHERE payment.connection_id = :connection_id AND payment.invoice_xero_id = document.xero_id AND payment.is_active) AS payments;

-- name: not_paid!
NULL::numeric AS our_paid, NULL::numeric AS their_paid, NULL::numeric AS payments;

-- name: priced
-- A pushed document is as far as its files are.
WITH document AS (
    SELECT id, number, issue_date AS day, push_state, total, xero_id, false AS is_deleted,
           coalesce(xero_sync.currency_code(currency), (SELECT xero_sync.currency_code(base_currency)
                                                          FROM qicworks.organisation WHERE id = :organisation_id)) AS currency
      FROM qicworks.{table}
     WHERE organisation_id = :organisation_id
       AND (id = ANY(:differing) OR push_state IN ('ready', 'in_flight', 'pushed', 'failed', 'skipped') OR push_state = 'draft'
            AND (xero_id IS NOT NULL
                 OR EXISTS (SELECT FROM xero_sync.waiting_cancellation AS waiting
                             WHERE waiting.document_id = {table}.id AND waiting.document_table = :table
                               AND waiting.organisation_id = :organisation_id)))
     UNION ALL
    SELECT cancellation.document_id, cancellation.number, NULL, 'deleted', NULL, cancellation.xero_id, true, NULL
      FROM xero_sync.cancellation
     WHERE cancellation.organisation_id = :organisation_id AND document_table = :table AND how = 'deleted'
       AND (done_at IS NULL OR document_id = ANY(:differing))
       AND NOT EXISTS (SELECT FROM qicworks.{table} AS own
                        WHERE own.id = cancellation.document_id AND own.organisation_id = cancellation.organisation_id)
)
SELECT document.id, document.number, document.day::text AS day, coalesce(file.push_state, document.push_state) AS push_state, document.currency,
       coalesce(nullif(record.content::jsonb ->> 'CurrencyCode', ''), document.currency) AS their_currency, document.total AS our_total,
       document.xero_id IS NOT NULL AS is_linked, document.is_deleted, record.total AS their_total, period.is_of_period,
       record.content::jsonb ->> 'Date' AS their_day,
       coalesce(record.is_active AND record.missing_since IS NULL, false) AS in_xero,
       record.id IS NOT NULL
           AND NOT EXISTS (SELECT FROM xero_sync.rejection
                            WHERE rejection.connection_id = :connection_id AND rejection.table_name = :records
                              AND rejection.key = document.xero_id::text AND rejection.closed_at IS NULL) AS is_read,
       coalesce(followed.compared, '') <> '' AS is_compared,
       cancellation.document_id IS NOT NULL AS is_cancelled, cancellation.done_at IS NOT NULL AS is_cancelled_in_xero, {paid}
  FROM document
  LEFT JOIN qicworks.{table} AS own ON own.id = document.id AND own.organisation_id = :organisation_id
  LEFT JOIN qicworks.{records} AS record ON record.connection_id = :connection_id AND record.xero_id = document.xero_id
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = document.id AND document_table = :table
       AND cancellation.organisation_id = :organisation_id
  LEFT JOIN xero_sync.followed_document AS followed ON followed.document_id = document.id
  LEFT JOIN LATERAL (
       SELECT min(push_state) AS push_state  -- failed before in flight before ready
         FROM (SELECT push_state FROM qicworks.attachment
                WHERE parent_type = :table AND parent_id = document.id AND push_state IN ('failed', 'in_flight', 'ready')
                UNION ALL
               SELECT 'ready' FROM xero_sync.removed_file
                WHERE document_table = :table AND document_id = document.id AND organisation_id = :organisation_id AND done_at IS NULL) AS one
        WHERE document.push_state = 'pushed') AS file ON true
 CROSS JOIN LATERAL (
       SELECT coalesce(document.day BETWEEN :first AND :last OR NOT isfinite(document.day) OR document.day > '9999-12-31', true)
              AS is_of_period) AS period
 WHERE period.is_of_period
    OR record.id IS NOT NULL AND (document.id = ANY(:differing) OR document.push_state IN ('ready', 'in_flight', 'failed'))
 ORDER BY document.day, document.number, document.id;

-- name: leave
-- Without those of persons who were erased: their leave is read no more.
WITH document AS (
    SELECT id, start_date AS day, push_state, xero_id, false AS is_deleted
      FROM qicworks.{table}
     WHERE organisation_id = :organisation_id
       AND (id = ANY(:differing) OR push_state IN ('ready', 'in_flight', 'pushed', 'failed', 'skipped') OR push_state = 'draft'
            AND (xero_id IS NOT NULL
                 OR EXISTS (SELECT FROM xero_sync.waiting_cancellation AS waiting
                             WHERE waiting.document_id = {table}.id AND waiting.document_table = :table
                               AND waiting.organisation_id = :organisation_id)))
       AND (id = ANY(:differing)
            OR NOT EXISTS (SELECT FROM qicworks.staff
                             JOIN xero_sync.erasure ON erasure.xero_id = lower(staff.xero_id::text)
                            WHERE staff.id = {table}.staff_id AND erasure.connection_id = :connection_id))
     UNION ALL
    SELECT cancellation.document_id, NULL, 'deleted', cancellation.xero_id, true
      FROM xero_sync.cancellation
     WHERE cancellation.organisation_id = :organisation_id AND document_table = :table AND how = 'deleted'
       AND (done_at IS NULL OR document_id = ANY(:differing))
       AND NOT EXISTS (SELECT FROM qicworks.{table} AS own
                        WHERE own.id = cancellation.document_id AND own.organisation_id = cancellation.organisation_id)
)
SELECT document.id, NULL AS number, document.day::text AS day, document.push_state, NULL AS currency, NULL AS their_currency,
       NULL::numeric AS our_total,
       document.xero_id IS NOT NULL AS is_linked, document.is_deleted, NULL::numeric AS their_total, period.is_of_period,
       record.start_date::text AS their_day,
       coalesce(record.is_active AND record.missing_since IS NULL, false) AS in_xero,
       record.id IS NOT NULL
           AND NOT EXISTS (SELECT FROM xero_sync.rejection
                            WHERE rejection.connection_id = :connection_id AND rejection.table_name = :records
                              AND rejection.key = document.xero_id::text AND rejection.closed_at IS NULL) AS is_read,
       coalesce(followed.compared, '') <> '' AS is_compared,
       cancellation.document_id IS NOT NULL AS is_cancelled, cancellation.done_at IS NOT NULL AS is_cancelled_in_xero, {paid}
  FROM document
  LEFT JOIN qicworks.{records} AS record ON record.connection_id = :connection_id AND record.xero_id = document.xero_id
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = document.id AND document_table = :table
       AND cancellation.organisation_id = :organisation_id
  LEFT JOIN xero_sync.followed_document AS followed ON followed.document_id = document.id
 CROSS JOIN LATERAL (
       SELECT coalesce(document.day BETWEEN :first AND :last OR NOT isfinite(document.day) OR document.day > '9999-12-31', true)
              AS is_of_period) AS period
 WHERE period.is_of_period
    OR record.id IS NOT NULL AND (document.id = ANY(:differing) OR document.push_state IN ('ready', 'in_flight', 'failed'))
 ORDER BY document.day, document.id;

-- name: existing_ids
SELECT id FROM qicworks.{table} WHERE id = ANY(:ids) AND organisation_id = :organisation_id;

-- name: push_again
-- To be sent by the next push.
UPDATE qicworks.{table} SET push_state = 'ready'
 WHERE id = :id AND xero_id IS NOT NULL AND push_state IN ('pushed', 'failed', 'ready')
RETURNING id;
