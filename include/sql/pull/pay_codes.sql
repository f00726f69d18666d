-- Pay codes and payroll calendars.

-- name: after_merge_payroll_calendar!
-- Where QicWorks has no pay date nominated, Xero's calendar says it: the only one, or the one most of the staff are paid by.
-- A pay frequency that QicWorks does not know is not taken.
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
       AND calendar.payment_date BETWEEN '1990-01-01' AND '2199-12-31'  -- /Date(0)/ is how Xero says that there is none
     ORDER BY paid_by_it DESC, calendar.payment_date, calendar.xero_id
     LIMIT 1
  ) AS chosen
 WHERE organisation.id = :organisation_id AND organisation.next_pay_date IS NULL
   AND (organisation.pay_frequency IS NULL OR organisation.pay_frequency = chosen.frequency)
   AND chosen.frequency IN ('weekly', 'fortnightly', 'four_weekly', 'monthly', 'quarterly')
   AND (chosen.calendars = 1 OR chosen.paid_by_it > 0);

-- name: after_merge_pay_code!
-- Pay templates that were read before their pay codes were.
UPDATE qicworks.pay_template_line AS line
   SET pay_code_id = pay_code.id, synced_at = now()
  FROM qicworks.pay_code
 WHERE line.connection_id = :connection_id AND line.pay_code_id IS NULL
   AND pay_code.connection_id = :connection_id AND pay_code.xero_id = line.pay_code_xero_id;
