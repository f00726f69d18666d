-- Chart of accounts: from staging into the QicWorks tables.

-- name: merge_account^
-- Conflict policy: the newest version wins; a row that says what is held already is not written.
WITH staged AS (
    SELECT DISTINCT ON (xero_id) *
      FROM xero_sync.stage_account
     WHERE staging_id = :staging_id AND problems IS NULL
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
), changed AS (
    SELECT staged.*, held.is_active AS was_active, held.xero_id IS NULL AS is_new
      FROM staged
      LEFT JOIN qicworks.account AS held ON held.connection_id = :connection_id AND held.xero_id = staged.xero_id
     WHERE held.xero_id IS NULL
        OR ((held.row_hash <> staged.row_hash OR held.missing_since IS NOT NULL)
           AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL OR staged.xero_updated_at >= held.xero_updated_at))
), written AS (
    INSERT INTO qicworks.account (
        connection_id, organisation_id, is_active, row_hash,
        xero_id, code, name, type, class, description, default_tax_type, system_account, bank_account_type, currency,
        enable_payments, show_in_expense_claims, status, xero_updated_at
    )
    SELECT :connection_id, :organisation_id, is_active, row_hash,
           xero_id, code, name, type, class, description, default_tax_type, system_account, bank_account_type, currency,
           enable_payments, show_in_expense_claims, status, xero_updated_at
    FROM changed
        ON CONFLICT (connection_id, xero_id) DO UPDATE SET
           is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
           code = excluded.code, name = excluded.name, type = excluded.type, class = excluded.class,
           description = excluded.description, default_tax_type = excluded.default_tax_type,
           system_account = excluded.system_account, bank_account_type = excluded.bank_account_type,
           currency = excluded.currency, enable_payments = excluded.enable_payments,
           show_in_expense_claims = excluded.show_in_expense_claims, status = excluded.status,
           xero_updated_at = excluded.xero_updated_at
)
SELECT (SELECT count(*) FROM staged) AS read,
       count(*) FILTER (WHERE is_new) AS inserted,
       count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
       count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
  FROM changed;
