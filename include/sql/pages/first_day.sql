-- What is left on an organisation's first day.

-- name: loaded
-- The data sets that were ever loaded.
SELECT DISTINCT split_part(data_set, '/', 1) AS data_set FROM xero_sync.cursor
 WHERE connection_id = :connection_id AND completed_at IS NOT NULL;

-- name: unlinked^
-- QicWorks' people and contacts without a record in Xero, and open differences of a reason.
SELECT (SELECT count(*) FROM qicworks.staff
         WHERE organisation_id = :organisation_id AND xero_id IS NULL AND is_active) AS people,
       (SELECT count(*) FROM qicworks.contact
         WHERE organisation_id = :organisation_id AND xero_id IS NULL
           AND push_state IN ('draft', 'ready', 'in_flight', 'failed')) AS contacts,
       (SELECT count(*) FROM xero_sync.difference
         WHERE connection_id = :connection_id AND reason = :reason AND document_kind = ANY(:kinds) AND settled_at IS NULL) AS differences;

-- name: ready_since$
-- A template: documents that became ready, or were changed, after the dry run; all that are ready if there was none.
SELECT count(*) FROM (SELECT FROM qicworks.{table}
                       WHERE organisation_id = :organisation_id AND push_state = 'ready'
                         AND (:since::timestamptz IS NULL OR updated_at > :since)
                       LIMIT :cap) AS counted;

-- name: changed_since$
-- Whether settings, set-up data, links or QicWorks' own contacts changed after that time.
SELECT EXISTS (SELECT FROM xero_sync.setting WHERE connection_id = :connection_id AND changed_at > :since)
    OR EXISTS (SELECT FROM xero_sync.link_decision WHERE connection_id = :connection_id AND decided_at > :since)
    OR EXISTS (SELECT FROM xero_sync.connection_event
                WHERE connection_id = :connection_id AND direction = 'pull' AND data_set = ANY(:set_up) AND ended_at > :since
                  AND (status = 'error' OR inserted > 0 OR updated > 0 OR deactivated > 0))
    OR EXISTS (SELECT FROM qicworks.contact
                WHERE organisation_id = :organisation_id AND push_state IS NOT NULL AND updated_at > :since);

-- name: now$
SELECT clock_timestamp();

-- name: contacts_of
-- A template: whom these documents are addressed to.
SELECT id, contact_id FROM qicworks.{table} WHERE id = ANY(:ids) AND contact_id IS NOT NULL;

-- name: oldest_ready
-- A template.
SELECT id FROM qicworks.{table}
 WHERE organisation_id = :organisation_id AND push_state = 'ready'
 ORDER BY created_at, id
 LIMIT :limit;
