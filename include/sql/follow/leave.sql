-- What became in Xero of QicWorks' leave requests, and leave in Xero that overlaps one.

-- name: changed
-- Requests of which QicWorks' or Xero's side is not as it was when the two were compared. `means`: the status that Xero's
-- gives the request; what QicWorks has cancelled keeps its own. `is_known`: Xero has it; `is_missing`: a full reading did not
-- meet it; neither: it was not read yet. `was`: QicWorks' side of an open rejection. What a push has rejected after the reading of
-- Xero began is left to the next: its record may be older. The reading is the one that `reading` loads; of another run, the last one.
WITH side AS (
    SELECT request.id, request.push_state, request.push_version, request.xero_id, request.status, request.xero_status,
           leave.employee_xero_id, leave.leave_type_xero_id, leave.reference, leave.start_date, leave.end_date, leave.content,
           leave.status AS theirs, leave.row_hash, request.approved_version, staff.xero_id AS staff_xero_id,
           code.xero_id AS code_xero_id,
           leave.id IS NOT NULL AND leave.missing_since IS NULL AS is_known,
           CASE WHEN leave.id IS NOT NULL THEN leave.missing_since IS NOT NULL
                ELSE coalesce(coalesce(request.pushed_at, request.created_at) < cursor.full_at, false)
                     AND NOT EXISTS (SELECT FROM xero_sync.rejection
                                      WHERE rejection.connection_id = :connection_id
                                        AND rejection.table_name = 'leave_application'
                                        AND rejection.key = request.xero_id::text AND rejection.closed_at IS NULL)
           END AS is_missing,
           cancellation.document_id IS NOT NULL AS is_cancelled,
           cancellation.document_id IS NOT NULL AND cancellation.done_at IS NULL AS is_being_cancelled,
           request.push_state = 'ready' AND request.updated_at < now() - interval '1 hour' AS waits_long,
           open.ours AS was,
           string_to_array(leave.status, ', ') AS statuses
      FROM qicworks.leave_request AS request
      JOIN qicworks.staff ON staff.id = request.staff_id
      LEFT JOIN qicworks.pay_code AS code ON code.id = request.leave_type_id
      LEFT JOIN qicworks.leave_application AS leave
        ON leave.connection_id = :connection_id AND leave.xero_id = request.xero_id
      LEFT JOIN xero_sync.cursor ON cursor.connection_id = :connection_id AND cursor.data_set = 'leave_applications'
      LEFT JOIN xero_sync.cancellation ON cancellation.document_id = request.id AND document_table = 'leave_request'
           AND cancellation.organisation_id = :organisation_id
      LEFT JOIN xero_sync.difference AS open
        ON open.connection_id = :connection_id AND open.document_id = request.id AND open.reason = 'rejected_in_xero'
       AND open.settled_at IS NULL
      LEFT JOIN xero_sync.staging AS reading ON reading.connection_id = :connection_id AND reading.data_set = :reading
     WHERE request.organisation_id = :organisation_id AND request.xero_id IS NOT NULL AND request.push_state <> 'in_flight'
       AND coalesce(cancellation.done_at, '-infinity') <= coalesce(reading.started_at, cursor.began_at, 'infinity')
       AND NOT EXISTS (SELECT FROM xero_sync.erasure
                        WHERE erasure.connection_id = :connection_id AND erasure.xero_id = lower(staff.xero_id::text))
), meaning AS (
    SELECT side.*,
           CASE WHEN NOT is_known OR is_cancelled OR push_state = 'draft' THEN status
                WHEN theirs = 'REJECTED' THEN 'Rejected'
                WHEN theirs = 'PROCESSED' THEN 'Taken'
                WHEN statuses && ARRAY['SCHEDULED', 'PROCESSED']
                     AND statuses <@ ARRAY['SCHEDULED', 'PROCESSED', 'REJECTED'] THEN 'Current'
                ELSE status END AS means,
           CASE WHEN NOT is_known OR is_being_cancelled THEN xero_status ELSE theirs END AS xero_means
      FROM side
), hashed AS (
    SELECT meaning.*,
           md5(jsonb_build_array(push_state, push_version, approved_version, xero_id, means, staff_xero_id, code_xero_id, is_known,
                                 is_missing, is_cancelled, is_being_cancelled, waits_long, encode(row_hash, 'hex'))::text) AS compared
      FROM meaning
)
SELECT hashed.id, push_state, push_version, xero_id, status, xero_status, employee_xero_id, leave_type_xero_id, reference,
       start_date, end_date, content, theirs, is_known, is_missing, is_cancelled, is_being_cancelled, waits_long, was, means,
       xero_means, hashed.compared
  FROM hashed
  LEFT JOIN xero_sync.followed_document AS followed ON followed.document_id = hashed.id
 WHERE (is_known OR is_missing OR push_state IN ('draft', 'skipped'))
   AND (followed.compared IS DISTINCT FROM hashed.compared OR status <> means OR xero_status IS DISTINCT FROM xero_means)
 ORDER BY hashed.id;

-- name: renamed
-- Requests whose leave has another id in Xero now, as approved leave may have: the newest that names them, of the same employee
-- and days. Not one that is rejected while theirs is in force, and that was named as a second one.
SELECT DISTINCT ON (request.id) request.id, request.push_version, leave.xero_id
  FROM qicworks.leave_request AS request
  JOIN qicworks.staff ON staff.id = request.staff_id
  JOIN qicworks.leave_application AS leave
    ON leave.connection_id = :connection_id AND leave.reference = request.id AND leave.employee_xero_id = staff.xero_id
   AND leave.start_date = request.start_date AND leave.end_date = request.end_date AND leave.missing_since IS NULL
  LEFT JOIN qicworks.leave_application AS known ON known.connection_id = :connection_id AND known.xero_id = request.xero_id
 WHERE request.organisation_id = :organisation_id AND request.xero_id IS NOT NULL AND request.xero_id <> leave.xero_id
   AND request.push_state <> 'in_flight'
   AND (known.xero_id IS NULL OR known.missing_since IS NOT NULL
        OR known.xero_updated_at < leave.xero_updated_at
           AND NOT (leave.status = 'REJECTED' AND known.status <> 'REJECTED'
                    AND EXISTS (SELECT FROM xero_sync.difference
                                 WHERE difference.document_id = request.id AND document_kind = 'leave_requests'
                                   AND reason = 'ambiguous_match'
                                   AND subject = leave.xero_id::text)))
   AND NOT EXISTS (SELECT FROM qicworks.leave_request AS other
                    WHERE other.organisation_id = :organisation_id AND other.xero_id = leave.xero_id)
 ORDER BY request.id, leave.xero_updated_at DESC NULLS LAST;

-- name: rename!
UPDATE qicworks.leave_request SET xero_id = :xero_id WHERE id = :id AND push_version = :version;

-- name: follow
-- Its status is no edit: it is not pushed again for it. What QicWorks has changed since it was read stays.
UPDATE qicworks.leave_request SET status = :means, xero_status = :xero_means, updated_at = now()
 WHERE id = :id AND status = :status AND push_state = :push_state
RETURNING id;

-- name: keep_compared!
INSERT INTO xero_sync.followed_document (document_id, connection_id, compared)
SELECT document_id, :connection_id, compared FROM unnest(:ids::uuid[], :compared::text[]) AS made (document_id, compared)
    ON CONFLICT (document_id) DO UPDATE
   SET connection_id = excluded.connection_id, compared = excluded.compared, compared_at = clock_timestamp();

-- name: agree
-- What failed is pushed after all: Xero has this version.
UPDATE qicworks.leave_request SET push_state = 'pushed', push_error = NULL, push_correction = NULL
 WHERE id = :id AND push_version = :version AND push_state = 'failed'
RETURNING id;

-- name: unlinked
-- Requests with open differences that the organisation no longer has, or whose person was erased, so their leave is read no more
-- (`is_gone`); or that are no longer linked to Xero: then only other leave may overlap.
SELECT DISTINCT difference.document_id AS id, request.id IS NULL AS is_gone,
       cancellation.document_id IS NOT NULL AS is_being_cancelled
  FROM xero_sync.difference
  LEFT JOIN qicworks.leave_request AS request
    ON request.id = difference.document_id AND request.organisation_id = :organisation_id
   AND NOT EXISTS (SELECT FROM qicworks.staff
                     JOIN xero_sync.erasure ON erasure.xero_id = lower(staff.xero_id::text)
                    WHERE staff.id = request.staff_id AND erasure.connection_id = :connection_id)
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = difference.document_id AND document_table = 'leave_request'
       AND cancellation.organisation_id = :organisation_id AND cancellation.done_at IS NULL
 WHERE difference.connection_id = :connection_id AND difference.document_kind = :document_kind AND difference.settled_at IS NULL
   AND (request.id IS NULL OR request.xero_id IS NULL AND difference.reason <> 'overlapping_leave')
 ORDER BY difference.document_id;

-- name: overlapping
-- Requests and leave of the same employee on the same days that is no request of QicWorks; and requests that had such leave. Leave of
-- a request that is being cancelled does not count, nor what a push has rejected after the reading of Xero began: as in `changed`.
WITH cancelled AS (
    SELECT cancellation.document_id, cancellation.xero_id
      FROM xero_sync.cancellation
      LEFT JOIN xero_sync.cursor ON cursor.connection_id = :connection_id AND cursor.data_set = 'leave_applications'
      LEFT JOIN xero_sync.staging AS reading ON reading.connection_id = :connection_id AND reading.data_set = :reading
     WHERE cancellation.organisation_id = :organisation_id AND document_table = 'leave_request'
       AND (cancellation.done_at IS NULL OR cancellation.done_at > coalesce(reading.started_at, cursor.began_at, 'infinity'))
), other AS (
    SELECT leave.xero_id, leave.employee_xero_id, leave.start_date, leave.end_date
      FROM qicworks.leave_application AS leave
     WHERE leave.connection_id = :connection_id AND leave.is_active
       AND NOT EXISTS (SELECT FROM qicworks.leave_request AS request
                        WHERE request.organisation_id = :organisation_id AND request.xero_id = leave.xero_id)
       AND NOT EXISTS (SELECT FROM qicworks.leave_request AS request
                        WHERE request.organisation_id = :organisation_id AND request.id = leave.reference)
       AND NOT EXISTS (SELECT FROM cancelled WHERE cancelled.document_id = leave.reference)
       AND NOT EXISTS (SELECT FROM cancelled WHERE cancelled.xero_id = leave.xero_id)
)
SELECT request.id, other.xero_id, request.start_date::text AS our_start, request.end_date::text AS our_end,
       other.start_date::text AS their_start, other.end_date::text AS their_end, request.push_state = 'skipped' AS is_skipped
  FROM qicworks.leave_request AS request
  JOIN qicworks.staff ON staff.id = request.staff_id AND staff.connection_id = :connection_id
  LEFT JOIN other ON other.employee_xero_id = staff.xero_id AND request.status <> 'Rejected' AND request.push_state <> 'skipped'
       AND other.start_date <= request.end_date AND other.end_date >= request.start_date
 WHERE request.organisation_id = :organisation_id
   AND (other.xero_id IS NOT NULL
        OR EXISTS (SELECT FROM xero_sync.difference
                    WHERE difference.connection_id = :connection_id AND difference.document_id = request.id
                      AND difference.reason = 'overlapping_leave' AND difference.settled_at IS NULL))
 ORDER BY request.id, other.xero_id;

-- name: links
SELECT xero_id::text AS xero_id, version, seal, tenant_id, vouched_at FROM xero_sync.link_said WHERE document_id = :id;
