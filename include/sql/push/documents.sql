-- Documents with priced lines. What a statement returns is what a dataclass declares, column by column.

-- name: priced
-- Oldest first. of_kind: further columns, which only this kind has.
SELECT document.id, document.push_version, document.xero_id, document.number, document.reference, document.job_number,
       document.status, document.issue_date, document.due_date,
       coalesce(xero_sync.currency_code(document.currency), xero_sync.currency_code(organisation.base_currency)) AS currency,
       document.currency_rate, xero_sync.currency_code(organisation.base_currency) AS base_currency,
       xero_sync.has_currency(:connection_id, :organisation_id, document.currency)
           -- Xero may keep a currency for what is in it already.
           OR EXISTS (SELECT FROM qicworks.{records} AS record
                       WHERE record.connection_id = :connection_id AND record.xero_id = document.xero_id
                         AND xero_sync.currency_code(record.content::jsonb ->> 'CurrencyCode') = xero_sync.currency_code(document.currency))
       AS currency_is_here, document.line_amount_types,
       document.sub_total, document.total_tax, document.total, document.contact_id,
       contact.xero_id AS contact_xero_id, contact.name AS contact_name,
       CASE WHEN chosen.organisation_id = :organisation_id THEN chosen.push_state END AS contact_push_state, chosen.push_error AS contact_push_error,
       contact.connection_id = :connection_id AS contact_is_here, contact.is_active AS contact_is_active,
       contact.merged_to_xero_id IS NOT NULL AND NOT contact.is_active AS contact_merged, contact.merged_to_xero_id AS contact_merged_to,
       EXISTS (SELECT FROM xero_sync.erasure
                WHERE erasure.connection_id = contact.connection_id AND table_name = 'contact'
                  AND erasure.xero_id = lower(contact.xero_id::text)) AS contact_erased,
       organisation.period_lock_date, organisation.end_of_year_lock_date,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = document.id) AS links,
       (SELECT done_at IS NOT NULL FROM xero_sync.cancellation
         WHERE cancellation.document_id = document.id AND document_table = :table
           AND cancellation.organisation_id = :organisation_id) AS cancellation_done{of_kind}
  FROM qicworks.{table} AS document
  JOIN qicworks.organisation ON organisation.id = document.organisation_id
  LEFT JOIN qicworks.contact AS chosen ON chosen.id = document.contact_id
  -- QicWorks' own contact may be one that was pulled before it was linked.
  LEFT JOIN qicworks.contact ON contact.id = coalesce(
       (SELECT pulled.id FROM qicworks.contact AS pulled
         WHERE chosen.connection_id IS NULL AND pulled.connection_id = :connection_id AND pulled.xero_id = chosen.xero_id), chosen.id)
 WHERE document.id = ANY(:ids) AND document.organisation_id = :organisation_id
 ORDER BY document.created_at, document.id;

-- name: lines
-- Tax that was taken over from Xero is Xero's as long as the line is as it was then, also if it was saved anew; else it is the rate's.
-- A line without account or tax code takes the default: side → account and tax_code; null: what it was last sent with. A department is
-- of use where the line has no option of its own; if no category is chosen any more, what it was sent with stays.
SELECT line.id, line.parent_id, line.line_number, line.description, line.quantity, line.unit_price, line.line_total,
       CASE WHEN taken.is_as_it_was OR taken.is_its_own IS NOT TRUE THEN line.tax_amount END AS tax_amount,
       coalesce(taken.is_as_it_was, false) AS tax_is_xeros,
       account.id AS account_id, tax.id AS tax_code_id, line.xero_line_id,
       line.account_id IS NULL AND account.id IS NOT NULL AS account_is_default,
       line.tax_code_id IS NULL AND tax.id IS NOT NULL AS tax_is_default,
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
       second.is_active AND second_category.is_active AS second_option_is_active,
       line.department, chosen.option_id IS NOT NULL AS department_is_taken,
       wanted.department IS NOT NULL AND chosen.option_id IS NULL AS department_is_lacking,
       category.name AS department_category
  FROM qicworks.document_line AS line
  JOIN qicworks.{table} AS document ON document.id = line.parent_id
  LEFT JOIN LATERAL (
       SELECT bool_or((taken.line_amount_types, taken.quantity, taken.unit_price, taken.tax_code_id)
                      IS NOT DISTINCT FROM (document.line_amount_types, line.quantity, line.unit_price, line.tax_code_id)) AS is_as_it_was,
              bool_or(line_id = line.id) AS is_its_own
         FROM xero_sync.taken_tax AS taken
        WHERE document_id = line.parent_id AND taken.tax_amount = line.tax_amount) AS taken ON true
  -- To be sent anew: only of what Xero has.
  LEFT JOIN xero_sync.line_default AS sent ON sent.line_id = line.id AND sent.connection_id = :connection_id
                                          AND (:defaults::jsonb IS NULL OR document.xero_id IS NOT NULL)
 CROSS JOIN LATERAL (SELECT :defaults::jsonb -> coalesce(to_jsonb(document) ->> 'side', '') AS of_its_side) AS usual
  LEFT JOIN qicworks.account AS usual_account ON usual_account.connection_id = :connection_id
                                             AND usual_account.xero_id = (usual.of_its_side ->> 'account')::uuid
  LEFT JOIN qicworks.tax_code AS usual_tax ON usual_tax.connection_id = :connection_id
                                          AND usual_tax.tax_type = usual.of_its_side ->> 'tax_code'
  LEFT JOIN qicworks.account ON account.id = coalesce(line.account_id, usual_account.id, sent.account_id)
  LEFT JOIN qicworks.tax_code AS tax ON tax.id = coalesce(line.tax_code_id, usual_tax.id, sent.tax_code_id)
  LEFT JOIN qicworks.tracking_category AS category ON category.connection_id = :connection_id
                                                  AND category.xero_id = xero_sync.department_category(:connection_id)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN line.tracking_option_id IS NULL AND line.second_tracking_option_id IS NULL
                   THEN xero_sync.department_key(line.department) END AS department) AS wanted
 CROSS JOIN LATERAL (
       SELECT CASE WHEN wanted.department IS NULL THEN NULL
                   WHEN xero_sync.department_key(sent.department) = wanted.department AND sent.tracking_option_id IS NOT NULL
                        AND (:defaults::jsonb IS NULL OR xero_sync.department_category(:connection_id) IS NULL)
                   THEN sent.tracking_option_id
                   ELSE xero_sync.department_option(:connection_id, line.department) END AS option_id) AS chosen
  LEFT JOIN qicworks.tracking_option AS first ON first.id = coalesce(line.tracking_option_id, chosen.option_id)
  LEFT JOIN qicworks.tracking_category AS first_category ON first_category.id = first.tracking_category_id
  LEFT JOIN qicworks.tracking_option AS second ON second.id = line.second_tracking_option_id
  LEFT JOIN qicworks.tracking_category AS second_category ON second_category.id = second.tracking_category_id
 WHERE line.parent_type = :table AND line.parent_id = ANY(:ids)
 ORDER BY line.parent_id, line.line_number;

-- name: keep_defaults!
-- What these lines are sent with; null: they have their own.
INSERT INTO xero_sync.line_default (line_id, document_id, connection_id, account_id, tax_code_id, department, tracking_option_id)
SELECT line_id, document_id, :connection_id, account_id, tax_code_id, department, option_id
  FROM unnest(:line_ids::uuid[], :document_ids::uuid[], :account_ids::uuid[], :tax_code_ids::uuid[], :departments::text[],
              :option_ids::uuid[]) AS sent (line_id, document_id, account_id, tax_code_id, department, option_id)
    ON CONFLICT (line_id) DO UPDATE
   SET document_id = excluded.document_id, connection_id = excluded.connection_id, account_id = excluded.account_id,
       tax_code_id = excluded.tax_code_id, department = excluded.department, tracking_option_id = excluded.tracking_option_id;

-- name: needing_defaults
-- Ready documents with a line without account, or without tax code, on these sides; by_department: or one that takes an option by its
-- department.
SELECT DISTINCT document.id
  FROM qicworks.{table} AS document
  JOIN qicworks.document_line AS line ON line.parent_type = :table AND line.parent_id = document.id
 WHERE document.organisation_id = :organisation_id AND document.push_state = 'ready'
   AND (:wanted::uuid[] IS NULL OR document.id = ANY(:wanted))
   AND (line.account_id IS NULL AND coalesce(to_jsonb(document) ->> 'side', '') = ANY(:without_account)
        OR line.tax_code_id IS NULL AND coalesce(to_jsonb(document) ->> 'side', '') = ANY(:without_tax_code)
        OR :by_department AND line.tracking_option_id IS NULL AND line.second_tracking_option_id IS NULL
           AND xero_sync.department_key(line.department) IS NOT NULL);

-- name: keep_line_id!
UPDATE qicworks.document_line SET xero_line_id = :xero_line_id WHERE id = :id;

-- name: claims
-- Which other documents have the id of one of these Xero records; also those that were deleted in both.
SELECT id, kept_in, number, xero_id,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = document.id) AS links
  FROM (          SELECT id, 'invoice' AS kept_in, organisation_id, number, xero_id FROM qicworks.invoice
        UNION ALL SELECT id, 'bill', organisation_id, number, xero_id FROM qicworks.bill
        UNION ALL SELECT id, 'expense', organisation_id, number, xero_id FROM qicworks.expense
        UNION ALL SELECT id, 'credit_note', organisation_id, number, xero_id FROM qicworks.credit_note
        UNION ALL SELECT id, 'purchase_order', organisation_id, number, xero_id FROM qicworks.purchase_order
        UNION ALL SELECT document_id, document_table, organisation_id, number, xero_id FROM xero_sync.cancellation
                   WHERE how = 'deleted' AND done_at IS NOT NULL) AS document
 WHERE organisation_id = :organisation_id AND xero_id = ANY(:xero_ids) AND id <> :id
 ORDER BY id;

-- name: alike
-- Those of these documents for which another one has the same contact, number and amount, in the same books.
WITH document AS (
           SELECT id, organisation_id, contact_id, number, total, 'bills' AS books, push_state FROM qicworks.bill
            UNION ALL SELECT id, organisation_id, contact_id, number, total, 'bills', push_state FROM qicworks.expense
            UNION ALL SELECT id, organisation_id, contact_id, number, total, side, push_state FROM qicworks.credit_note)
SELECT DISTINCT one.id
  FROM document AS one
  JOIN document AS other ON other.organisation_id = one.organisation_id
                        AND (other.contact_id = one.contact_id
                             OR (SELECT xero_id FROM qicworks.contact WHERE contact.id = other.contact_id)
                              = (SELECT xero_id FROM qicworks.contact WHERE contact.id = one.contact_id))
                        AND other.books = one.books AND other.total = one.total AND other.id <> one.id
                        AND lower(btrim(other.number)) = lower(btrim(one.number)) AND other.push_state <> 'draft'
 WHERE one.id = ANY(:ids) AND one.organisation_id = :organisation_id;

-- name: existing
-- Which of these are ids of documents that carry our address in Xero.
SELECT id FROM (
           SELECT id FROM qicworks.invoice
            UNION ALL SELECT id FROM qicworks.bill
            UNION ALL SELECT id FROM qicworks.expense) AS document
 WHERE id = ANY(:ids);

-- name: attachments
-- Files that wait and whose document is in Xero, though its last change may have been refused; not of one that is cancelled. If it
-- was there before this run, or was typed in by hand, a user may have attached a file of the same name there.
SELECT attachment.id, document.id AS document_id, document.number, document.xero_id, attachment.file_name,
       attachment.mime_type, octet_length(attachment.content) AS size, attachment.include_online,
       attachment.push_version, attachment.push_error IS NOT NULL AS failed_before,
       to_jsonb(document) ->> 'side' AS side, attachment.xero_id AS file_xero_id,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = attachment.id) AS file_links,
       coalesce(document.pushed_at, '-infinity') NOT BETWEEN
           (SELECT started_at FROM xero_sync.connection_event WHERE id = :event_id) AND clock_timestamp()
           OR EXISTS (SELECT FROM xero_sync.adoption
                       WHERE adoption.document_id = document.id AND adoption.xero_id = document.xero_id
                         AND adoption.linked_at IS NOT NULL AND adoption.ended_at IS NULL) AS stood_there,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = document.id) AS links,
       (SELECT count(*) FROM qicworks.attachment AS other
         WHERE other.parent_type = :table AND other.parent_id = document.id
           AND (other.created_at, other.id) <= (attachment.created_at, attachment.id)) AS place
  FROM qicworks.attachment
  JOIN qicworks.{table} AS document ON document.id = attachment.parent_id
 WHERE attachment.organisation_id = :organisation_id AND attachment.parent_type = :table
   AND attachment.push_state = 'ready' AND document.push_state IN ('pushed', 'failed')
   AND document.xero_id IS NOT NULL AND coalesce(document.xero_status, '') <> ALL(:gone)
   AND NOT EXISTS (SELECT FROM xero_sync.cancellation
                    WHERE cancellation.document_id = document.id AND document_table = :table
                      AND cancellation.organisation_id = :organisation_id)
   AND (:wanted::uuid[] IS NULL OR document.id = ANY(:wanted))
 ORDER BY attachment.created_at, attachment.id;

-- name: attachment_content$
-- No row: the file was removed since it was listed, or its document cancelled.
SELECT content FROM qicworks.attachment
 WHERE id = :id
   AND NOT EXISTS (SELECT FROM xero_sync.cancellation
                    WHERE cancellation.document_id = attachment.parent_id AND document_table = attachment.parent_type
                      AND cancellation.organisation_id = attachment.organisation_id);

-- name: unsent_files
-- Of these documents, those with attachments that are not in Xero, and whether one of them failed.
SELECT parent_id, bool_or(push_state = 'failed') AS failed FROM qicworks.attachment
 WHERE parent_type = :table AND parent_id = ANY(:ids::uuid[]) AND push_state IN ('ready', 'failed')
 GROUP BY parent_id;
