-- What became of documents after their push.

-- name: first_invoice$
-- Earlier records are not of QicWorks' documents. Bounded, as in invoice_payments.
SELECT min(least(greatest(coalesce(document.pushed_at, document.created_at), '2000-01-01Z'), now() + interval '1 day'))
  FROM (SELECT organisation_id, pushed_at, created_at, xero_id FROM qicworks.invoice
         UNION ALL SELECT organisation_id, pushed_at, created_at, xero_id FROM qicworks.bill
         UNION ALL SELECT organisation_id, pushed_at, created_at, xero_id FROM qicworks.expense) AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
 WHERE connection.id = :connection_id AND (document.pushed_at IS NOT NULL OR document.xero_id IS NOT NULL);

-- name: first_credit_note$
SELECT min(least(greatest(coalesce(document.pushed_at, document.created_at), '2000-01-01Z'), now() + interval '1 day'))
  FROM qicworks.credit_note AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
 WHERE connection.id = :connection_id AND (document.pushed_at IS NOT NULL OR document.xero_id IS NOT NULL);

-- name: first_purchase_order$
SELECT min(least(greatest(coalesce(document.pushed_at, document.created_at), '2000-01-01Z'), now() + interval '1 day'))
  FROM qicworks.purchase_order AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
 WHERE connection.id = :connection_id AND (document.pushed_at IS NOT NULL OR document.xero_id IS NOT NULL);

-- name: invoices_to_fetch
-- Documents of which no record was read: linked after their record was listed; at most a hundred, the others next time. Those whose
-- payments do not add up to what Xero says is paid; where Xero's own amounts disagree, only when one of them changed. Those with a
-- currency rate whose record has none: a worker of the version before has read it. And, after a full reading, what its lists lacked:
-- a record that is held, or a payment of it. Each reading asks for others of them.
WITH document AS (
    SELECT xero_id, currency_rate FROM qicworks.invoice WHERE organisation_id = :organisation_id AND xero_id IS NOT NULL
     UNION
    SELECT xero_id, currency_rate FROM qicworks.bill WHERE organisation_id = :organisation_id AND xero_id IS NOT NULL
     UNION
    SELECT xero_id, currency_rate FROM qicworks.expense WHERE organisation_id = :organisation_id AND xero_id IS NOT NULL
), listed AS (
    SELECT DISTINCT ON (xero_id) xero_id, invoice_xero_id, amount, is_active
      FROM xero_sync.stage_invoice_payment
     WHERE staging_id = :staging_id AND NOT retried
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
), payment AS (
    SELECT invoice_xero_id, amount, is_active FROM listed
     UNION ALL
    SELECT invoice_xero_id, amount, is_active
      FROM qicworks.invoice_payment AS held
     WHERE connection_id = :connection_id
       AND NOT EXISTS (SELECT FROM xero_sync.stage_invoice_payment AS staged
                        WHERE staged.staging_id = :staging_id AND NOT staged.retried AND staged.xero_id = held.xero_id)
), paid AS (
    SELECT invoice_xero_id, sum(amount) AS amount FROM payment WHERE is_active GROUP BY invoice_xero_id
), record AS (
    SELECT DISTINCT ON (xero_id) xero_id, amount_paid, is_active
      FROM xero_sync.stage_invoice_record
     WHERE staging_id = :staging_id AND NOT retried
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
)
SELECT key
  FROM (
SELECT document.xero_id::text AS key
  FROM document
  LEFT JOIN record ON record.xero_id = document.xero_id
  LEFT JOIN qicworks.invoice_record AS held ON held.connection_id = :connection_id AND held.xero_id = document.xero_id
  LEFT JOIN paid ON paid.invoice_xero_id = document.xero_id
 WHERE record.xero_id IS NULL AND held.xero_id IS NULL
    OR held.missing_since IS NULL
       AND (coalesce(record.amount_paid, held.amount_paid) - coalesce(paid.amount, 0) <> coalesce(held.disagreement, 0)
            OR document.currency_rate IS NOT NULL AND record.xero_id IS NULL AND NOT held.content::jsonb ? 'CurrencyRate')
 UNION
SELECT held.xero_id::text
  FROM qicworks.invoice_record AS held
 WHERE :full AND held.connection_id = :connection_id AND held.missing_since IS NULL
   AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_invoice_record AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = held.xero_id)
 UNION
SELECT held.invoice_xero_id::text
  FROM qicworks.invoice_payment AS held
 WHERE :full AND held.connection_id = :connection_id AND held.missing_since IS NULL
   AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_invoice_payment AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = held.xero_id)
) AS lacking
 ORDER BY md5(key || :staging_id::text)
 LIMIT 100;

-- name: credit_notes_to_fetch
-- Those of which no record was read, or one without the rate of a document that has one; after a full reading also those that are
-- held, and that its list lacked.
SELECT key
  FROM (
SELECT document.xero_id::text AS key
  FROM qicworks.credit_note AS document
 WHERE document.organisation_id = :organisation_id AND document.xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.credit_note_record AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = document.xero_id
                      AND (document.currency_rate IS NULL OR held.missing_since IS NOT NULL OR held.content::jsonb ? 'CurrencyRate'))
   AND NOT EXISTS (SELECT FROM xero_sync.stage_credit_note_record AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = document.xero_id)
 UNION
SELECT held.xero_id::text
  FROM qicworks.credit_note_record AS held
 WHERE :full AND held.connection_id = :connection_id AND held.missing_since IS NULL
   AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_credit_note_record AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = held.xero_id)
) AS lacking
 ORDER BY md5(key || :staging_id::text)
 LIMIT 100;

-- name: purchase_orders_to_fetch
SELECT key
  FROM (
SELECT document.xero_id::text AS key
  FROM qicworks.purchase_order AS document
 WHERE document.organisation_id = :organisation_id AND document.xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.purchase_order_record AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = document.xero_id
                      AND (document.currency_rate IS NULL OR held.missing_since IS NOT NULL OR held.content::jsonb ? 'CurrencyRate'))
   AND NOT EXISTS (SELECT FROM xero_sync.stage_purchase_order_record AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = document.xero_id)
 UNION
SELECT held.xero_id::text
  FROM qicworks.purchase_order_record AS held
 WHERE :full AND held.connection_id = :connection_id AND held.missing_since IS NULL
   AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_purchase_order_record AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = held.xero_id)
) AS lacking
 ORDER BY md5(key || :staging_id::text)
 LIMIT 100;

-- name: filter_invoice_record!
-- Skip records of documents that QicWorks did not push. What is held stays: a full reading meets it.
DELETE FROM xero_sync.stage_invoice_record AS staged
 WHERE staging_id = :staging_id AND xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.invoice WHERE organisation_id = :organisation_id AND invoice.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.bill WHERE organisation_id = :organisation_id AND bill.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.expense WHERE organisation_id = :organisation_id AND expense.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.invoice_record AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id);

-- name: filter_credit_note_record!
DELETE FROM xero_sync.stage_credit_note_record AS staged
 WHERE staging_id = :staging_id AND xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.credit_note
                    WHERE organisation_id = :organisation_id AND credit_note.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.credit_note_record AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id);

-- name: filter_purchase_order_record!
DELETE FROM xero_sync.stage_purchase_order_record AS staged
 WHERE staging_id = :staging_id AND xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.purchase_order
                    WHERE organisation_id = :organisation_id AND purchase_order.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.purchase_order_record AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id);

-- name: after_merge_invoice_record__1_not_there!
-- Xero had no record of that id.
INSERT INTO qicworks.invoice_record (connection_id, organisation_id, is_active, missing_since, row_hash, xero_id, content)
SELECT :connection_id, :organisation_id, false, now(), '', seen.key::uuid, '{}'
  FROM xero_sync.stage_seen AS seen
 WHERE seen.staging_id = :staging_id AND seen.source = 'one invoice' AND seen.read_at IS NOT NULL AND NOT seen.is_active
    ON CONFLICT (connection_id, xero_id) DO NOTHING;

-- name: after_merge_credit_note_record__1_not_there!
INSERT INTO qicworks.credit_note_record (connection_id, organisation_id, is_active, missing_since, row_hash, xero_id, content)
SELECT :connection_id, :organisation_id, false, now(), '', seen.key::uuid, '{}'
  FROM xero_sync.stage_seen AS seen
 WHERE seen.staging_id = :staging_id AND seen.source = 'one credit note' AND seen.read_at IS NOT NULL AND NOT seen.is_active
    ON CONFLICT (connection_id, xero_id) DO NOTHING;

-- name: after_merge_purchase_order_record__1_not_there!
INSERT INTO qicworks.purchase_order_record (connection_id, organisation_id, is_active, missing_since, row_hash, xero_id, content)
SELECT :connection_id, :organisation_id, false, now(), '', seen.key::uuid, '{}'
  FROM xero_sync.stage_seen AS seen
 WHERE seen.staging_id = :staging_id AND seen.source = 'one purchase order' AND seen.read_at IS NOT NULL AND NOT seen.is_active
    ON CONFLICT (connection_id, xero_id) DO NOTHING;

-- name: after_merge_invoice_record__2_invoice!
-- QicWorks' document follows. What a void or a deletion in Xero means is for its users to say, so its status stays; so does the
-- status of what QicWorks has cancelled. `version`: a row that was changed since it was read, perhaps because it was cancelled, is
-- left to the next pull: PostgreSQL, which waits for that change, would write what the row meant before.
UPDATE qicworks.invoice
   SET paid_to_date = xero.amount_paid, credited = xero.amount_credited, balance = xero.amount_due,
       fully_paid_on = xero.fully_paid_on, xero_status = xero.status, status = xero.means, updated_at = now()
  FROM (SELECT own.id, own.xmin AS version, record.amount_paid, record.amount_credited, record.amount_due,
               record.fully_paid_on, record.status,
               CASE WHEN cancelled.document_id IS NOT NULL THEN own.status
                    WHEN record.status = 'PAID' OR (record.status = 'AUTHORISED' AND record.amount_due = 0) THEN 'Paid'
                    WHEN record.status IN ('DRAFT', 'SUBMITTED', 'AUTHORISED') THEN 'Un-paid'
                    ELSE own.status END AS means
          FROM qicworks.invoice AS own
          JOIN qicworks.invoice_record AS record ON record.connection_id = :connection_id AND record.xero_id = own.xero_id
          LEFT JOIN xero_sync.cancellation AS cancelled
            ON cancelled.document_id = own.id AND cancelled.document_table = 'invoice' AND cancelled.organisation_id = own.organisation_id
         WHERE own.organisation_id = :organisation_id AND record.missing_since IS NULL
           AND record.amount_paid IS NOT NULL AND record.amount_credited IS NOT NULL AND record.amount_due IS NOT NULL
           AND coalesce(cancelled.done_at, '-infinity') < least(record.synced_at, :snapshot_at)
           AND NOT EXISTS (SELECT FROM qicworks.invoice_balance AS newer
                            WHERE newer.connection_id = :connection_id AND newer.xero_id = own.xero_id
                              AND (newer.xero_updated_at, newer.synced_at) > (record.xero_updated_at, record.synced_at))) AS xero
 WHERE invoice.organisation_id = :organisation_id AND invoice.id = xero.id AND invoice.xmin = xero.version
   AND (invoice.paid_to_date, invoice.credited, invoice.balance, invoice.fully_paid_on, invoice.xero_status, invoice.status)
       IS DISTINCT FROM (xero.amount_paid, xero.amount_credited, xero.amount_due, xero.fully_paid_on, xero.status, xero.means);

-- name: after_merge_invoice_record__3_bill!
UPDATE qicworks.bill
   SET paid_to_date = xero.amount_paid, credited = xero.amount_credited, balance = xero.amount_due,
       fully_paid_on = xero.fully_paid_on, xero_status = xero.status, status = xero.means, updated_at = now()
  FROM (SELECT own.id, own.xmin AS version, record.amount_paid, record.amount_credited, record.amount_due,
               record.fully_paid_on, record.status,
               CASE WHEN cancelled.document_id IS NOT NULL OR own.status IN ('Draft', 'Cancelled') THEN own.status
                    WHEN record.status = 'PAID' OR (record.status = 'AUTHORISED' AND record.amount_due = 0) THEN 'Paid'
                    WHEN record.status = 'AUTHORISED' AND record.amount_paid + record.amount_credited > 0 THEN 'Partially Paid'
                    WHEN record.status IN ('DRAFT', 'SUBMITTED', 'AUTHORISED') THEN 'Unpaid'
                    ELSE own.status END AS means
          FROM qicworks.bill AS own
          JOIN qicworks.invoice_record AS record ON record.connection_id = :connection_id AND record.xero_id = own.xero_id
          LEFT JOIN xero_sync.cancellation AS cancelled
            ON cancelled.document_id = own.id AND cancelled.document_table = 'bill' AND cancelled.organisation_id = own.organisation_id
         WHERE own.organisation_id = :organisation_id AND record.missing_since IS NULL
           AND record.amount_paid IS NOT NULL AND record.amount_credited IS NOT NULL AND record.amount_due IS NOT NULL
           AND coalesce(cancelled.done_at, '-infinity') < least(record.synced_at, :snapshot_at)) AS xero
 WHERE bill.organisation_id = :organisation_id AND bill.id = xero.id AND bill.xmin = xero.version
   AND (bill.paid_to_date, bill.credited, bill.balance, bill.fully_paid_on, bill.xero_status, bill.status)
       IS DISTINCT FROM (xero.amount_paid, xero.amount_credited, xero.amount_due, xero.fully_paid_on, xero.status, xero.means);

-- name: after_merge_invoice_record__4_expense!
UPDATE qicworks.expense
   SET paid_to_date = xero.amount_paid, credited = xero.amount_credited, balance = xero.amount_due,
       fully_paid_on = xero.fully_paid_on, xero_status = xero.status, status = xero.means, updated_at = now()
  FROM (SELECT own.id, own.xmin AS version, record.amount_paid, record.amount_credited, record.amount_due,
               record.fully_paid_on, record.status,
               CASE WHEN cancelled.document_id IS NOT NULL OR own.status IN ('Draft', 'Cancelled') THEN own.status
                    WHEN record.status = 'PAID' OR (record.status = 'AUTHORISED' AND record.amount_due = 0) THEN 'Paid'
                    WHEN record.status = 'AUTHORISED' AND record.amount_paid + record.amount_credited > 0 THEN 'Partially Paid'
                    WHEN record.status IN ('DRAFT', 'SUBMITTED', 'AUTHORISED') THEN 'Unpaid'
                    ELSE own.status END AS means
          FROM qicworks.expense AS own
          JOIN qicworks.invoice_record AS record ON record.connection_id = :connection_id AND record.xero_id = own.xero_id
          LEFT JOIN xero_sync.cancellation AS cancelled
            ON cancelled.document_id = own.id AND cancelled.document_table = 'expense' AND cancelled.organisation_id = own.organisation_id
         WHERE own.organisation_id = :organisation_id AND record.missing_since IS NULL
           AND record.amount_paid IS NOT NULL AND record.amount_credited IS NOT NULL AND record.amount_due IS NOT NULL
           AND coalesce(cancelled.done_at, '-infinity') < least(record.synced_at, :snapshot_at)) AS xero
 WHERE expense.organisation_id = :organisation_id AND expense.id = xero.id AND expense.xmin = xero.version
   AND (expense.paid_to_date, expense.credited, expense.balance, expense.fully_paid_on, expense.xero_status, expense.status)
       IS DISTINCT FROM (xero.amount_paid, xero.amount_credited, xero.amount_due, xero.fully_paid_on, xero.status, xero.means);

-- name: after_merge_credit_note_record__2_credit_note!
UPDATE qicworks.credit_note
   SET balance = xero.amount_due, xero_status = xero.status, updated_at = now()
  FROM (SELECT own.id, own.xmin AS version, coalesce(record.amount_due, own.balance) AS amount_due, record.status
          FROM qicworks.credit_note AS own
          JOIN qicworks.credit_note_record AS record ON record.connection_id = :connection_id AND record.xero_id = own.xero_id
          LEFT JOIN xero_sync.cancellation AS cancelled
            ON cancelled.document_id = own.id AND cancelled.document_table = 'credit_note' AND cancelled.organisation_id = own.organisation_id
         WHERE own.organisation_id = :organisation_id AND record.missing_since IS NULL
           AND coalesce(cancelled.done_at, '-infinity') < least(record.synced_at, :snapshot_at)) AS xero
 WHERE credit_note.organisation_id = :organisation_id AND credit_note.id = xero.id AND credit_note.xmin = xero.version
   AND (credit_note.balance, credit_note.xero_status) IS DISTINCT FROM (xero.amount_due, xero.status);

-- name: after_merge_purchase_order_record__2_purchase_order!
UPDATE qicworks.purchase_order
   SET xero_status = xero.status, status = xero.means, status_before_billed = xero.before, updated_at = now()
  FROM (SELECT own.id, own.xmin AS version, record.status,
               CASE WHEN record.status = 'BILLED' AND own.status IN ('Issued', 'Expedite', 'Receipt', 'Receipted')
                         AND cancelled.document_id IS NULL THEN 'Billed'
                    WHEN record.status <> 'BILLED' AND own.status = 'Billed' THEN coalesce(own.status_before_billed, own.status)
                    ELSE own.status END AS means,
               CASE WHEN record.status = 'BILLED' AND own.status IN ('Issued', 'Expedite', 'Receipt', 'Receipted')
                         AND cancelled.document_id IS NULL THEN own.status
                    WHEN record.status <> 'BILLED' THEN NULL
                    ELSE own.status_before_billed END AS before
          FROM qicworks.purchase_order AS own
          JOIN qicworks.purchase_order_record AS record ON record.connection_id = :connection_id AND record.xero_id = own.xero_id
          LEFT JOIN xero_sync.cancellation AS cancelled
            ON cancelled.document_id = own.id AND cancelled.document_table = 'purchase_order' AND cancelled.organisation_id = own.organisation_id
         WHERE own.organisation_id = :organisation_id AND record.missing_since IS NULL
           AND coalesce(cancelled.done_at, '-infinity') < least(record.synced_at, :snapshot_at)) AS xero
 WHERE purchase_order.organisation_id = :organisation_id AND purchase_order.id = xero.id AND purchase_order.xmin = xero.version
   AND (purchase_order.xero_status, purchase_order.status, purchase_order.status_before_billed)
       IS DISTINCT FROM (xero.status, xero.means, xero.before);

-- name: missing_invoice_record
-- Documents that were in Xero when it was last asked, and of which no record was read.
SELECT document.xero_id::text AS key
  FROM (SELECT organisation_id, xero_id, coalesce(pushed_at, created_at) AS since FROM qicworks.invoice
         UNION ALL SELECT organisation_id, xero_id, coalesce(pushed_at, created_at) FROM qicworks.bill
         UNION ALL SELECT organisation_id, xero_id, coalesce(pushed_at, created_at) FROM qicworks.expense) AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
 WHERE connection.id = :connection_id AND document.xero_id IS NOT NULL AND document.since < :pulled_at
   AND NOT EXISTS (SELECT FROM qicworks.invoice_record AS record
                    WHERE record.connection_id = connection.id AND record.xero_id = document.xero_id)
   AND NOT EXISTS (SELECT FROM xero_sync.rejection
                    WHERE rejection.connection_id = connection.id AND rejection.table_name = 'invoice_record'
                      AND rejection.key = document.xero_id::text AND rejection.closed_at IS NULL);

-- name: missing_credit_note_record
SELECT document.xero_id::text AS key
  FROM qicworks.credit_note AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
 WHERE connection.id = :connection_id AND document.xero_id IS NOT NULL AND coalesce(document.pushed_at, document.created_at) < :pulled_at
   AND NOT EXISTS (SELECT FROM qicworks.credit_note_record AS record
                    WHERE record.connection_id = connection.id AND record.xero_id = document.xero_id)
   AND NOT EXISTS (SELECT FROM xero_sync.rejection
                    WHERE rejection.connection_id = connection.id AND rejection.table_name = 'credit_note_record'
                      AND rejection.key = document.xero_id::text AND rejection.closed_at IS NULL);

-- name: missing_purchase_order_record
SELECT document.xero_id::text AS key
  FROM qicworks.purchase_order AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
 WHERE connection.id = :connection_id AND document.xero_id IS NOT NULL AND coalesce(document.pushed_at, document.created_at) < :pulled_at
   AND NOT EXISTS (SELECT FROM qicworks.purchase_order_record AS record
                    WHERE record.connection_id = connection.id AND record.xero_id = document.xero_id)
   AND NOT EXISTS (SELECT FROM xero_sync.rejection
                    WHERE rejection.connection_id = connection.id AND rejection.table_name = 'purchase_order_record'
                      AND rejection.key = document.xero_id::text AND rejection.closed_at IS NULL);
