-- Leave requests that are pushed.

-- name: documents
SELECT request.id, request.push_version, request.xero_id, request.title, request.notes, request.start_date, request.end_date,
       request.hours, request.status, request.approved_version, request.leave_type_id, staff.xero_id AS employee_xero_id, staff.first_name, staff.last_name, staff.is_active AS staff_is_active,
       staff.email, staff.phone, staff.mobile, staff.title AS staff_title, staff.job_title,
       staff.connection_id = :connection_id AS staff_is_here,
       calendar.xero_id AS calendar_xero_id, calendar.calendar_type, calendar.start_date AS calendar_start, calendar.is_active AS calendar_is_active,
       code.xero_id AS code_xero_id, code.name AS code_name, code.kind AS code_kind, code.is_active AS code_is_active,
       code.connection_id = :connection_id AS code_is_here, code.type_of_units
  FROM qicworks.leave_request AS request
  JOIN qicworks.staff ON staff.id = request.staff_id
  LEFT JOIN qicworks.payroll_calendar AS calendar
    ON calendar.connection_id = staff.connection_id AND calendar.xero_id = staff.payroll_calendar_xero_id
  LEFT JOIN qicworks.pay_code AS code ON code.id = request.leave_type_id
 WHERE request.id = ANY(:ids)
 ORDER BY request.created_at, request.id;

-- name: version$
SELECT push_version FROM qicworks.leave_request WHERE id = :id;

-- name: keep_id!
-- Links it to its leave application in Xero.
UPDATE qicworks.leave_request
   SET xero_id = :xero_id, xero_status = :xero_status, pushed_at = coalesce(pushed_at, clock_timestamp())
 WHERE id = :id;

-- name: owned
-- Which of these leave applications another request is linked to.
SELECT xero_id FROM qicworks.leave_request
 WHERE organisation_id = :organisation_id AND xero_id = ANY(:xero_ids) AND id <> :id;
