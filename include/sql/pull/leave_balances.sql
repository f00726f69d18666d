-- Leave balances: whose to read, and which of them are today's.

-- name: to_read
-- Every active employee, but those read in the last 15 minutes of the same day. Who was read at a time to come was read before
-- the clock was put back.
SELECT listed.key
  FROM xero_sync.stage_seen AS listed
  LEFT JOIN qicworks.staff AS held ON held.connection_id = :connection_id AND held.xero_id::text = lower(listed.key)
 WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL AND listed.is_active
   AND (:everything OR held.balances_read_at IS NULL OR held.balances_read_at < clock_timestamp() - interval '15 minutes'
        OR held.balances_read_at > clock_timestamp()
        OR (held.balances_read_at AT TIME ZONE :zone)::date <> (clock_timestamp() AT TIME ZONE :zone)::date);

-- name: before_merge_leave_balance!
-- What somebody else read later, and loaded already, stays.
DELETE FROM xero_sync.stage_leave_balance AS staged
 USING xero_sync.stage_seen AS seen, qicworks.staff AS held
 WHERE staged.staging_id = :staging_id AND seen.staging_id = :staging_id AND seen.read_at IS NOT NULL
   AND lower(seen.key) = staged.employee_xero_id::text
   AND held.connection_id = :connection_id AND held.xero_id = staged.employee_xero_id
   AND held.balances_read_at > seen.read_at AND held.balances_read_at <= clock_timestamp();

-- name: after_merge_leave_balance!
UPDATE qicworks.staff AS held
   SET balances_read_at = seen.read_at
  FROM xero_sync.stage_seen AS seen
 WHERE seen.staging_id = :staging_id AND seen.read_at IS NOT NULL AND seen.is_active
   AND held.connection_id = :connection_id AND held.xero_id::text = lower(seen.key)
   AND (held.balances_read_at IS NULL OR held.balances_read_at < seen.read_at OR held.balances_read_at > clock_timestamp());

-- name: after_merge_leave_balance__2_read!
-- What was read just now is what there is, whatever day it was kept under: the day may be another where the zone changed.
UPDATE qicworks.leave_balance AS balance
   SET is_active = staged.is_active, missing_since = NULL, synced_at = now()
  FROM xero_sync.stage_leave_balance AS staged
 WHERE staged.staging_id = :staging_id AND staged.problems IS NULL AND NOT staged.retried
   AND balance.connection_id = :connection_id AND balance.xero_id = staged.xero_id
   AND (balance.is_active <> staged.is_active OR balance.missing_since IS NOT NULL);

-- name: after_merge_leave_balance__3_history!
-- Of an employee read just now all else is history; but where the new balance of a leave type was rejected, or nobody can
-- say of which type it is, the last good one stays.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, synced_at = now()
  FROM xero_sync.stage_seen AS seen
  LEFT JOIN qicworks.staff ON staff.connection_id = :connection_id AND staff.xero_id::text = lower(seen.key)
 WHERE balance.connection_id = :connection_id AND balance.is_active
   AND seen.staging_id = :staging_id AND seen.read_at IS NOT NULL AND seen.is_active
   AND lower(seen.key) = balance.employee_xero_id::text
   AND (staff.balances_read_at IS NULL OR staff.balances_read_at = seen.read_at)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_leave_balance AS staged
                    WHERE staged.staging_id = :staging_id AND staged.employee_xero_id = balance.employee_xero_id
                      AND (staged.xero_id = balance.xero_id AND staged.problems IS NULL
                           OR staged.problems IS NOT NULL
                              AND (staged.leave_type_xero_id IS NULL OR staged.leave_type_xero_id = balance.leave_type_xero_id)));

-- name: after_merge_leave_balance__4_left!
-- Who has left has none.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, synced_at = now()
  FROM qicworks.staff
 WHERE balance.connection_id = :connection_id AND balance.is_active
   AND staff.connection_id = :connection_id AND staff.xero_id = balance.employee_xero_id AND NOT staff.is_active;

-- name: after_merge_leave_balance__5_gone!
-- Nor who is in the whole list no longer, and not to be had by id: also if it was never more than a rejected employee.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, missing_since = now(), synced_at = now()
  FROM xero_sync.stage_seen AS asked
 WHERE balance.connection_id = :connection_id AND balance.is_active AND :whole
   AND asked.staging_id = :staging_id AND asked.read_at IS NOT NULL AND NOT asked.is_active
   AND lower(asked.key) = balance.employee_xero_id::text
   AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                    WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL AND lower(listed.key) = lower(asked.key));

-- name: after_merge_leave_balance__6_staff!
UPDATE qicworks.leave_balance AS balance
   SET staff_id = staff.id, synced_at = now()
  FROM qicworks.staff
 WHERE balance.connection_id = :connection_id AND staff.connection_id = :connection_id
   AND staff.xero_id = balance.employee_xero_id AND balance.staff_id IS DISTINCT FROM staff.id;
