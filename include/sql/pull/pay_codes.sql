-- Pay codes and payroll calendars.

-- name: after_merge_payroll_calendar!
-- If no pay date is set in QicWorks, it is taken from Xero's calendar: the only one, or the one by which most staff are paid.
-- Not from a calendar with a pay frequency that QicWorks does not have.
UPDATE qicworks.organisation
   SET pay_frequency = chosen.frequency, next_pay_date = chosen.payment_date, updated_at = now()
  FROM (
    SELECT CASE calendar.calendar_type WHEN 'FOURWEEKLY' THEN 'four_weekly' ELSE lower(calendar.calendar_type) END AS frequency,
           calendar.payment_date,
           count(*) OVER () AS calendars,
           (SELECT count(*) FROM qicworks.staff
             WHERE staff.connection_id = calendar.connection_id AND staff.is_active
               AND staff.payroll_calendar_xero_id = calendar.xero_id) AS paid_by_it
      FROM qicworks.payroll_calendar AS calendar
     WHERE calendar.connection_id = :connection_id AND calendar.is_active
       AND calendar.payment_date BETWEEN '1990-01-01' AND '2199-12-31'  -- Xero sends /Date(0)/ if there is none
     ORDER BY paid_by_it DESC, calendar.payment_date, calendar.xero_id
     LIMIT 1
  ) AS chosen
 WHERE organisation.id = :organisation_id AND organisation.next_pay_date IS NULL
   AND (organisation.pay_frequency IS NULL OR organisation.pay_frequency = chosen.frequency)
   AND chosen.frequency IN ('weekly', 'fortnightly', 'four_weekly', 'monthly', 'quarterly')
   AND (chosen.calendars = 1 OR chosen.paid_by_it > 0);

-- name: after_merge_pay_code!
-- Links lines of pay templates that were read before their pay codes.
UPDATE qicworks.pay_template_line AS line
   SET pay_code_id = pay_code.id, synced_at = now()
  FROM qicworks.pay_code
 WHERE line.connection_id = :connection_id AND line.pay_code_id IS NULL
   AND pay_code.connection_id = :connection_id AND pay_code.xero_id = line.pay_code_xero_id;
