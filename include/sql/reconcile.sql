-- What QicWorks knows of a data set, to be compared with what Xero says.

-- name: rejected
-- Known, but not loaded: reported already, or erased here.
SELECT key FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND table_name = :table_name AND closed_at IS NULL
UNION
SELECT erasure.xero_id
  FROM xero_sync.connection AS own
  JOIN xero_sync.connection AS any_of_it ON any_of_it.tenant_id = own.tenant_id
  JOIN xero_sync.erasure ON erasure.connection_id = any_of_it.id
 WHERE own.id = :connection_id AND erasure.table_name = :table_name;

-- name: without_balance
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
