-- Leave as Xero's payroll has it: of QicWorks' leave requests, and of employees who have requests.

-- name: first_leave$
-- Nothing is read before the first request is in Xero. Then all is: leave that overlaps a request may be years old.
SELECT '2000-01-02Z'::timestamptz
  FROM xero_sync.connection
 WHERE connection.id = :connection_id
   AND EXISTS (SELECT FROM qicworks.leave_request AS request
                WHERE request.organisation_id = connection.organisation_id AND request.xero_id IS NOT NULL);

-- name: left_out_is_needed$
-- Whether an employee has a request now who had none at the last full reading, or only requests that had been over for a
-- month: the employee's other leave was left out then.
SELECT EXISTS (
    SELECT FROM xero_sync.cursor
      JOIN qicworks.staff ON staff.connection_id = cursor.connection_id AND staff.xero_id IS NOT NULL
      JOIN qicworks.leave_request AS request ON request.staff_id = staff.id AND request.end_date >= current_date - 31
     WHERE cursor.connection_id = :connection_id AND cursor.data_set = 'leave_applications'
       AND NOT EXISTS (SELECT FROM qicworks.leave_request AS earlier
                        WHERE earlier.staff_id = staff.id AND earlier.created_at < cursor.full_at
                          AND earlier.end_date >= cursor.full_at::date - 31));

-- name: ids_to_fetch
-- After a full reading: leave that it did not meet, because it is gone or was changed while pages were read. Where Xero gave
-- only its list of approved leave (`partial`): the requests that may have been rejected since. Each reading asks for others of them.
WITH reading AS (
    SELECT coalesce((position -> '' ->> 'partial')::boolean, false) AS is_partial
      FROM xero_sync.staging WHERE id = :staging_id AND position ? ''
), unmet AS (
    SELECT request.xero_id
      FROM qicworks.leave_request AS request
      JOIN qicworks.staff ON staff.id = request.staff_id
     CROSS JOIN reading
     WHERE request.organisation_id = :organisation_id AND request.xero_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM xero_sync.erasure
                        WHERE erasure.connection_id = :connection_id AND erasure.xero_id = lower(staff.xero_id::text))
       AND (is_partial AND request.status NOT IN ('Rejected', 'Taken') OR NOT is_partial AND :full)
     UNION
    SELECT held.xero_id
      FROM qicworks.leave_application AS held CROSS JOIN reading
     WHERE held.connection_id = :connection_id AND held.missing_since IS NULL AND NOT is_partial AND :full
)
SELECT xero_id::text AS key
  FROM unmet
 WHERE NOT EXISTS (SELECT FROM xero_sync.stage_leave_application AS staged
                    WHERE staged.staging_id = :staging_id AND staged.xero_id = unmet.xero_id)
 GROUP BY xero_id
 ORDER BY md5(xero_id::text || :staging_id::text)
 LIMIT 100;

-- name: filter_leave_application!
-- Keep leave that is a request of QicWorks, and all leave of employees with a request that is not over for a month. What is
-- held stays: a full reading meets it.
DELETE FROM xero_sync.stage_leave_application AS staged
 WHERE staged.staging_id = :staging_id AND staged.xero_id IS NOT NULL AND staged.employee_xero_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM qicworks.leave_application AS held
                    WHERE held.connection_id = :connection_id AND held.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.leave_request AS request
                    WHERE request.organisation_id = :organisation_id AND request.xero_id = staged.xero_id)
   AND NOT EXISTS (SELECT FROM qicworks.leave_request AS request
                    WHERE request.organisation_id = :organisation_id AND request.id = staged.reference)
   AND NOT EXISTS (SELECT FROM qicworks.staff
                     JOIN qicworks.leave_request AS request ON request.staff_id = staff.id
                    WHERE staff.connection_id = :connection_id AND staff.xero_id = staged.employee_xero_id
                      AND request.end_date >= current_date - 31);

-- name: missing_leave_application
-- Requests that were in Xero when it was last asked, and have no row: neither found there nor missing.
SELECT request.xero_id::text AS key
  FROM qicworks.leave_request AS request
  JOIN xero_sync.connection ON connection.organisation_id = request.organisation_id
  JOIN xero_sync.cursor ON cursor.connection_id = connection.id AND cursor.data_set = 'leave_applications'
  JOIN qicworks.staff ON staff.id = request.staff_id
 WHERE connection.id = :connection_id AND request.xero_id IS NOT NULL AND request.push_state NOT IN ('draft', 'skipped')
   AND coalesce(request.pushed_at, request.created_at) < least(cursor.full_at, :pulled_at)
   AND NOT EXISTS (SELECT FROM qicworks.leave_application AS leave
                    WHERE leave.connection_id = connection.id AND leave.xero_id = request.xero_id)
   AND NOT EXISTS (SELECT FROM xero_sync.erasure
                    WHERE erasure.connection_id = connection.id AND erasure.xero_id = lower(staff.xero_id::text))
   AND NOT EXISTS (SELECT FROM xero_sync.rejection
                    WHERE rejection.connection_id = connection.id AND rejection.table_name = 'leave_application'
                      AND rejection.key = request.xero_id::text AND rejection.closed_at IS NULL);
