-- Leave balances: whose to read, and which of them are today's.

-- name: to_read
-- Every active employee, but those read in the last 15 minutes of the same day.
SELECT listed.key
  FROM xero_sync.stage_seen AS listed
  LEFT JOIN qicworks.staff AS held ON held.connection_id = :connection_id AND held.xero_id::text = lower(listed.key)
 WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL AND listed.is_active
   AND (:everything OR held.balances_read_at IS NULL OR held.balances_read_at < clock_timestamp() - interval '15 minutes'
        OR (held.balances_read_at AT TIME ZONE :zone)::date <> (clock_timestamp() AT TIME ZONE :zone)::date);

-- name: before_merge_leave_balance!
-- What somebody else read later, and loaded already, stays.
DELETE FROM xero_sync.stage_leave_balance AS staged
 USING xero_sync.stage_seen AS seen, qicworks.staff AS held
 WHERE staged.staging_id = :staging_id AND seen.staging_id = :staging_id AND seen.read_at IS NOT NULL
   AND lower(seen.key) = staged.employee_xero_id::text
   AND held.connection_id = :connection_id AND held.xero_id = staged.employee_xero_id AND held.balances_read_at > seen.read_at;

-- name: after_merge_leave_balance!
UPDATE qicworks.staff AS held
   SET balances_read_at = seen.read_at
  FROM xero_sync.stage_seen AS seen
 WHERE seen.staging_id = :staging_id AND seen.read_at IS NOT NULL AND seen.is_active
   AND held.connection_id = :connection_id AND held.xero_id::text = lower(seen.key)
   AND (held.balances_read_at IS NULL OR held.balances_read_at < seen.read_at);

-- name: after_merge_leave_balance__2_today!
-- Of the history only the last day is active.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, synced_at = now()
 WHERE balance.connection_id = :connection_id AND balance.is_active
   AND EXISTS (SELECT FROM qicworks.leave_balance AS later
                WHERE later.connection_id = :connection_id AND later.employee_xero_id = balance.employee_xero_id
                  AND later.as_at > balance.as_at);

-- name: after_merge_leave_balance__3_gone!
-- Nor is anything of who has left, or what an employee read just now has no longer.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, missing_since = now(), synced_at = now()
  FROM (SELECT DISTINCT employee_xero_id FROM qicworks.leave_balance
         WHERE connection_id = :connection_id AND is_active) AS employee
  LEFT JOIN qicworks.staff ON staff.connection_id = :connection_id AND staff.xero_id = employee.employee_xero_id
  LEFT JOIN xero_sync.stage_seen AS seen ON seen.staging_id = :staging_id AND seen.read_at IS NOT NULL
       AND lower(seen.key) = employee.employee_xero_id::text
 WHERE balance.connection_id = :connection_id AND balance.is_active AND balance.employee_xero_id = employee.employee_xero_id
   AND (NOT staff.is_active
        OR seen.read_at IS NOT NULL AND (staff.balances_read_at IS NULL OR staff.balances_read_at = seen.read_at)
           AND NOT EXISTS (SELECT FROM xero_sync.stage_leave_balance AS staged
                            WHERE staged.staging_id = :staging_id AND staged.employee_xero_id = balance.employee_xero_id
                              AND (staged.xero_id = balance.xero_id OR staged.xero_id IS NULL)));

-- name: after_merge_leave_balance__4_staff!
UPDATE qicworks.leave_balance AS balance
   SET staff_id = staff.id, synced_at = now()
  FROM qicworks.staff
 WHERE balance.connection_id = :connection_id AND staff.connection_id = :connection_id
   AND staff.xero_id = balance.employee_xero_id AND balance.staff_id IS DISTINCT FROM staff.id;
