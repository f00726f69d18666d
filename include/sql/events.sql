-- Connection events: one row an interaction, opened before the first call, closed with the work it reports.

-- name: begin^
-- Told in schema/0012.
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
   SET ended_at = clock_timestamp(), status = :status, message = :message, correction = :correction,
       correlation_id = :correlation_id,
       read = :read, inserted = :inserted, updated = :updated, unchanged = :unchanged, deactivated = :deactivated,
       rejected = :rejected, pushed = :pushed, failed = :failed, calls = :calls, bytes_received = :bytes_received,
       bytes_unpacked = :bytes_unpacked
 WHERE id = :id;

-- name: succeeded!
-- Of a run that did its work, with warnings: of one without any the trigger notes it.
UPDATE xero_sync.standing
   SET last_success_at = standing.last_ended_at
  FROM xero_sync.connection_event AS event
 WHERE event.id = :id AND standing.last_event_id = event.id AND standing.connection_id = event.connection_id
   AND standing.direction = event.direction AND standing.data_set = event.data_set;

-- name: count!
-- How far it has come.
UPDATE xero_sync.connection_event
   SET read = :read, inserted = :inserted, updated = :updated, unchanged = :unchanged, deactivated = :deactivated,
       rejected = :rejected, pushed = :pushed, failed = :failed, calls = :calls, bytes_received = :bytes_received,
       bytes_unpacked = :bytes_unpacked
 WHERE id = :id;

-- name: record$
-- What began and ended at once.
INSERT INTO xero_sync.connection_event
       (connection_id, direction, data_set, status, ended_at, message, correction, correlation_id, document,
        dag_id, run_id, task_id, map_index, try_number, log_url)
VALUES (:connection_id, :direction, :data_set, :status, clock_timestamp(), :message, :correction, :correlation_id, :document,
        :dag_id, :run_id, :task_id, :map_index, :try_number, :log_url)
RETURNING id;

-- name: said_lately$
-- Whether an event of no connection says the same since an hour ago.
SELECT EXISTS (SELECT FROM xero_sync.connection_event
                WHERE data_set = :data_set AND direction = :direction AND connection_id IS NULL AND status = :status
                  AND message = :message AND started_at BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp());

-- name: running^
-- Who is at work on this pair just now.
SELECT id, dag_id, run_id, task_id, started_at
  FROM xero_sync.connection_event
 WHERE connection_id = :connection_id AND direction = :direction AND data_set = :data_set AND status = 'running'
 ORDER BY started_at DESC
 LIMIT 1;

-- name: told_today$
-- Of no organisation: what a run has said of all.
SELECT EXISTS (SELECT FROM xero_sync.connection_event
                WHERE direction = :direction AND data_set = :data_set AND connection_id IS NULL AND document IS NULL
                  AND status = 'warning' AND started_at BETWEEN clock_timestamp() - interval '20 hours' AND clock_timestamp());

-- name: left_open
-- Whose event of this data set is open: somebody is at work, or was killed.
SELECT DISTINCT connection_id FROM xero_sync.connection_event
 WHERE direction = :direction AND data_set = :data_set AND status = 'running';

-- name: done_in_run
-- What a DAG run has done of these connections, each once; its events of single documents say nothing of the whole.
SELECT DISTINCT ON (connection_id)
       connection_id, status, read, inserted, updated, unchanged, deactivated, rejected, pushed, failed, calls, bytes_received,
       bytes_unpacked
  FROM xero_sync.connection_event
 WHERE connection_id = ANY(:connection_ids::uuid[]) AND data_set = :data_set AND direction = :direction
   AND started_at > clock_timestamp() - interval '7 days'
   AND dag_id = :dag_id AND run_id = :run_id AND try_number >= :since_try
   AND status IN ('success', 'warning') AND document IS NULL
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
