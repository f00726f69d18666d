-- Who of QicWorks is who in Xero: pairs that may be the same, and what was decided.

-- name: replace!
WITH found AS (
    SELECT * FROM unnest(:own_ids::uuid[], :xero_ids::uuid[], :alike::text[], :likely::boolean[]) AS found (own_id, xero_id, alike, likely)
), gone AS (
    DELETE FROM xero_sync.link_candidate AS held
     WHERE connection_id = :connection_id AND what = :what
       AND NOT EXISTS (SELECT FROM found WHERE found.own_id = held.own_id AND found.xero_id = held.xero_id)
)
INSERT INTO xero_sync.link_candidate AS held (connection_id, what, own_id, xero_id, alike, likely)
SELECT :connection_id, :what, own_id, xero_id, string_to_array(alike, ','), likely FROM found
    ON CONFLICT (connection_id, what, own_id, xero_id) DO UPDATE SET alike = excluded.alike, likely = excluded.likely
 WHERE (held.alike, held.likely) IS DISTINCT FROM (excluded.alike, excluded.likely);

-- name: apart
SELECT own_id, xero_id FROM xero_sync.link_apart WHERE connection_id = :connection_id AND what = :what;

-- name: undone
SELECT xero_id
  FROM (SELECT DISTINCT ON (xero_id) xero_id, decision FROM xero_sync.link_decision
         WHERE connection_id = :connection_id AND what = :what
         ORDER BY xero_id, id DESC) AS latest
 WHERE decision = 'undo';

-- name: waiting
-- Those of QicWorks who may be somebody in Xero, likely ones first, with whom each may be.
SELECT what, own_id, own_name, own_email, own_detail, bool_or(likely) AS likely, count(*) OVER () AS total,
       jsonb_agg(jsonb_build_object('xero_id', xero_id, 'name', xero_name, 'email', xero_email, 'detail', xero_detail,
                                    'is_active', is_active, 'alike', alike, 'likely', likely, 'version', version)
                 ORDER BY likely DESC, is_active DESC, xero_name, xero_id) AS candidates
  FROM xero_sync.link_waiting
 WHERE connection_id = :connection_id AND what = ANY(:whats)
   AND (:search = '' OR strpos(lower(concat_ws(' ', own_name, own_email, xero_name, xero_email)), lower(:search)) > 0)
 GROUP BY what, own_id, own_name, own_email, own_detail
 ORDER BY what DESC, bool_or(likely) DESC, own_name, own_id
 LIMIT :limit OFFSET :offset;

-- name: counts
-- How many of QicWorks' people and contacts wait, and employees whose link was undone.
SELECT connection.id AS connection_id, organisation.name AS organisation, waiting.what, count(DISTINCT waiting.id) AS count,
       count(DISTINCT waiting.id) FILTER (WHERE waiting.likely) AS likely
  FROM (SELECT connection_id, what, own_id AS id, likely FROM xero_sync.link_waiting
        UNION ALL
        SELECT connection_id, 'staff', xero_id, false FROM xero_sync.link_undone) AS waiting
  JOIN xero_sync.connection ON connection.id = waiting.connection_id AND connection.state <> 'deleted'
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE waiting.what = ANY(:whats) AND (:connection_id::uuid IS NULL OR connection.id = :connection_id)
 GROUP BY connection.id, organisation.name, waiting.what
 ORDER BY organisation.name, waiting.what DESC;

-- name: offered
-- Pairs that wait, of one of QicWorks' rows or of one record of Xero's, or of both.
SELECT what, own_id, xero_id, own_name, xero_name, likely, is_active, has_row, version
  FROM xero_sync.link_waiting
 WHERE connection_id = :connection_id AND what = :what
   AND (:own_id::uuid IS NULL OR own_id = :own_id) AND (:xero_id::uuid IS NULL OR xero_id = :xero_id);

-- name: undone_employees
-- Employees whose link was undone, and who may be nobody else here.
SELECT xero_id, name, email, since::text AS detail, is_active FROM xero_sync.link_undone
 WHERE connection_id = :connection_id ORDER BY name, xero_id;

-- name: decide!
INSERT INTO xero_sync.link_decision (connection_id, what, own_id, xero_id, decision, decided_by)
VALUES (:connection_id, :what, :own_id, :xero_id, :decision, :who);

-- name: drop_created$
SELECT xero_sync.drop_created_staff(:connection_id, :xero_id);

-- name: parts_of_employee!
-- Pay template and leave balances follow their employee.
WITH line AS (
    UPDATE qicworks.pay_template_line SET staff_id = :staff_id WHERE connection_id = :connection_id AND employee_xero_id = :xero_id
)
UPDATE qicworks.leave_balance SET staff_id = :staff_id WHERE connection_id = :connection_id AND employee_xero_id = :xero_id;

-- name: no_longer_rejected!
UPDATE xero_sync.rejection SET closed_at = now()
 WHERE connection_id = :connection_id AND data_set = 'staff' AND table_name = 'staff' AND key = :xero_id::text AND closed_at IS NULL;

-- name: contact_is_linked!
UPDATE qicworks.contact
   SET push_state = 'pushed', xero_status = 'ACTIVE', pushed_at = clock_timestamp(), push_error = NULL, push_correction = NULL
 WHERE id = ANY(:ids) AND xero_id IS NOT NULL AND push_state IN ('ready', 'failed');

-- name: linked
-- Links that can be undone.
SELECT *, count(*) OVER () AS total
  FROM (SELECT 'staff' AS what, id AS own_id, xero_id, concat_ws(' ', first_name, last_name) AS own_name, account_email AS own_email,
               concat_ws(' ', first_name, last_name) AS xero_name, email AS xero_email
          FROM qicworks.staff WHERE connection_id = :connection_id AND match_state = 'linked'
        UNION ALL
        SELECT 'contact', own.id, own.xero_id, own.name, own.email, pulled.name, pulled.email
          FROM qicworks.contact AS own
          LEFT JOIN qicworks.contact AS pulled ON pulled.connection_id = :connection_id AND pulled.xero_id = own.xero_id
         WHERE own.organisation_id = :organisation_id AND own.push_state IS NOT NULL AND own.xero_id IS NOT NULL) AS link
 WHERE what = ANY(:whats) AND (:own_id::uuid IS NULL OR own_id = :own_id)
   AND (:search = '' OR strpos(lower(concat_ws(' ', own_name, own_email, xero_name, xero_email)), lower(:search)) > 0)
 ORDER BY what DESC, own_name, own_id
 LIMIT :limit OFFSET :offset;

-- name: how
-- Who linked a pair, when, and what QicWorks had before.
SELECT decided_by, decided_at, before FROM xero_sync.link_decision
 WHERE connection_id = :connection_id AND what = :what AND own_id = :own_id AND xero_id = :xero_id AND decision = 'link'
 ORDER BY id DESC LIMIT 1;

-- name: lines_in_template$
SELECT count(*) FROM xero_sync.owned_earnings_line
 WHERE connection_id = :connection_id AND employee_xero_id = :xero_id AND NOT empty;

-- name: unlink_staff!
-- As it was before the link, as far as that is known. `former`: the employee of before, to whom the member is linked again.
UPDATE qicworks.staff AS member
   SET connection_id = CASE WHEN :former::uuid IS NOT NULL THEN :connection_id::uuid END, xero_id = :former,
       match_state = CASE WHEN :former IS NULL THEN 'none' ELSE :state END,
       row_hash = CASE WHEN :former IS NOT NULL THEN was.row_hash END,
       xero_updated_at = CASE WHEN :former IS NOT NULL THEN was.xero_updated_at END,
       missing_since = CASE WHEN :former IS NOT NULL THEN was.missing_since END,
       balances_read_at = CASE WHEN :former IS NOT NULL THEN was.balances_read_at END, synced_at = now(), is_active = was.is_active, first_name = was.first_name, last_name = was.last_name,
       email = was.email, title = was.title, job_title = was.job_title, classification = was.classification, phone = was.phone,
       mobile = was.mobile, employee_group = was.employee_group, employment_basis = was.employment_basis, start_date = was.start_date,
       termination_date = was.termination_date, payroll_calendar_xero_id = was.payroll_calendar_xero_id,
       ordinary_earnings_rate_xero_id = was.ordinary_earnings_rate_xero_id, approves_leave = was.approves_leave,
       approves_timesheets = was.approves_timesheets, status = was.status
  FROM qicworks.staff AS held, jsonb_populate_record(held, coalesce(:before::jsonb, '{}')) AS was
 WHERE member.id = :own_id AND held.id = member.id AND member.connection_id = :connection_id AND member.xero_id = :xero_id;

-- name: row_of_employee
-- The row that an employee has now.
SELECT match_state, to_jsonb(held) AS held FROM qicworks.staff AS held WHERE connection_id = :connection_id AND xero_id = :xero_id;

-- name: hold_employee!
-- The employee waits from now on, as the last pull had them; if none has written the member's row since the link, as before it.
WITH member AS (
    SELECT * FROM qicworks.staff WHERE id = :own_id
), again AS (
    UPDATE xero_sync.rejection SET closed_at = NULL, closed_by = NULL, reasons = ARRAY[:reason]
     WHERE id = (SELECT max(id) FROM xero_sync.rejection
                  WHERE connection_id = :connection_id AND data_set = 'staff' AND table_name = 'staff' AND key = :xero_id::text)
       AND closed_at IS NOT NULL AND (SELECT row_hash IS NULL FROM member)
)
INSERT INTO xero_sync.rejection (connection_id, data_set, table_name, key, reasons, record, event_id, held_back)
SELECT :connection_id, 'staff', 'staff', xero_id::text, ARRAY[:reason],
       to_jsonb(member) - ARRAY['id', 'connection_id', 'organisation_id', 'account_email', 'match_state', 'row_hash', 'missing_since',
                                'synced_at', 'created_at', 'balances_read_at'], :event_id, false
  FROM member WHERE row_hash IS NOT NULL
    ON CONFLICT (connection_id, data_set, table_name, key) WHERE closed_at IS NULL DO NOTHING;

-- name: unlink_contact$
SELECT xero_sync.unlink_contact(:own_id, :connection_id, :xero_id, :error, :correction);

-- name: created_contact$
-- Whether QicWorks created that record in Xero, under the contact's own id.
SELECT EXISTS (SELECT FROM qicworks.contact AS own
                 LEFT JOIN qicworks.contact AS pulled ON pulled.connection_id = :connection_id AND pulled.xero_id = own.xero_id
                WHERE own.id = :own_id AND (own.is_ours OR lower(pulled.contact_number) = own.id::text));

-- name: hanging
-- A template: documents of a kind by their state. {column} says whose they are.
SELECT CASE WHEN push_state IN ('ready', 'failed', 'draft') AND xero_id IS NULL THEN 'waiting'
            WHEN push_state = 'in_flight' THEN 'in_flight' WHEN xero_id IS NOT NULL OR push_state = 'pushed' THEN 'pushed' END AS state,
       count(*) AS count
  FROM qicworks.{table} AS document WHERE {column} = :own_id AND push_state <> 'skipped' GROUP BY 1;

-- name: open_request
-- A template: whether a request with one of these documents, or with the contact itself, is open.
SELECT EXISTS (SELECT FROM xero_sync.push_request AS request
                WHERE request.closed_at IS NULL AND request.connection_id = :connection_id
                  AND (:own_id = ANY(request.documents)
                       OR request.documents && ARRAY(SELECT id FROM qicworks.{table} WHERE {column} = :own_id)));

-- name: free_documents!
-- A template: documents that failed while their contact was not in Xero, without those that a person has to look for there.
UPDATE qicworks.{table} SET push_state = 'ready'
 WHERE contact_id = ANY(:ids) AND organisation_id = :organisation_id AND push_state = 'failed'
   AND NOT EXISTS (SELECT FROM xero_sync.unclear_push AS unclear WHERE unclear.document_id = id);

-- name: unlinked_contacts
SELECT id, name, contact_number, tax_number, email, nullif(concat_ws(' ', nullif(trim(first_name), ''), nullif(trim(last_name), '')), '') AS person
  FROM qicworks.contact
 WHERE organisation_id = :organisation_id AND connection_id IS NULL AND xero_id IS NULL AND push_state IN ('draft', 'ready', 'failed')
 ORDER BY created_at, id
   FOR UPDATE SKIP LOCKED;

-- name: pulled_contacts
SELECT xero_id, name, contact_number AS number, tax_number, email, is_active AND missing_since IS NULL AS is_active,
       merged_to_xero_id AS merged_to, own.xero_id IS NOT NULL AS is_taken
  FROM qicworks.contact AS pulled
  LEFT JOIN (SELECT DISTINCT xero_id FROM qicworks.contact
              WHERE organisation_id = :organisation_id AND push_state IS NOT NULL AND xero_id IS NOT NULL) AS own USING (xero_id)
 WHERE connection_id = :connection_id AND xero_id IS NOT NULL;

-- name: link_contacts!
WITH linked AS MATERIALIZED (
    SELECT own_id, record_id FROM xero_sync.link_contacts(:connection_id, :own_ids, :xero_ids)
), kept AS (
    INSERT INTO xero_sync.link_decision (connection_id, what, own_id, xero_id, decision, decided_by)
    SELECT :connection_id, 'contact', own_id, record_id, 'link', :who FROM linked
), answered AS (
    DELETE FROM xero_sync.contact_question WHERE contact_id IN (SELECT own_id FROM linked)
)
DELETE FROM xero_sync.contact_candidate WHERE contact_id IN (SELECT own_id FROM linked);
