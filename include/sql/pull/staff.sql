-- Staff: which employees to fetch in full. Which member of QicWorks' staff each of them is: sync/pull/people.py.

-- name: ids_to_fetch
-- Employees whose version in the list differs from the one held, also if it is earlier: the one held may be from a clock that
-- was ahead. And active ones that are no longer in a full list, also if only their pay template is held because the employee
-- was rejected.
SELECT listed.key
  FROM xero_sync.stage_seen AS listed
  LEFT JOIN qicworks.staff AS held ON held.connection_id = :connection_id AND held.xero_id::text = lower(listed.key)
 WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL
   AND (:refetch_details OR held.xero_id IS NULL OR held.missing_since IS NOT NULL OR held.is_active <> listed.is_active
        OR held.xero_updated_at IS NULL OR listed.version IS NULL OR listed.version <> held.xero_updated_at)
UNION
SELECT held.xero_id::text
  FROM (SELECT connection_id, xero_id, is_active FROM qicworks.staff
        UNION ALL
        SELECT connection_id, employee_xero_id, is_active FROM qicworks.pay_template_line) AS held
 WHERE :full AND held.connection_id = :connection_id AND held.is_active
   AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                    WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL AND lower(listed.key) = held.xero_id::text);

-- name: filter_staff!
-- A rejection is not retried if the employee is no longer in a full list.
DELETE FROM xero_sync.stage_staff AS again
 WHERE again.staging_id = :staging_id AND again.retried AND :full
   AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                    WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL AND lower(listed.key) = again.xero_id::text);

-- name: newcomers_staff
-- Employees that are not held yet. The one that was read last counts. `is_bad`: it is not loaded in any case.
SELECT DISTINCT ON (staged.xero_id) staged.xero_id AS id, staged.first_name, staged.last_name, ARRAY[staged.email] AS emails, staged.start_date,
       staged.is_active, staged.problems IS NOT NULL AS is_bad
  FROM xero_sync.stage_staff AS staged
 WHERE staged.staging_id = :staging_id AND staged.xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.staff AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id)
 ORDER BY staged.xero_id, staged.xero_updated_at DESC NULLS LAST, staged.seq DESC;

-- name: held_staff
-- QicWorks' staff. Of those that are linked or were created from an employee: also which one. Erased persons are nobody's match.
SELECT id, xero_id, match_state, first_name, last_name,
       CASE WHEN match_state = 'created' THEN ARRAY[email] ELSE ARRAY[account_email, email] END AS emails, start_date, is_active
  FROM qicworks.staff
 WHERE organisation_id = :organisation_id AND (xero_id IS NULL OR connection_id = :connection_id) AND row_hash IS DISTINCT FROM '';

-- name: hold_staff!
UPDATE xero_sync.stage_staff
   SET problems = coalesce(problems, '{}') || :problem
 WHERE staging_id = :staging_id AND xero_id = ANY(:ids) AND :problem <> ALL (coalesce(problems, '{}'));

-- name: link_staff!
-- The members become these employees, and their columns Xero's with the merge. What QicWorks had is kept for an undo.
WITH pair AS (
    SELECT * FROM unnest(:own_ids::uuid[], :xero_ids::uuid[]) AS pair (own_id, employee_id)
), kept AS (
    INSERT INTO xero_sync.link_decision (connection_id, what, own_id, xero_id, decision, decided_by, before)
    SELECT :connection_id, 'staff', pair.own_id, pair.employee_id, 'link', :who, to_jsonb(member)
      FROM pair JOIN qicworks.staff AS member ON member.id = pair.own_id
)
UPDATE qicworks.staff AS member
   SET connection_id = :connection_id, xero_id = pair.employee_id, match_state = 'linked',
       row_hash = NULL, xero_updated_at = NULL, missing_since = NULL  -- of the employee that it was linked to before
  FROM pair
 WHERE member.organisation_id = :organisation_id AND member.id = pair.own_id AND member.xero_id IS NULL;

-- name: after_merge_staff!
-- Members created from an employee log in with the email in Xero; from then on it is QicWorks' own.
UPDATE qicworks.staff SET account_email = email
 WHERE connection_id = :connection_id AND match_state = 'created' AND account_email IS NULL AND email IS NOT NULL;

-- name: after_merge_staff__2_hired_again!
-- A person who left and was hired again is a new employee in Xero. The member that is linked to the former employee, or has pay or
-- leave in QicWorks, is then linked to the new one, matched by names and account email as at the first link: the two rows change
-- places. They stay as they are if several match, if both have pay or leave in QicWorks, if the new one began before the former one
-- had left, if the email is of an office (as in sync/pull/person.py) or of a member of another name, or if a user has said otherwise.
CREATE TEMP TABLE hired_again ON COMMIT DROP AS
SELECT pair.*
  FROM (SELECT member.id AS member_id, member.match_state, newer.id AS newer_id, newer.xero_id AS newer_xero_id,
               count(*) OVER (PARTITION BY member.id) AS newer_ones, count(*) OVER (PARTITION BY newer.id) AS members,
               lower(trim(newer.email)) AS mail, lower(trim(newer.first_name)) AS first_name,
               newer.start_date <= member.termination_date AS are_two
          FROM qicworks.staff AS member
          JOIN qicworks.staff AS newer
            ON newer.connection_id = :connection_id AND newer.is_active AND newer.match_state = 'created'
           AND lower(trim(newer.first_name)) = lower(trim(member.first_name))
           AND lower(trim(newer.last_name)) = lower(trim(member.last_name))
           AND lower(trim(newer.email)) = lower(trim(member.account_email))
         WHERE member.connection_id = :connection_id AND NOT member.is_active) AS pair
 WHERE newer_ones = 1 AND members = 1 AND are_two IS NOT TRUE
   AND split_part(mail, '@', 1) !~ '^(accounts?|admin|administration|bookings|contact|enquiries|finance|hello|hr|info|jobs|mail|office|pay|payroll|reception|sales|service|staff|team|wages|work)[^a-z]*$'
   AND NOT EXISTS (SELECT FROM qicworks.staff AS other
                    WHERE other.organisation_id = :organisation_id AND pair.mail IN (lower(trim(other.account_email)), lower(trim(other.email)))
                      AND lower(trim(other.first_name)) <> pair.first_name)
   AND NOT EXISTS (SELECT FROM xero_sync.link_apart AS apart
                    WHERE apart.connection_id = :connection_id AND apart.what = 'staff'
                      AND apart.own_id = member_id AND apart.xero_id = newer_xero_id)
   AND NOT EXISTS (SELECT FROM xero_sync.link_decision AS said
                    WHERE said.connection_id = :connection_id AND said.what = 'staff' AND said.xero_id = newer_xero_id
                      AND said.decision = 'created')
   AND (match_state = 'linked' OR EXISTS (SELECT FROM qicworks.payroll_push WHERE staff_id = member_id)
                               OR EXISTS (SELECT FROM qicworks.leave_request WHERE staff_id = member_id))
   AND NOT EXISTS (SELECT FROM qicworks.payroll_push WHERE staff_id = newer_id)
   AND NOT EXISTS (SELECT FROM qicworks.leave_request WHERE staff_id = newer_id);

-- name: after_merge_staff__2_kept!
-- It is a link as any other, and can be undone.
INSERT INTO xero_sync.link_decision (connection_id, what, own_id, xero_id, decision, before)
SELECT :connection_id, 'staff', member_id, newer_xero_id, 'link', to_jsonb(member)
  FROM hired_again JOIN qicworks.staff AS member ON member.connection_id = :connection_id AND member.id = member_id;

-- name: after_merge_staff__3_places!
CREATE TEMP TABLE new_place ON COMMIT DROP AS
SELECT member_id AS place_id, 'linked' AS state, staff.*
  FROM hired_again JOIN qicworks.staff ON staff.connection_id = :connection_id AND staff.id = newer_id
UNION ALL
SELECT newer_id, 'created', staff.*
  FROM hired_again JOIN qicworks.staff ON staff.connection_id = :connection_id AND staff.id = member_id;

-- name: after_merge_staff__4_free!
UPDATE qicworks.staff SET xero_id = NULL
  FROM new_place WHERE staff.connection_id = :connection_id AND staff.id = place_id;

-- name: after_merge_staff__5_taken!
UPDATE qicworks.staff
   SET xero_id = place.xero_id, match_state = place.state, is_active = place.is_active, missing_since = place.missing_since,
       row_hash = place.row_hash, xero_updated_at = place.xero_updated_at, balances_read_at = place.balances_read_at, synced_at = now(),
       first_name = place.first_name, last_name = place.last_name, email = place.email, title = place.title,
       job_title = place.job_title, classification = place.classification, phone = place.phone, mobile = place.mobile,
       employee_group = place.employee_group, employment_basis = place.employment_basis, start_date = place.start_date,
       termination_date = place.termination_date, payroll_calendar_xero_id = place.payroll_calendar_xero_id,
       ordinary_earnings_rate_xero_id = place.ordinary_earnings_rate_xero_id, approves_leave = place.approves_leave,
       approves_timesheets = place.approves_timesheets, status = place.status
  FROM new_place AS place
 WHERE staff.connection_id = :connection_id AND staff.id = place.place_id;

-- name: after_merge_staff__6_done!
DROP TABLE hired_again, new_place;

-- name: after_merge_pay_template_line!
-- A line is active as long as its employee is, and it was not missing from Xero.
UPDATE qicworks.pay_template_line AS line
   SET staff_id = staff.id, is_active = staff.is_active AND line.missing_since IS NULL, synced_at = now()
  FROM qicworks.staff
 WHERE line.connection_id = :connection_id AND staff.connection_id = :connection_id AND staff.xero_id = line.employee_xero_id
   AND (line.staff_id IS DISTINCT FROM staff.id OR line.is_active <> (staff.is_active AND line.missing_since IS NULL));

-- name: after_merge_pay_template_line__2_pay_code!
UPDATE qicworks.pay_template_line AS line
   SET pay_code_id = pay_code.id, synced_at = now()
  FROM qicworks.pay_code
 WHERE line.connection_id = :connection_id AND pay_code.connection_id = :connection_id
   AND pay_code.xero_id = line.pay_code_xero_id AND line.pay_code_id IS DISTINCT FROM pay_code.id;
