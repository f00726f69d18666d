-- depends: 0012.interaction
-- The one document that a push makes itself: an empty pay, so that a pay template does not pay an earlier period again.

-- Who may call it cannot insert pay: approved pay is QicWorks' to make. It runs with the rights of the owner, and does nothing
-- unless the pay template holds a line of QicWorks' for an earlier period, the given one is approved and of the employee's
-- calendar, and neither it nor a later one mentions them. What it makes has no lines.
CREATE FUNCTION xero_sync.take_back_pay(p_connection_id uuid, p_pay_period_id uuid, p_staff_id uuid)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO qicworks.payroll_push (organisation_id, pay_period_id, staff_id, push_state, approved_version)
    SELECT period.organisation_id, period.id, staff.id, 'ready', 1
      FROM qicworks.staff
      JOIN qicworks.pay_period AS period
        ON period.id = p_pay_period_id AND period.payroll_calendar_xero_id = staff.payroll_calendar_xero_id
       AND period.approved_at IS NOT NULL
     WHERE staff.id = p_staff_id AND staff.connection_id = p_connection_id AND staff.is_active
       AND EXISTS (SELECT FROM xero_sync.owned_earnings_line AS owned
                     JOIN qicworks.pay_period AS set_for ON set_for.id = owned.pay_period_id
                    WHERE owned.connection_id = p_connection_id AND owned.employee_xero_id = staff.xero_id AND NOT owned.empty
                      AND set_for.organisation_id = period.organisation_id AND set_for.start_date < period.start_date)
       AND NOT EXISTS (SELECT FROM qicworks.payroll_push AS push
                         JOIN qicworks.pay_period AS its ON its.id = push.pay_period_id
                        WHERE push.staff_id = staff.id AND its.start_date >= period.start_date)
        ON CONFLICT (pay_period_id, staff_id) DO NOTHING
$$;
REVOKE ALL ON FUNCTION xero_sync.take_back_pay(uuid, uuid, uuid) FROM PUBLIC;
