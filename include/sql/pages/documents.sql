-- The documents of a kind, newest first; the places are its table and what its documents are known by.

-- name: newest
-- The newest of each state, and of those the newest: each by the index of its state. `cancelling`: also those whose cancellation
-- waits, in any state.
SELECT id
  FROM (SELECT document.id, document.created_at
          FROM unnest(:states::text[]) AS state
         CROSS JOIN LATERAL (SELECT id, created_at FROM qicworks.{table}
                              WHERE push_state = state
                                AND (:organisation_id::uuid IS NULL OR organisation_id = :organisation_id)
                                AND (:beginning::text IS NULL OR {matches})
                                AND (:before_at::timestamptz IS NULL OR (created_at, id) < (:before_at, :before_id::uuid))
                              ORDER BY created_at DESC, id DESC
                              LIMIT :limit) AS document
         UNION
        (SELECT id, created_at FROM qicworks.{table}
          WHERE :cancelling
            AND (id, organisation_id) IN (SELECT document_id, organisation_id FROM xero_sync.waiting_cancellation WHERE document_table = :table)
            AND (:organisation_id::uuid IS NULL OR organisation_id = :organisation_id)
            AND (:beginning::text IS NULL OR {matches})
            AND (:before_at::timestamptz IS NULL OR (created_at, id) < (:before_at, :before_id::uuid))
          ORDER BY created_at DESC, id DESC
          LIMIT :limit)) AS document
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: newest_differing
-- The newest of those with an open difference.
SELECT id
  FROM qicworks.{table}
 WHERE id IN (SELECT difference.document_id
                FROM xero_sync.difference
                JOIN xero_sync.connection ON connection.id = difference.connection_id AND connection.state <> 'deleted'
               WHERE difference.document_kind = :kind AND difference.settled_at IS NULL)
   AND (:organisation_id::uuid IS NULL OR organisation_id = :organisation_id)
   AND (:beginning::text IS NULL OR {matches})
   AND (:before_at::timestamptz IS NULL OR (created_at, id) < (:before_at, :before_id::uuid))
 ORDER BY created_at DESC, id DESC
 LIMIT :limit;

-- name: of_ids
SELECT unnest(:ids::uuid[]) AS id;

-- name: shown
WITH found AS ({found})
SELECT document.id, document.organisation_id, organisation.name AS organisation, connection.id AS connection_id,
       connection.tenant_id, connection.tenant_name, document.push_state, document.push_version, document.xero_id,
       document.xero_status, document.pushed_at, document.push_error, document.push_correction,
       document.created_at, document.updated_at, {columns},
       (SELECT count(*) FROM qicworks.attachment
         WHERE parent_type = :table AND parent_id = document.id AND push_state = 'failed') AS attachments_failed,
       EXISTS (SELECT FROM xero_sync.difference
                 JOIN xero_sync.connection AS live ON live.id = difference.connection_id AND live.state <> 'deleted'
                WHERE difference.document_id = document.id AND difference.document_kind = :kind
                  AND difference.settled_at IS NULL) AS differs,
       EXISTS (SELECT FROM xero_sync.waiting_cancellation AS waiting
                WHERE waiting.document_id = document.id AND waiting.document_table = :table AND waiting.organisation_id = document.organisation_id) AS cancelling
  FROM found
  JOIN qicworks.{table} AS document ON document.id = found.id
  JOIN qicworks.organisation ON organisation.id = document.organisation_id
  LEFT JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id AND connection.state <> 'deleted'
  {joins}
 ORDER BY document.created_at DESC, document.id DESC;

-- name: count_by_state
SELECT state,
       (SELECT count(*)
          FROM (SELECT FROM qicworks.{table}
                 WHERE push_state = state AND (:organisation_id::uuid IS NULL OR organisation_id = :organisation_id)
                 LIMIT :cap) AS counted) AS count
  FROM unnest(:states::text[]) AS state;

-- name: count_differing$
-- Documents of a kind with an open difference.
SELECT count(DISTINCT difference.document_id)
  FROM xero_sync.difference
  JOIN xero_sync.connection ON connection.id = difference.connection_id AND connection.state <> 'deleted'
  JOIN qicworks.{table} AS document ON document.id = difference.document_id
 WHERE difference.document_kind = :kind AND difference.settled_at IS NULL
   AND (:organisation_id::uuid IS NULL OR document.organisation_id = :organisation_id);

-- name: count_cancelling^
-- Cancellations of a kind that wait, without documents that are ready or in flight; `deleted`: of these, documents that no longer
-- exist in QicWorks.
SELECT count(*) AS waiting, count(*) FILTER (WHERE document.id IS NULL) AS deleted
  FROM xero_sync.waiting_cancellation AS waiting
  LEFT JOIN qicworks.{table} AS document ON document.id = waiting.document_id AND document.organisation_id = waiting.organisation_id
 WHERE waiting.document_table = :table AND coalesce(document.push_state NOT IN ('ready', 'in_flight'), true)
   AND (:organisation_id::uuid IS NULL OR waiting.organisation_id = :organisation_id);

-- name: attachments
SELECT file_name, mime_type, octet_length(content) AS size, push_state, pushed_at, push_error, push_correction
  FROM qicworks.attachment
 WHERE parent_type = :table AND parent_id = :id
 ORDER BY created_at, id;

-- name: defaulted_lines
-- Lines that were last sent with an account, tax code or department's option of the settings, and still have none of their own.
SELECT line.line_number, line.description,
       CASE WHEN line.account_id IS NULL THEN account.code || ' ' || account.name END AS account,
       CASE WHEN line.tax_code_id IS NULL THEN tax.tax_type || ' ' || tax.name END AS tax_code,
       CASE WHEN of_department.is_sent THEN option.name END AS option
  FROM qicworks.document_line AS line
  JOIN xero_sync.line_default AS sent ON sent.line_id = line.id
  LEFT JOIN qicworks.account ON account.id = sent.account_id
  LEFT JOIN qicworks.tax_code AS tax ON tax.id = sent.tax_code_id
  LEFT JOIN qicworks.tracking_option AS option ON option.id = sent.tracking_option_id
 CROSS JOIN LATERAL (
       SELECT line.tracking_option_id IS NULL AND line.second_tracking_option_id IS NULL AND sent.tracking_option_id IS NOT NULL
              AND xero_sync.department_key(line.department) IS NOT NULL AS is_sent) AS of_department
 WHERE line.parent_type = :table AND line.parent_id = :id
   AND (line.account_id IS NULL AND sent.account_id IS NOT NULL OR line.tax_code_id IS NULL AND sent.tax_code_id IS NOT NULL
        OR of_department.is_sent)
 ORDER BY line.line_number;

-- name: priced_columns!
document.number, contact.name AS who, document.issue_date::text AS starts_on, document.due_date::text AS ends_on,
document.total, document.currency, NULL AS waits_for, to_jsonb(document) AS row,
CASE WHEN contact.push_state IS NOT NULL THEN contact.id END AS own_contact_id;

-- name: priced_joins!
LEFT JOIN qicworks.contact ON contact.id = document.contact_id;

-- name: priced_matches!
lower(number) LIKE :beginning;

-- name: contact_columns!
document.name AS number, coalesce(document.email, document.phone) AS who, NULL AS starts_on, NULL AS ends_on, NULL AS total,
NULL AS currency, NULL AS waits_for, jsonb_build_object('xero_id', document.xero_id) AS row;

-- name: contact_joins!
-- A contact of Xero's, which is only pulled, is not pushed.
JOIN (SELECT true AS pushed) AS those ON pushed = (document.push_state IS NOT NULL);

-- name: contact_matches!
lower(name) LIKE :beginning;

-- name: pay_columns!
NULL AS number, staff.first_name || ' ' || staff.last_name AS who, period.start_date::text AS starts_on,
period.end_date::text AS ends_on, NULL AS total, NULL AS currency,
CASE WHEN document.push_state NOT IN ('draft', 'ready') THEN NULL
     WHEN period.approved_at IS NULL THEN 'the pay period is not approved'
     WHEN document.approved_version IS NULL THEN 'it is not approved'
     WHEN document.approved_version <> document.push_version THEN 'it was changed after it was approved'
 END AS waits_for;

-- name: pay_joins!
JOIN qicworks.pay_period AS period ON period.id = document.pay_period_id
JOIN qicworks.staff ON staff.id = document.staff_id;

-- name: leave_columns!
NULL AS number, staff.first_name || ' ' || staff.last_name AS who, document.start_date::text AS starts_on,
document.end_date::text AS ends_on, NULL AS total, NULL AS currency,
CASE WHEN document.push_state NOT IN ('draft', 'ready') THEN NULL
     WHEN document.status NOT IN ('Approved', 'Current', 'Taken') THEN 'it is ' || lower(document.status) || ', not approved'
     WHEN document.approved_version IS DISTINCT FROM document.push_version THEN 'it was changed after it was approved'
 END AS waits_for;

-- name: leave_joins!
JOIN qicworks.staff ON staff.id = document.staff_id;

-- name: staff_matches!
staff_id IN (SELECT id FROM qicworks.staff
              WHERE lower(last_name) LIKE :beginning OR lower(first_name || ' ' || last_name) LIKE :beginning);
