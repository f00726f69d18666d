-- The status of each connection and data set, and what needs attention.

-- name: data_sets
-- Those that ran, or are running for the first time.
SELECT connection_id, direction, data_set, standing.last_event_id, standing.last_status, standing.last_outcome,
       standing.last_started_at, standing.last_ended_at, standing.last_message, standing.last_correction, standing.last_success_at,
       running.id AS running_event_id, running.started_at AS running_since
  FROM (SELECT * FROM xero_sync.standing WHERE connection_id = ANY(:ids)) AS standing
  FULL JOIN (SELECT DISTINCT ON (connection_id, direction, data_set) connection_id, direction, data_set, id, started_at
               FROM xero_sync.connection_event
              WHERE status = 'running' AND connection_id = ANY(:ids)
              ORDER BY connection_id, direction, data_set, started_at DESC) AS running USING (connection_id, direction, data_set)
 WHERE :directions::text[] IS NULL OR (direction, data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[]))
 ORDER BY connection_id, direction, data_set;

-- name: budgets
-- Xero's last report of the day's calls. Several apps may call an organisation, each with its own limit; the latest report counts.
SELECT DISTINCT ON (tenant_id) tenant_id, day_remaining, day_limit, day_seen_at
  FROM xero_sync.call_budget
 WHERE tenant_id = ANY(:tenants) AND day_seen_at > now() - interval '24 hours'
 ORDER BY tenant_id, day_seen_at DESC;

-- name: failing
-- Data sets of connections that are on, whose last run ended in error.
SELECT connection_id, organisation.name AS organisation, standing.direction, standing.data_set, standing.last_event_id,
       standing.last_ended_at, standing.last_message, standing.last_correction, standing.last_success_at
  FROM xero_sync.standing
  JOIN xero_sync.connection ON connection.id = standing.connection_id
  JOIN xero_sync.token ON token.id = connection.token_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE standing.last_status = 'error' AND xero_sync.is_on(connection.id) AND connection.state = 'connected' AND token.state = 'ok'
   AND (:directions::text[] IS NULL
        OR (standing.direction, standing.data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
 ORDER BY organisation.name, standing.direction, standing.data_set;

-- name: overdue
-- Nightly data sets of connections that are on with no successful load for over 26 hours, although no run failed. Times in the
-- future count as never. What was never loaded counts from the last run that did not fail: Xero may not offer it to everyone.
SELECT connection.id AS connection_id, organisation.name AS organisation, nightly.data_set, loaded.completed_at,
       standing.last_event_id, standing.last_ended_at, standing.last_message
  FROM xero_sync.connection
  JOIN xero_sync.token ON token.id = connection.token_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 CROSS JOIN unnest(:nightly::text[]) AS nightly (data_set)
  LEFT JOIN (SELECT connection_id, split_part(data_set, '/', 1) AS data_set, max(completed_at) AS completed_at
               FROM xero_sync.cursor WHERE completed_at <= now() GROUP BY 1, 2) AS loaded
    ON loaded.connection_id = connection.id AND loaded.data_set = nightly.data_set
  LEFT JOIN xero_sync.standing
    ON standing.connection_id = connection.id AND standing.direction = 'pull' AND standing.data_set = nightly.data_set
 WHERE xero_sync.is_on(connection.id) AND connection.state = 'connected' AND token.state = 'ok'
   AND standing.last_status IS DISTINCT FROM 'error'
   AND greatest(coalesce(loaded.completed_at, CASE WHEN standing.last_ended_at <= now() THEN standing.last_ended_at END),
                CASE WHEN connection.connected_at <= now() THEN connection.connected_at END, '-infinity') < now() - interval '26 hours'
 ORDER BY organisation.name, nightly.data_set;

-- name: rejections
SELECT rejection.connection_id, organisation.name AS organisation, rejection.data_set, count(*) AS count,
       count(*) FILTER (WHERE rejection.held_back) AS held_back, min(rejection.rejected_at) AS since
  FROM xero_sync.rejection
  JOIN xero_sync.connection ON connection.id = rejection.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE rejection.closed_at IS NULL AND connection.state <> 'deleted' AND rejection.data_set = ANY(:pulled)
 GROUP BY rejection.connection_id, organisation.name, rejection.data_set
 ORDER BY organisation.name, rejection.data_set;

-- name: stuck
-- Requests that are open for over an hour: whether Xero has their documents is not confirmed.
SELECT request.connection_id, organisation.name AS organisation, request.kind, count(*) AS requests,
       sum(cardinality(request.documents)) AS documents, min(request.created_at) AS since
  FROM xero_sync.push_request AS request
  JOIN xero_sync.connection ON connection.id = request.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE request.closed_at IS NULL AND request.created_at < now() - interval '1 hour' AND request.kind = ANY(:pushed)
 GROUP BY request.connection_id, organisation.name, request.kind
 ORDER BY organisation.name, request.kind;

-- name: late_cancellations
-- Cancellations that have waited for over an hour, of connections that are on; kinds and tables in the same order.
SELECT connection.id AS connection_id, organisation.name AS organisation, pushed.kind, count(*) AS documents,
       min(waiting.cancelled_at) AS since
  FROM xero_sync.waiting_cancellation AS waiting
  JOIN unnest(:kinds::text[], :tables::text[]) AS pushed (kind, document_table) USING (document_table)
  JOIN xero_sync.connection ON connection.organisation_id = waiting.organisation_id AND connection.state <> 'deleted'
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE waiting.cancelled_at < now() - interval '1 hour' AND xero_sync.is_on(connection.id)
 GROUP BY connection.id, organisation.name, pushed.kind
 ORDER BY organisation.name, pushed.kind;

-- name: failed_documents
-- Documents of a kind that failed, and those of whose attachments some did, by organisation.
SELECT connection.id AS connection_id, organisation.id AS organisation_id, organisation.name AS organisation,
       count(*) FILTER (WHERE NOT attached) AS documents, count(*) FILTER (WHERE attached) AS attachments
  FROM (SELECT organisation_id, false AS attached FROM qicworks.{table} WHERE push_state = 'failed'
        UNION ALL
        SELECT organisation_id, true FROM qicworks.attachment WHERE push_state = 'failed' AND parent_type = :table) AS failed
  JOIN qicworks.organisation ON organisation.id = failed.organisation_id
  LEFT JOIN xero_sync.connection ON connection.organisation_id = organisation.id AND connection.state <> 'deleted'
 GROUP BY connection.id, organisation.id
 ORDER BY organisation.name;
