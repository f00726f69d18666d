-- Pay that is pushed: an employee's pay of one period, and its lines.

-- name: documents
-- Oldest period first. later_pushed, earlier_waiting: first days of other periods of the same employee; one that no calendar
-- has says nothing of an order.
SELECT push.id, push.push_version, push.xero_id, push.pay_period_id, push.approved_version, period.start_date AS period_start, period.end_date AS period_end, period.approved_at AS period_approved_at,
       calendar.xero_id AS calendar_xero_id, calendar.calendar_type, calendar.start_date AS calendar_start,
       period.payroll_calendar_xero_id AS period_calendar,
       staff.xero_id AS employee_xero_id, staff.first_name, staff.last_name, staff.is_active AS staff_is_active,
       staff.email, staff.phone, staff.mobile, staff.title AS staff_title, staff.job_title,
       staff.connection_id = :connection_id AS staff_is_here, staff.payroll_calendar_xero_id AS staff_calendar,
       staff.ordinary_earnings_rate_xero_id AS ordinary_rate, other.later_pushed, other.earlier_waiting
  FROM qicworks.payroll_push AS push
  JOIN qicworks.pay_period AS period ON period.id = push.pay_period_id
  JOIN qicworks.staff ON staff.id = push.staff_id
  LEFT JOIN qicworks.payroll_calendar AS calendar
         ON calendar.connection_id = :connection_id AND calendar.xero_id = period.payroll_calendar_xero_id
 CROSS JOIN LATERAL (
       SELECT max(its.start_date) FILTER (WHERE its.start_date > period.start_date AND another.pushed_at IS NOT NULL) AS later_pushed,
              min(its.start_date) FILTER (WHERE its.start_date < period.start_date
                                            AND another.push_state IN ('ready', 'in_flight')) AS earlier_waiting
         FROM qicworks.payroll_push AS another
         JOIN qicworks.pay_period AS its ON its.id = another.pay_period_id
        WHERE another.staff_id = push.staff_id AND its.start_date BETWEEN '1900-01-01' AND '2199-12-31') AS other
 WHERE push.id = ANY(:ids)
 ORDER BY period.start_date, push.created_at, push.id;

-- name: lines
SELECT line.payroll_push_id, line.work_date, line.units, line.rate, line.amount, line.source, line.leave_request_id, line.pay_code_id,
       code.xero_id AS code_xero_id, code.name AS code_name, code.kind AS code_kind, code.is_active AS code_is_active,
       code.connection_id = :connection_id AS code_is_here, code.rate_type, code.earnings_type
  FROM qicworks.payroll_line AS line
  LEFT JOIN qicworks.pay_code AS code ON code.id = line.pay_code_id
 WHERE line.payroll_push_id = ANY(:ids)
 ORDER BY line.payroll_push_id, line.work_date NULLS LAST, line.id;

-- name: version$
SELECT push_version FROM qicworks.payroll_push WHERE id = :id;

-- name: pulled
SELECT DISTINCT kind FROM qicworks.pay_template_line
 WHERE connection_id = :connection_id AND employee_xero_id = :employee AND is_active;

-- name: unmentioned
-- Employees whose pay template still pays an earlier period, and who have no pay in a later approved one of their calendar.
SELECT DISTINCT ON (staff.id)
       staff.id AS staff_id, staff.xero_id AS employee, period.id AS pay_period_id, set_for.start_date AS paid_start,
       set_for.payroll_calendar_xero_id AS paid_calendar
  FROM xero_sync.owned_earnings_line AS owned
  JOIN qicworks.pay_period AS set_for ON set_for.id = owned.pay_period_id
  JOIN qicworks.staff ON staff.connection_id = owned.connection_id AND staff.xero_id = owned.employee_xero_id AND staff.is_active
  JOIN qicworks.pay_period AS period
    ON period.organisation_id = set_for.organisation_id AND period.payroll_calendar_xero_id = staff.payroll_calendar_xero_id
   AND period.approved_at IS NOT NULL AND period.start_date > set_for.start_date
 WHERE owned.connection_id = :connection_id AND NOT owned.empty AND NOT owned.disclaimed
   AND set_for.start_date BETWEEN '1900-01-01' AND '2199-12-31' AND period.start_date BETWEEN '1900-01-01' AND '2199-12-31'
   AND NOT EXISTS (SELECT FROM qicworks.payroll_push AS push
                     JOIN qicworks.pay_period AS its ON its.id = push.pay_period_id
                    WHERE push.staff_id = staff.id AND its.start_date >= period.start_date)
 ORDER BY staff.id, period.start_date DESC, set_for.start_date DESC;

-- name: withdrawn
-- Employees whose pay template still has pay of a period for which QicWorks no longer has approved pay.
SELECT DISTINCT owned.employee_xero_id AS employee, period.start_date AS paid_start,
       period.payroll_calendar_xero_id AS paid_calendar
  FROM xero_sync.owned_earnings_line AS owned
  JOIN qicworks.pay_period AS period ON period.id = owned.pay_period_id
 WHERE owned.connection_id = :connection_id AND NOT owned.empty AND NOT owned.disclaimed
   AND period.start_date BETWEEN '1900-01-01' AND '2199-12-31'
   AND NOT EXISTS (SELECT FROM qicworks.payroll_push AS push
                     JOIN qicworks.staff ON staff.id = push.staff_id AND staff.connection_id = owned.connection_id
                    WHERE push.pay_period_id = owned.pay_period_id
                      -- pay in the template of a former employee stays there, even if the staff member is now linked to another employee
                      AND owned.employee_xero_id IN (staff.xero_id, push.xero_id)
                      AND push.push_state IN ('ready', 'in_flight', 'pushed', 'failed') AND period.approved_at IS NOT NULL)
 ORDER BY period.start_date, owned.employee_xero_id;

-- name: mention$
-- Creates an empty pay, approved with its period.
SELECT xero_sync.take_back_pay(:connection_id, :pay_period_id, :staff_id);
