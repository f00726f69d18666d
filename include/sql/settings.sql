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

-- name: lacking_departments
-- Departments of documents that are still to be sent, which have no active option in the category of the settings; and of how many
-- documents each.
WITH document AS (
           SELECT id, 'invoice' AS kept_in, organisation_id, push_state FROM qicworks.invoice
            UNION ALL SELECT id, 'bill', organisation_id, push_state FROM qicworks.bill
            UNION ALL SELECT id, 'expense', organisation_id, push_state FROM qicworks.expense
            UNION ALL SELECT id, 'credit_note', organisation_id, push_state FROM qicworks.credit_note
            UNION ALL SELECT id, 'purchase_order', organisation_id, push_state FROM qicworks.purchase_order)
SELECT btrim(regexp_replace(min(line.department), '\s+', ' ', 'g')) AS name, count(DISTINCT document.id) AS documents
  FROM document
  JOIN qicworks.document_line AS line ON line.parent_type = document.kept_in AND line.parent_id = document.id
 WHERE document.organisation_id = (SELECT organisation_id FROM xero_sync.connection WHERE id = :connection_id)
   AND document.push_state IN ('draft', 'ready', 'failed')
   AND line.tracking_option_id IS NULL AND line.second_tracking_option_id IS NULL
   AND xero_sync.department_key(line.department) IS NOT NULL
 GROUP BY xero_sync.department_key(line.department)
HAVING xero_sync.department_option(:connection_id, min(line.department)) IS NULL
 ORDER BY 1;
