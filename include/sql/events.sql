-- Connection events: one row for each run, opened before the first call, closed with the work it reports.

-- name: begin^
-- The function is in schema/0024.
SELECT got, still_on, event_id, interrupted
  FROM xero_sync.begin_interaction(:key, :connection_id, :direction, :data_set, :dag_id, :run_id, :task_id, :map_index::integer,
                                   :try_number::integer, :log_url);

-- name: open_event$
INSERT INTO xero_sync.connection_event
       (connection_id, direction, data_set, status, dag_id, run_id, task_id, map_index, try_number, log_url)
VALUES (:connection_id, :direction, :data_set, 'running', :dag_id, :run_id, :task_id, :map_index, :try_number, :log_url)
RETURNING id;

-- name: started_at$
SELECT started_at FROM xero_sync.connection_event WHERE id = :id;

-- name: close_event!
UPDATE xero_sync.connection_event
   SET ended_at = clock_timestamp(), status = :status, outcome = :outcome, message = :message,
       correction = :correction, correlation_id = :correlation_id,
       read = :read, inserted = :inserted, updated = :updated, unchanged = :unchanged, deactivated = :deactivated,
       rejected = :rejected, pushed = :pushed, failed = :failed, calls = :calls, bytes_received = :bytes_received,
       bytes_unpacked = :bytes_unpacked
 WHERE id = :id;

-- name: succeeded!
-- For a run that ended with warnings and did its work. The trigger does this for runs without warnings.
UPDATE xero_sync.standing
   SET last_success_at = standing.last_ended_at
  FROM xero_sync.connection_event AS event
 WHERE event.id = :id AND standing.last_event_id = event.id AND standing.connection_id = event.connection_id
   AND standing.direction = event.direction AND standing.data_set = event.data_set;

-- name: count!
-- Progress so far.
UPDATE xero_sync.connection_event
   SET read = :read, inserted = :inserted, updated = :updated, unchanged = :unchanged, deactivated = :deactivated,
       rejected = :rejected, pushed = :pushed, failed = :failed, calls = :calls, bytes_received = :bytes_received,
       bytes_unpacked = :bytes_unpacked
 WHERE id = :id;

-- name: record$
-- An event without duration.
INSERT INTO xero_sync.connection_event
       (connection_id, direction, data_set, status, outcome, ended_at, message, correction, correlation_id, document, document_kind, document_id,
        dag_id, run_id, task_id, map_index, try_number, log_url)
VALUES (:connection_id, :direction, :data_set, :status, :outcome, clock_timestamp(), :message, :correction, :correlation_id,
        :document, :document_kind, :document_id::uuid,
        :dag_id, :run_id, :task_id, :map_index, :try_number, :log_url)
RETURNING id;

-- name: is_reported$
-- Whether an event of no connection and no document has had this outcome within so many hours.
SELECT EXISTS (SELECT FROM xero_sync.connection_event
                WHERE data_set = :data_set AND direction = :direction AND connection_id IS NULL AND document IS NULL
                  AND outcome = :outcome
                  AND started_at BETWEEN clock_timestamp() - make_interval(hours => :hours) AND clock_timestamp());

-- name: running^
-- The run that works on this connection and data set now.
SELECT id, dag_id, run_id, task_id, started_at
  FROM xero_sync.connection_event
 WHERE connection_id = :connection_id AND direction = :direction AND data_set = :data_set AND status = 'running'
 ORDER BY started_at DESC
 LIMIT 1;

-- name: left_open
-- Connections with an open event of this data set: a run is working, or was killed.
SELECT DISTINCT connection_id FROM xero_sync.connection_event
 WHERE direction = :direction AND data_set = :data_set AND status = 'running';

-- name: done_in_run
-- What a DAG run has done for these connections, one row each, without the events of single documents. A warning that
-- nothing was done (busy, postponed, switched off) is not among them.
SELECT DISTINCT ON (connection_id)
       connection_id, status, read, inserted, updated, unchanged, deactivated, rejected, pushed, failed, calls, bytes_received,
       bytes_unpacked
  FROM xero_sync.connection_event
 WHERE connection_id = ANY(:connection_ids::uuid[]) AND data_set = :data_set AND direction = :direction
   AND started_at > clock_timestamp() - interval '7 days'
   AND dag_id = :dag_id AND run_id = :run_id AND try_number >= :since_try
   AND document IS NULL AND (outcome IN ('done', 'done_with_remarks', 'partly_done', 'not_available', 'differs')
                             OR outcome IS NULL AND status = 'success')
 ORDER BY connection_id, id DESC;

-- name: latest
SELECT event.id, event.started_at, event.ended_at, organisation.name AS organisation, event.direction, event.data_set, event.status,
       event.read, event.inserted, event.updated, event.unchanged, event.deactivated, event.rejected, event.pushed, event.failed, event.document, event.calls,
       event.bytes_received, event.bytes_unpacked, event.correlation_id, event.message, event.correction, event.dag_id, event.run_id, event.task_id, event.map_index
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 ORDER BY event.id DESC
 LIMIT :count;
