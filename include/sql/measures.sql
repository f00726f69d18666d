-- What is watched from outside: one number for each data set, that of the worst organisation.

-- name: out_of_step
-- Minutes since the data set was last loaded, of connections that are on; of one never loaded, since it was connected.
SELECT pulled.data_set, coalesce(max(extract(epoch FROM now() - coalesce(loaded.completed_at, connection.connected_at)) / 60), 0)::float8 AS minutes
  FROM unnest(:pulled::text[]) AS pulled (data_set)
  LEFT JOIN (xero_sync.connection JOIN xero_sync.token ON token.id = connection.token_id AND token.state = 'ok')
    ON xero_sync.is_on(connection.id) AND connection.state = 'connected'
  LEFT JOIN (SELECT connection_id, split_part(data_set, '/', 1) AS data_set, max(completed_at) AS completed_at
               FROM xero_sync.cursor GROUP BY 1, 2) AS loaded
    ON loaded.connection_id = connection.id AND loaded.data_set = pulled.data_set
 GROUP BY pulled.data_set;

-- name: rejections
SELECT pulled.data_set, count(rejection.id) AS number
  FROM unnest(:pulled::text[]) AS pulled (data_set)
  LEFT JOIN (xero_sync.rejection JOIN xero_sync.connection
               ON connection.id = rejection.connection_id AND connection.state <> 'deleted')
    ON rejection.data_set = pulled.data_set AND rejection.closed_at IS NULL
 GROUP BY pulled.data_set;

-- name: calls_left_today$
-- The fewest of any organisation, of those that Xero reported within a day. Null: it reported none.
SELECT min(day_remaining) FROM xero_sync.call_budget WHERE tenant_id <> '' AND day_seen_at > now() - interval '24 hours';

-- name: connections_down$
-- Switched on, and skipped until someone reconnects.
SELECT count(*) FROM xero_sync.connection JOIN xero_sync.token ON token.id = connection.token_id
 WHERE xero_sync.is_on(connection.id) AND (connection.state = 'needs_reconnect' OR connection.state = 'connected' AND token.state = 'broken');

-- name: requests_open$
-- Open for over 15 minutes: whether Xero has their documents is not confirmed.
SELECT count(*) FROM xero_sync.push_request WHERE closed_at IS NULL AND created_at < now() - interval '15 minutes';

-- name: cancellations_waiting
-- Of documents that were pushed, and cancelled or deleted in QicWorks since; of connections that are on.
SELECT waiting.document_table, count(*) AS number
  FROM xero_sync.waiting_cancellation AS waiting
  JOIN xero_sync.connection ON connection.organisation_id = waiting.organisation_id
   AND connection.enabled AND connection.state = 'connected'
 GROUP BY waiting.document_table;

-- name: documents
-- Of connections that are on; documents of the others wait on purpose.
SELECT count(*) FILTER (WHERE document.push_state IN ('ready', 'in_flight')) AS waiting,
       count(*) FILTER (WHERE document.push_state = 'failed') AS failed,
       coalesce(max(extract(epoch FROM now() - document.updated_at) / 60)
                FILTER (WHERE document.push_state IN ('ready', 'in_flight') AND isfinite(document.updated_at)), 0)::float8 AS oldest
  FROM qicworks.{table} AS document
  JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
   AND connection.enabled AND connection.state = 'connected'
 WHERE document.push_state IN ('ready', 'in_flight', 'failed');
