-- How organisations work.

-- name: read
SELECT name, value, changed_by, changed_at FROM xero_sync.setting WHERE connection_id = :connection_id;

-- name: set!
INSERT INTO xero_sync.setting AS held (connection_id, name, value, changed_by)
VALUES (:connection_id, :name, :value, :who)
    ON CONFLICT (connection_id, name) DO UPDATE
   SET value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at;

-- name: offered
-- All that was pulled and that a setting may point at. misfit: why it may not be chosen. applies: the classes of accounts that a tax
-- code can be used with.
SELECT 'account' AS thing, xero_id::text AS value, code, name, upper(class) AS class, NULL::text[] AS applies,
       CASE WHEN NOT is_active THEN 'archived'
            WHEN type = 'BANK' OR system_account = ANY(:system_accounts) OR coalesce(code, '') = '' THEN 'not allowed' END AS misfit
  FROM qicworks.account WHERE connection_id = :connection_id
UNION ALL
SELECT 'tax code', tax_type, tax_type, name, NULL,
       ARRAY(SELECT class FROM (VALUES ('ASSET', applies_assets), ('EQUITY', applies_equity), ('EXPENSE', applies_expenses),
                                       ('LIABILITY', applies_liabilities), ('REVENUE', applies_revenue)) AS flag (class, applies)
              WHERE applies IS NOT FALSE),
       CASE WHEN NOT is_active THEN 'archived' END
  FROM qicworks.tax_code WHERE connection_id = :connection_id
UNION ALL
SELECT 'tracking category', xero_id::text, NULL, name, NULL, NULL, CASE WHEN NOT is_active THEN 'archived' END
  FROM qicworks.tracking_category WHERE connection_id = :connection_id
 ORDER BY thing, code NULLS LAST, name, value;
