-- Leave balances: which employees to read, and which balances are current.

-- name: ids_to_fetch
-- Every active employee, except those read in the last 15 minutes of the same day. A reading in the future was made before the
-- clock was put back.
SELECT listed.key
  FROM xero_sync.stage_seen AS listed
  LEFT JOIN qicworks.staff AS held ON held.connection_id = :connection_id AND held.xero_id::text = lower(listed.key)
 WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL AND listed.is_active
   AND (:refetch_details OR held.balances_read_at IS NULL OR held.balances_read_at < clock_timestamp() - interval '15 minutes'
        OR held.balances_read_at > clock_timestamp()
        OR (held.balances_read_at AT TIME ZONE :zone)::date <> (clock_timestamp() AT TIME ZONE :zone)::date);

-- name: before_merge_leave_balance!
-- Balances that another run read later and loaded already are kept.
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
-- Balances that were just read are current on any day: the day may differ if the time zone was changed.
UPDATE qicworks.leave_balance AS balance
   SET is_active = staged.is_active, missing_since = NULL, synced_at = now()
  FROM xero_sync.stage_leave_balance AS staged
 WHERE staged.staging_id = :staging_id AND staged.problems IS NULL AND NOT staged.retried
   AND balance.connection_id = :connection_id AND balance.xero_id = staged.xero_id
   AND (balance.is_active <> staged.is_active OR balance.missing_since IS NOT NULL);

-- name: after_merge_leave_balance__3_history!
-- Other balances of an employee that was just read are history. If the new balance of a leave type was rejected, or its type
-- could not be read, the last good one stays current.
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
-- Former employees: deactivate all balances.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, synced_at = now()
  FROM qicworks.staff
 WHERE balance.connection_id = :connection_id AND balance.is_active
   AND staff.connection_id = :connection_id AND staff.xero_id = balance.employee_xero_id AND NOT staff.is_active;

-- name: after_merge_leave_balance__5_gone!
-- Employees missing from a full list and not found by id have no balance either, also if they were rejected and never loaded.
UPDATE qicworks.leave_balance AS balance
   SET is_active = false, missing_since = now(), synced_at = now()
  FROM xero_sync.stage_seen AS asked
 WHERE balance.connection_id = :connection_id AND balance.is_active AND :full
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
