-- Lines of pay templates that QicWorks has set. All lines of an employee are under one seal.

-- name: lines
-- Of one employee; null: of all.
SELECT owned.employee_xero_id, owned.earnings_rate_xero_id, owned.pay_period_id, owned.empty, owned.rates, owned.before,
       owned.disclaimed, owned.written, owned.seal, period.start_date AS period_start,
       period.payroll_calendar_xero_id AS period_calendar, coalesce(code.name, 'an earnings rate') AS name,
       coalesce(code.rate_type = 'FIXEDAMOUNT', false) AS fixed
  FROM xero_sync.owned_earnings_line AS owned
  JOIN qicworks.pay_period AS period ON period.id = owned.pay_period_id
  LEFT JOIN qicworks.pay_code AS code ON code.connection_id = owned.connection_id AND code.xero_id = owned.earnings_rate_xero_id
 WHERE owned.connection_id = :connection_id AND (:employee::uuid IS NULL OR owned.employee_xero_id = :employee)
 ORDER BY owned.employee_xero_id, owned.earnings_rate_xero_id;

-- name: locked_lines
-- Locked until the transaction ends.
SELECT earnings_rate_xero_id, pay_period_id, empty, rates, before, disclaimed, written, seal
  FROM xero_sync.owned_earnings_line
 WHERE connection_id = :connection_id AND employee_xero_id = :employee
 ORDER BY earnings_rate_xero_id
   FOR UPDATE;

-- name: write_line^
INSERT INTO xero_sync.owned_earnings_line
       (connection_id, employee_xero_id, earnings_rate_xero_id, pay_period_id, empty, rates, before, disclaimed)
VALUES (:connection_id, :employee, :earnings_rate, :pay_period_id, :empty, :rates, :before, :disclaimed)
    ON CONFLICT (connection_id, employee_xero_id, earnings_rate_xero_id)
    DO UPDATE SET pay_period_id = excluded.pay_period_id, empty = excluded.empty, rates = excluded.rates, before = excluded.before,
                  disclaimed = excluded.disclaimed, set_at = now()
RETURNING earnings_rate_xero_id, pay_period_id, empty, rates, before, disclaimed, written;

-- name: seal_lines!
UPDATE xero_sync.owned_earnings_line SET seal = :seal WHERE connection_id = :connection_id AND employee_xero_id = :employee;
