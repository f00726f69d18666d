-- Counts old rows, and deletes them a batch at a time. The views of the schema have the rows that may be deleted at all.
-- `before`: rows older than that. `batch`: the number of rows.

-- name: cutoff$
SELECT clock_timestamp() - :age::interval;

-- name: count_events$
SELECT count(*) FROM xero_sync.event_past WHERE started_at < :before;

-- name: prune_events!
DELETE FROM xero_sync.connection_event
 WHERE id IN (SELECT id FROM xero_sync.event_past WHERE started_at < :before ORDER BY started_at LIMIT :batch);

-- name: count_request_bodies$
SELECT count(*) FROM xero_sync.request_told WHERE closed_at < :before;

-- name: prune_request_bodies!
UPDATE xero_sync.push_request SET body = NULL, identities = '[]', query = '{}'
 WHERE id IN (SELECT id FROM xero_sync.request_told WHERE closed_at < :before ORDER BY closed_at LIMIT :batch);

-- name: count_requests$
SELECT count(*) FROM xero_sync.request_past WHERE closed_at < :before;

-- name: prune_requests!
DELETE FROM xero_sync.push_request
 WHERE id IN (SELECT id FROM xero_sync.request_past WHERE closed_at < :before ORDER BY closed_at LIMIT :batch);

-- name: count_rejections$
SELECT count(*) FROM xero_sync.rejection_past WHERE closed_at < :before;

-- name: prune_rejections!
DELETE FROM xero_sync.rejection
 WHERE id IN (SELECT id FROM xero_sync.rejection_past WHERE closed_at < :before ORDER BY closed_at LIMIT :batch);

-- name: count_traffic$
SELECT count(*) FROM xero_sync.traffic WHERE day < (:before AT TIME ZONE 'UTC')::date;

-- name: prune_traffic!
DELETE FROM xero_sync.traffic
 WHERE (day, connection_id, direction, data_set) IN
       (SELECT day, connection_id, direction, data_set FROM xero_sync.traffic
         WHERE day < (:before AT TIME ZONE 'UTC')::date ORDER BY day LIMIT :batch);

-- name: count_consents$
SELECT count(*) FROM xero_sync.oauth_state WHERE expires_at < :before;

-- name: prune_consents!
DELETE FROM xero_sync.oauth_state
 WHERE state_hash IN (SELECT state_hash FROM xero_sync.oauth_state WHERE expires_at < :before LIMIT :batch);

-- name: count_call_budgets$
SELECT count(*) FROM xero_sync.call_budget_past WHERE coalesce(last_at, '-infinity') < :before;

-- name: prune_call_budgets!
-- Skips rows that are locked, because a call uses them.
DELETE FROM xero_sync.call_budget
 WHERE (app, tenant_id) IN
       (SELECT app, tenant_id FROM xero_sync.call_budget
         WHERE (app, tenant_id) IN (SELECT app, tenant_id FROM xero_sync.call_budget_past
                                     WHERE coalesce(last_at, '-infinity') < :before LIMIT :batch)
           FOR UPDATE SKIP LOCKED);

-- name: stagings
-- Begun so long ago that no run resumes them, whether finished or not.
SELECT id, connection_id, data_set FROM xero_sync.staging WHERE started_at < :before ORDER BY started_at;
