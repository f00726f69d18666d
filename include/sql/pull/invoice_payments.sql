-- Payments of invoices, and what Xero says of the amounts of QicWorks' invoices.

-- name: first_push$
-- Earlier payments are not of QicWorks' invoices. An invoice that was linked without a push counts from its creation.
-- Bounded, so a wrong stamp of one invoice does not move it to before QicWorks existed or into the future; clocks may differ
-- by a day.
SELECT min(least(greatest(coalesce(invoice.pushed_at, invoice.created_at), '2000-01-01Z'), now() + interval '1 day'))
  FROM qicworks.invoice
  JOIN xero_sync.connection ON connection.organisation_id = invoice.organisation_id
 WHERE connection.id = :connection_id AND (invoice.pushed_at IS NOT NULL OR invoice.xero_id IS NOT NULL);

-- name: ids_to_fetch
-- QicWorks' invoices whose amount paid is not known, or differs from the sum of their payments; those whose payments
-- changed without a summary, because a payment may have been replaced by another of the same amount; and, after a full reading,
-- what its lists lacked: the invoice, or a payment of it.
WITH listed AS (
    SELECT DISTINCT ON (xero_id) xero_id, invoice_xero_id, amount, is_active, paid_on
      FROM xero_sync.stage_invoice_payment
     WHERE staging_id = :staging_id AND NOT retried
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
), payment AS (
    SELECT xero_id, invoice_xero_id, amount, is_active FROM listed
     UNION ALL
    SELECT xero_id, invoice_xero_id, amount, is_active
      FROM qicworks.invoice_payment AS held
     WHERE connection_id = :connection_id
       AND NOT EXISTS (SELECT FROM xero_sync.stage_invoice_payment AS staged
                        WHERE staged.staging_id = :staging_id AND NOT staged.retried AND staged.xero_id = held.xero_id)
), paid AS (
    SELECT invoice_xero_id, sum(amount) AS amount FROM payment WHERE is_active GROUP BY invoice_xero_id
), summary AS (
    SELECT DISTINCT ON (xero_id) xero_id, amount_paid
      FROM xero_sync.stage_invoice_balance
     WHERE staging_id = :staging_id AND NOT retried
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
)
SELECT DISTINCT held.invoice_xero_id::text AS key
  FROM qicworks.invoice_payment AS held
 WHERE :full AND held.connection_id = :connection_id AND held.missing_since IS NULL
   AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_invoice_payment AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = held.xero_id)
 UNION
SELECT invoice.xero_id::text
  FROM qicworks.invoice
  LEFT JOIN summary ON summary.xero_id = invoice.xero_id
  LEFT JOIN qicworks.invoice_balance AS held ON held.connection_id = :connection_id AND held.xero_id = invoice.xero_id
  LEFT JOIN paid ON paid.invoice_xero_id = invoice.xero_id
 WHERE invoice.organisation_id = :organisation_id AND invoice.xero_id IS NOT NULL
   AND (coalesce(summary.amount_paid, held.amount_paid) IS NULL
        OR :full AND summary.xero_id IS NULL AND held.missing_since IS NULL
           AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
        OR coalesce(summary.amount_paid, held.amount_paid) - coalesce(paid.amount, 0) <> coalesce(held.disagreement, 0)
        OR summary.xero_id IS NULL AND EXISTS (
               SELECT FROM listed
                 LEFT JOIN qicworks.invoice_payment AS before
                   ON before.connection_id = :connection_id AND before.xero_id = listed.xero_id
                WHERE listed.invoice_xero_id = invoice.xero_id
                  AND (before.amount, before.is_active, before.paid_on)
                      IS DISTINCT FROM (listed.amount, listed.is_active, listed.paid_on)));

-- name: filter_invoice_balance!
-- Skip invoices that QicWorks did not push. What is held stays: a full reading meets it.
DELETE FROM xero_sync.stage_invoice_balance AS staged
 WHERE staging_id = :staging_id AND xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.invoice_balance AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.invoice
                    WHERE invoice.organisation_id = :organisation_id AND invoice.xero_id = staged.xero_id);

-- name: before_merge_invoice_payment!
-- A payment within an invoice has fewer fields than the payment itself: a row that is held and active stays as it is.
UPDATE xero_sync.stage_invoice_payment AS staged
   SET row_hash = held.row_hash
  FROM qicworks.invoice_payment AS held
 WHERE staged.staging_id = :staging_id AND staged.xero_updated_at IS NULL
   AND held.connection_id = :connection_id AND held.xero_id = staged.xero_id AND held.xero_updated_at IS NOT NULL
   AND held.is_active AND held.amount = staged.amount;

-- name: before_merge_invoice_payment__2_taken_back!
-- A payment that was listed, and was no longer on its invoice when that was read.
UPDATE xero_sync.stage_invoice_payment AS listed
   SET is_active = false, row_hash = ''
  FROM xero_sync.stage_seen AS invoice
 WHERE listed.staging_id = :staging_id AND listed.is_active AND listed.xero_updated_at IS NOT NULL
   AND invoice.staging_id = :staging_id AND invoice.read_at IS NOT NULL AND invoice.is_active AND lower(invoice.key) = listed.invoice_xero_id::text
   AND NOT EXISTS (SELECT FROM xero_sync.stage_invoice_payment AS on_it
                    WHERE on_it.staging_id = :staging_id AND on_it.xero_updated_at IS NULL AND on_it.xero_id = listed.xero_id);

-- name: after_merge_invoice_payment!
UPDATE qicworks.invoice_payment AS payment
   SET invoice_id = invoice.id, synced_at = now()
  FROM qicworks.invoice
 WHERE payment.connection_id = :connection_id AND invoice.organisation_id = :organisation_id
   AND invoice.xero_id = payment.invoice_xero_id AND payment.invoice_id IS DISTINCT FROM invoice.id;

-- name: warnings_invoice_balance
-- Warn once, when an invoice is first seen voided or deleted in Xero.
SELECT 'invoice ' || invoice.number || ' is ' || lower(balance.status) || ' in Xero' AS message
  FROM qicworks.invoice_balance AS balance
  JOIN qicworks.invoice ON invoice.organisation_id = :organisation_id AND invoice.xero_id = balance.xero_id
 WHERE balance.connection_id = :connection_id AND balance.status IN ('VOIDED', 'DELETED')
   AND invoice.xero_status IS DISTINCT FROM balance.status;

-- name: after_merge_invoice_balance!
-- If Xero's own amounts differ, the difference is stored so the invoice is not read again each night.
UPDATE qicworks.invoice_balance AS balance
   SET disagreement = nullif(balance.amount_paid - paid.amount, 0)
  FROM (SELECT held.xero_id, coalesce(sum(payment.amount) FILTER (WHERE payment.is_active), 0) AS amount
          FROM qicworks.invoice_balance AS held
          LEFT JOIN qicworks.invoice_payment AS payment
            ON payment.connection_id = :connection_id AND payment.invoice_xero_id = held.xero_id
         WHERE held.connection_id = :connection_id
         GROUP BY held.xero_id) AS paid
 WHERE balance.connection_id = :connection_id AND paid.xero_id = balance.xero_id
   AND balance.disagreement IS DISTINCT FROM nullif(balance.amount_paid - paid.amount, 0);

-- name: after_merge_invoice_balance__2_invoice!
-- QicWorks' invoice follows: what a void or a deletion in Xero means is for its users to say, so its status stays. So does that of
-- one that was taken back to draft. A row that was changed since it was read is left to the next pull.
UPDATE qicworks.invoice
   SET paid_to_date = xero.amount_paid, credited = xero.amount_credited, balance = xero.amount_due,
       fully_paid_on = xero.fully_paid_on, xero_status = xero.status, status = xero.means, updated_at = now()
  FROM (SELECT own.id, own.xmin AS version, reported.amount_paid, reported.amount_credited, reported.amount_due,
               reported.fully_paid_on, reported.status,
               CASE WHEN cancelled.document_id IS NOT NULL THEN own.status
                    WHEN reported.status = 'PAID' OR (reported.status = 'AUTHORISED' AND reported.amount_due = 0) THEN 'Paid'
                    WHEN reported.status IN ('DRAFT', 'SUBMITTED', 'AUTHORISED') THEN 'Un-paid'
                    ELSE own.status END AS means
          FROM qicworks.invoice AS own
          JOIN qicworks.invoice_balance AS reported ON reported.connection_id = :connection_id AND reported.xero_id = own.xero_id
          LEFT JOIN xero_sync.cancellation AS cancelled
            ON cancelled.document_id = own.id AND cancelled.document_table = 'invoice' AND cancelled.organisation_id = own.organisation_id
         WHERE own.organisation_id = :organisation_id
           AND coalesce(cancelled.done_at, '-infinity') < least(reported.synced_at, :snapshot_at)) AS xero
 WHERE invoice.organisation_id = :organisation_id AND invoice.id = xero.id AND invoice.xmin = xero.version
   AND (invoice.paid_to_date, invoice.credited, invoice.balance, invoice.fully_paid_on, invoice.xero_status, invoice.status)
       IS DISTINCT FROM (xero.amount_paid, xero.amount_credited, xero.amount_due, xero.fully_paid_on, xero.status, xero.means);

-- name: missing_invoice_balance
-- Invoices that were with Xero when it was last asked for their amounts, and have none.
SELECT invoice.xero_id::text AS key
  FROM qicworks.invoice
  JOIN xero_sync.connection ON connection.organisation_id = invoice.organisation_id
 WHERE connection.id = :connection_id AND invoice.xero_id IS NOT NULL
   AND coalesce(invoice.pushed_at, invoice.created_at) < :pulled_at
   AND NOT EXISTS (SELECT FROM qicworks.invoice_balance AS balance
                    WHERE balance.connection_id = connection.id AND balance.xero_id = invoice.xero_id)
   AND NOT EXISTS (SELECT FROM xero_sync.rejection
                    WHERE rejection.connection_id = connection.id AND rejection.table_name = 'invoice_balance'
                      AND rejection.key = invoice.xero_id::text AND rejection.closed_at IS NULL);

-- name: after_merge_invoice_payment__9_disagreement!
-- After both were loaded: a record's payments come with it, or with a later source.
-- Where Xero's own amounts differ, the difference is stored, so the record is not read again each time.
UPDATE qicworks.invoice_record AS record
   SET disagreement = nullif(record.amount_paid - paid.amount, 0)
  FROM (SELECT held.xero_id, coalesce(sum(payment.amount) FILTER (WHERE payment.is_active), 0) AS amount
          FROM qicworks.invoice_record AS held
          LEFT JOIN qicworks.invoice_payment AS payment
            ON payment.connection_id = :connection_id AND payment.invoice_xero_id = held.xero_id
         WHERE held.connection_id = :connection_id
         GROUP BY held.xero_id) AS paid
 WHERE record.connection_id = :connection_id AND paid.xero_id = record.xero_id
   AND record.disagreement IS DISTINCT FROM nullif(record.amount_paid - paid.amount, 0);
