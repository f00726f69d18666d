-- depends: 0009.pages
-- What may be pruned once it is old. What must never go, however old it is, is not in these views.

-- Events are deleted only where nothing refers to them: a look by each of these references must not read a whole table.
CREATE INDEX push_request_event ON xero_sync.push_request (event_id);
CREATE INDEX rejection_event ON xero_sync.rejection (event_id);
CREATE INDEX rejection_closed_by ON xero_sync.rejection (closed_by) WHERE closed_by IS NOT NULL;
CREATE INDEX push_request_closed ON xero_sync.push_request (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX rejection_closed ON xero_sync.rejection (closed_at) WHERE closed_at IS NOT NULL;

-- Ended; not the one that says how its pair stands; neither a rejection nor a request that is still there tells of it.
CREATE VIEW xero_sync.event_past AS
SELECT event.id, event.started_at
  FROM xero_sync.connection_event AS event
 WHERE event.status <> 'running'
   AND NOT EXISTS (SELECT FROM xero_sync.standing WHERE standing.last_event_id = event.id
                      AND standing.connection_id = event.connection_id AND standing.direction = event.direction
                      AND standing.data_set = event.data_set)
   AND NOT EXISTS (SELECT FROM xero_sync.rejection WHERE rejection.event_id = event.id)
   AND NOT EXISTS (SELECT FROM xero_sync.rejection WHERE rejection.closed_by = event.id)
   AND NOT EXISTS (SELECT FROM xero_sync.push_request WHERE push_request.event_id = event.id);

-- Settled: what its documents could be known by in Xero was for the recovery only.
CREATE VIEW xero_sync.request_told AS
SELECT id, closed_at FROM xero_sync.push_request
 WHERE closed_at IS NOT NULL AND (body IS NOT NULL OR identities <> '[]' OR query <> '{}');

-- Settled, and with a good answer: one over which Xero came to grief says for good which documents are sent alone.
CREATE VIEW xero_sync.request_past AS
SELECT id, closed_at FROM xero_sync.push_request
 WHERE closed_at IS NOT NULL AND NOT server_failed AND outcome IS DISTINCT FROM 'looked up';

CREATE VIEW xero_sync.rejection_past AS
SELECT id, closed_at FROM xero_sync.rejection WHERE closed_at IS NOT NULL;

-- Of an organisation; the row of the app itself is always in use. A pause that Xero asked for and is not over stays.
CREATE VIEW xero_sync.call_budget_past AS
SELECT app, tenant_id, greatest(day_seen_at, (SELECT max(at) FROM unnest(calls) AS at WHERE isfinite(at))) AS last_at
  FROM xero_sync.call_budget
 WHERE tenant_id <> '' AND coalesce(not_before, '-infinity') < now();
