-- Staff: which employees to fetch in full, and which member of QicWorks' staff each of them is.

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

-- name: before_merge_staff__1_newcomers!
-- The first link: an employee that is not held yet is linked to the one member of QicWorks' staff with the same first name,
-- last name and account email. If several members match, or one member matches several employees, none is linked.
CREATE TEMP TABLE newcomer ON COMMIT DROP AS
SELECT DISTINCT ON (staged.xero_id) staged.xero_id,
       lower(trim(staged.first_name)) AS first_name, lower(trim(staged.last_name)) AS last_name, lower(trim(staged.email)) AS email, staged.is_active
  FROM xero_sync.stage_staff AS staged
 WHERE staged.staging_id = :staging_id AND staged.xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.staff AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id)
 ORDER BY staged.xero_id, staged.xero_updated_at DESC NULLS LAST, staged.seq DESC;

-- name: before_merge_staff__2_candidates!
CREATE TEMP TABLE candidate ON COMMIT DROP AS
SELECT newcomer.xero_id, member.id AS member_id,
       count(*) OVER (PARTITION BY newcomer.xero_id) AS members,
       -- Of a person who left and was hired again, the active employee counts.
       CASE WHEN newcomer.is_active AND count(*) FILTER (WHERE newcomer.is_active) OVER (PARTITION BY member.id) = 1 THEN 1
            ELSE count(*) OVER (PARTITION BY member.id) END AS employees,
       count(*) FILTER (WHERE newcomer.is_active) OVER (PARTITION BY member.id) = 1 AND NOT newcomer.is_active AS has_left
  FROM newcomer
  JOIN qicworks.staff AS member
    ON member.organisation_id = :organisation_id AND member.xero_id IS NULL
   AND lower(trim(member.first_name)) = newcomer.first_name AND lower(trim(member.last_name)) = newcomer.last_name
   AND lower(trim(member.account_email)) = newcomer.email;

-- name: before_merge_staff__3_ambiguous!
UPDATE xero_sync.stage_staff AS staged
   SET problems = coalesce(staged.problems, '{}') || ambiguous.problem
  FROM (SELECT xero_id,
               CASE WHEN members > 1
                    THEN 'Not linked: ' || members || ' people in QicWorks staff match one Xero employee.'
                         ' Correct their account emails, then pull staff'
                    ELSE 'Not linked: one person in QicWorks staff matches ' || employees || ' Xero employees.'
                         ' Correct the emails of the employees in Xero, then pull staff' END AS problem
          FROM candidate
         WHERE (members > 1 OR employees > 1) AND NOT has_left) AS ambiguous
 WHERE staged.staging_id = :staging_id AND staged.xero_id = ambiguous.xero_id
   AND ambiguous.problem <> ALL (coalesce(staged.problems, '{}'));

-- name: before_merge_staff__4_link!
UPDATE qicworks.staff AS member
   SET connection_id = :connection_id, xero_id = candidate.xero_id, match_state = 'linked',
       row_hash = NULL, xero_updated_at = NULL, missing_since = NULL  -- of the employee that it was linked to before
  FROM candidate
 WHERE member.organisation_id = :organisation_id AND member.id = candidate.member_id
   AND candidate.members = 1 AND candidate.employees = 1
   AND EXISTS (SELECT FROM xero_sync.stage_staff AS staged
                WHERE staged.staging_id = :staging_id AND staged.xero_id = candidate.xero_id AND staged.problems IS NULL);

-- name: before_merge_staff__5_done!
DROP TABLE newcomer, candidate;

-- name: after_merge_staff!
-- Members created from an employee log in with the email in Xero; from then on it is QicWorks' own.
UPDATE qicworks.staff SET account_email = email
 WHERE connection_id = :connection_id AND match_state = 'created' AND account_email IS NULL AND email IS NOT NULL;

-- name: after_merge_staff__2_hired_again!
-- A person who left and was hired again is a new employee in Xero. The member that is linked to the former employee, or has pay or
-- leave in QicWorks, is then linked to the new one, matched by names and account email as at the first link: the two rows change
-- places. If several match, or both have pay or leave in QicWorks, they stay as they are.
CREATE TEMP TABLE hired_again ON COMMIT DROP AS
SELECT pair.*
  FROM (SELECT member.id AS member_id, member.match_state, newer.id AS newer_id,
               count(*) OVER (PARTITION BY member.id) AS newer_ones, count(*) OVER (PARTITION BY newer.id) AS members
          FROM qicworks.staff AS member
          JOIN qicworks.staff AS newer
            ON newer.connection_id = :connection_id AND newer.is_active AND newer.match_state = 'created'
           AND lower(trim(newer.first_name)) = lower(trim(member.first_name))
           AND lower(trim(newer.last_name)) = lower(trim(member.last_name))
           AND lower(trim(newer.email)) = lower(trim(member.account_email))
         WHERE member.connection_id = :connection_id AND NOT member.is_active) AS pair
 WHERE newer_ones = 1 AND members = 1
   AND (match_state = 'linked' OR EXISTS (SELECT FROM qicworks.payroll_push WHERE staff_id = member_id)
                               OR EXISTS (SELECT FROM qicworks.leave_request WHERE staff_id = member_id))
   AND NOT EXISTS (SELECT FROM qicworks.payroll_push WHERE staff_id = newer_id)
   AND NOT EXISTS (SELECT FROM qicworks.leave_request WHERE staff_id = newer_id);

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
