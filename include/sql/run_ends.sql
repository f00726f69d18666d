-- How a run of a DAG ended, for whoever is told of it.

-- name: ends
-- Of each organisation, data set and document the last event of this run. Events have no index by run: the time leads to them.
SELECT DISTINCT ON (event.connection_id, event.direction, event.data_set, event.document)
       event.direction, event.data_set, organisation.name AS organisation, event.status, event.message, event.correction, event.document
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE event.started_at >= :since AND event.dag_id = :dag_id AND event.run_id = :run_id
 ORDER BY event.connection_id, event.direction, event.data_set, event.document, event.id DESC;
