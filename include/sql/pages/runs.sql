-- The events of a DAG run.

-- name: events_of
-- Of organisations, not of single documents, oldest first. Found by their time: events have no index by run.
SELECT event.id, event.started_at, event.ended_at, event.connection_id, organisation.name AS organisation, event.status,
       event.read, event.inserted, event.updated, event.unchanged, event.deactivated, event.rejected, event.pushed, event.failed,
       event.calls, event.bytes_received, event.message, event.correction, event.task_id, event.map_index, event.try_number
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE event.direction = :direction AND event.data_set = :data_set AND event.started_at BETWEEN :since AND :until
   AND event.dag_id = :dag_id AND event.run_id = :run_id AND event.document IS NULL
 ORDER BY event.started_at, event.id
 LIMIT :limit;

-- name: ends
-- The last event of each organisation, data set and document in this run. Found by their time: events have no index by run.
SELECT DISTINCT ON (event.connection_id, event.direction, event.data_set, event.document)
       event.direction, event.data_set, organisation.name AS organisation, event.status, event.message, event.correction, event.document,
       event.connection_id, event.outcome
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE event.started_at >= :since AND event.dag_id = :dag_id AND event.run_id = :run_id
 ORDER BY event.connection_id, event.direction, event.data_set, event.document, event.id DESC;
