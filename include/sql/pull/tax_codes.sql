-- Tax codes: from staging into the QicWorks tables.

-- name: merge_tax_code^
-- Conflict policy: what was read last wins; a row that says what is held already is not written.
WITH staged AS (
    SELECT DISTINCT ON (tax_type) *
      FROM xero_sync.stage_tax_code
     WHERE staging_id = :staging_id AND problems IS NULL
     ORDER BY tax_type, xero_updated_at DESC NULLS LAST, seq DESC
), changed AS (
    SELECT staged.*, held.is_active AS was_active, held.tax_type IS NULL AS is_new
      FROM staged
      LEFT JOIN qicworks.tax_code AS held ON held.connection_id = :connection_id AND held.tax_type = staged.tax_type
     WHERE held.tax_type IS NULL
        OR ((held.row_hash <> staged.row_hash OR held.missing_since IS NOT NULL)
           AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL OR staged.xero_updated_at >= held.xero_updated_at))
), written AS (
    INSERT INTO qicworks.tax_code (
        connection_id, organisation_id, is_active, row_hash,
        tax_type, name, rate, display_rate, report_tax_type, applies_assets, applies_equity, applies_expenses,
        applies_liabilities, applies_revenue, status, xero_updated_at
    )
    SELECT :connection_id, :organisation_id, is_active, row_hash,
           tax_type, name, rate, display_rate, report_tax_type, applies_assets, applies_equity, applies_expenses,
           applies_liabilities, applies_revenue, status, xero_updated_at
    FROM changed
        ON CONFLICT (connection_id, tax_type) DO UPDATE SET
           is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
           name = excluded.name, rate = excluded.rate, display_rate = excluded.display_rate,
           report_tax_type = excluded.report_tax_type, applies_assets = excluded.applies_assets,
           applies_equity = excluded.applies_equity, applies_expenses = excluded.applies_expenses,
           applies_liabilities = excluded.applies_liabilities, applies_revenue = excluded.applies_revenue,
           status = excluded.status, xero_updated_at = excluded.xero_updated_at
)
SELECT (SELECT count(*) FROM staged) AS read,
       count(*) FILTER (WHERE is_new) AS inserted,
       count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
       count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
  FROM changed;
