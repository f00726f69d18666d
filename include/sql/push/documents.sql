-- What a priced document consists of, beside its own row.

-- name: lines
SELECT line.id, line.parent_id, line.line_number, line.description, line.quantity, line.unit_price, line.line_total, line.tax_amount,
       line.account_id, line.tax_code_id, line.xero_line_id,
       account.xero_id AS account_xero_id, account.code AS account_code, account.type AS account_type, account.system_account AS account_system,
       account.is_active AS account_is_active, account.connection_id = :connection_id AS account_is_here,
       tax.tax_type, tax.rate AS tax_rate, tax.is_active AS tax_is_active, tax.connection_id = :connection_id AS tax_is_here,
       CASE upper(account.class)
            WHEN 'ASSET' THEN tax.applies_assets WHEN 'EQUITY' THEN tax.applies_equity WHEN 'EXPENSE' THEN tax.applies_expenses
            WHEN 'LIABILITY' THEN tax.applies_liabilities WHEN 'REVENUE' THEN tax.applies_revenue
       END AS tax_applies,
       first.id AS first_option_id, first.xero_id AS first_option_xero_id, first.category_xero_id AS first_category_xero_id,
       first.name AS first_option_name, first.connection_id = :connection_id AS first_option_is_here,
       first.is_active AND first_category.is_active AS first_option_is_active,
       second.id AS second_option_id, second.xero_id AS second_option_xero_id, second.category_xero_id AS second_category_xero_id,
       second.name AS second_option_name, second.connection_id = :connection_id AS second_option_is_here,
       second.is_active AND second_category.is_active AS second_option_is_active
  FROM qicworks.document_line AS line
  LEFT JOIN qicworks.account ON account.id = line.account_id
  LEFT JOIN qicworks.tax_code AS tax ON tax.id = line.tax_code_id
  LEFT JOIN qicworks.tracking_option AS first ON first.id = line.tracking_option_id
  LEFT JOIN qicworks.tracking_category AS first_category ON first_category.id = first.tracking_category_id
  LEFT JOIN qicworks.tracking_option AS second ON second.id = line.second_tracking_option_id
  LEFT JOIN qicworks.tracking_category AS second_category ON second_category.id = second.tracking_category_id
 WHERE line.parent_type = :table AND line.parent_id = ANY(:ids)
 ORDER BY line.parent_id, line.line_number;

-- name: keep_line_id!
UPDATE qicworks.document_line SET xero_line_id = :xero_line_id WHERE id = :id;

-- name: claims
-- Which other documents say that they are one of these records of Xero's.
SELECT id, kept_in, number, xero_id,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = document.id) AS links
  FROM (          SELECT id, 'invoice' AS kept_in, organisation_id, number, xero_id FROM qicworks.invoice
        UNION ALL SELECT id, 'bill', organisation_id, number, xero_id FROM qicworks.bill
        UNION ALL SELECT id, 'expense', organisation_id, number, xero_id FROM qicworks.expense
        UNION ALL SELECT id, 'credit_note', organisation_id, number, xero_id FROM qicworks.credit_note
        UNION ALL SELECT id, 'purchase_order', organisation_id, number, xero_id FROM qicworks.purchase_order) AS document
 WHERE organisation_id = :organisation_id AND xero_id = ANY(:xero_ids) AND id <> :id
 ORDER BY id;

-- name: alike
-- Of these documents those of which there is another one, of the same contact, number and amount, in the same books.
WITH document AS (
           SELECT id, organisation_id, contact_id, number, total, 'bills' AS books, push_state FROM qicworks.bill
            UNION ALL SELECT id, organisation_id, contact_id, number, total, 'bills', push_state FROM qicworks.expense
            UNION ALL SELECT id, organisation_id, contact_id, number, total, side, push_state FROM qicworks.credit_note)
SELECT DISTINCT one.id
  FROM document AS one
  JOIN document AS other ON other.organisation_id = one.organisation_id AND other.contact_id = one.contact_id
                        AND other.books = one.books AND other.total = one.total AND other.id <> one.id
                        AND lower(btrim(other.number)) = lower(btrim(one.number)) AND other.push_state <> 'draft'
 WHERE one.id = ANY(:ids) AND one.organisation_id = :organisation_id;

-- name: existing
-- Which of these are documents that QicWorks has.
SELECT id FROM (
           SELECT id FROM qicworks.invoice
            UNION ALL SELECT id FROM qicworks.bill
            UNION ALL SELECT id FROM qicworks.expense) AS document
 WHERE id = ANY(:ids);

-- name: attachment_content$
SELECT content FROM qicworks.attachment WHERE id = :id;
