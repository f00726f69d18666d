-- The requests that carry documents to Xero: committed before they are sent, closed with what they settle.

-- name: open_requests
-- Of a purpose, oldest first. A request that was sent at infinity, which no clock shows, was sent long ago.
SELECT id, idempotency_key, method, path, query, body, documents, versions, identities, purpose, server_failed, seal,
       CASE WHEN isfinite(first_sent_at) IS NOT FALSE THEN first_sent_at ELSE 'epoch' END AS first_sent_at,
       CASE WHEN isfinite(last_sent_at) THEN last_sent_at
            WHEN last_sent_at IS NULL AND isfinite(first_sent_at) THEN first_sent_at
            WHEN first_sent_at IS NOT NULL THEN 'epoch' END AS last_sent_at
  FROM xero_sync.push_request
 WHERE connection_id = :connection_id AND kind = :kind AND purpose = :purpose AND closed_at IS NULL
 ORDER BY created_at, id;

-- name: now$
SELECT clock_timestamp();

-- name: reset_future_times!
-- The clock was put back after these were sent, by an unknown amount. They wait another minute, and count as a day old: their
-- idempotency keys are no longer used, and records that are found in Xero may be theirs.
UPDATE xero_sync.push_request
   SET first_sent_at = clock_timestamp() - interval '1 day', last_sent_at = clock_timestamp()
 WHERE connection_id = :connection_id AND kind = :kind AND closed_at IS NULL
   AND (last_sent_at > clock_timestamp() OR first_sent_at > last_sent_at);

-- name: add_request^
INSERT INTO xero_sync.push_request
       (connection_id, kind, purpose, idempotency_key, method, path, query, body, documents, versions, identities, event_id)
VALUES (:connection_id, :kind, :purpose, :idempotency_key, :method, :path, :query, :body, :documents, :versions, :identities,
        :event_id)
RETURNING id, created_at;

-- name: seal_request!
UPDATE xero_sync.push_request SET seal = :seal WHERE id = :id;

-- name: sending!
UPDATE xero_sync.push_request
   SET first_sent_at = coalesce(first_sent_at, clock_timestamp()), last_sent_at = clock_timestamp()
 WHERE id = :id;

-- name: may_be_sent^
-- Whether it is still open, and was marked as sent less than 30 seconds ago: a later run waits a minute for such a request.
SELECT clock_timestamp() - last_sent_at < interval '30 seconds' AS just_now
  FROM xero_sync.push_request WHERE id = :id AND closed_at IS NULL;

-- name: server_failed!
UPDATE xero_sync.push_request SET server_failed = true WHERE id = :id;

-- name: close_request!
UPDATE xero_sync.push_request SET closed_at = clock_timestamp(), outcome = :outcome, body = NULL, seal = NULL WHERE id = :id;

-- name: keep_unclear!
INSERT INTO xero_sync.unclear_push (document_id, connection_id, kind)
SELECT id, :connection_id, :kind FROM unnest(:ids::uuid[]) AS id
    ON CONFLICT DO NOTHING;

-- name: forget_unclear!
DELETE FROM xero_sync.unclear_push WHERE connection_id = :connection_id AND kind = :kind AND document_id = ANY(:ids);

-- name: keep_links!
INSERT INTO xero_sync.document_link (document_id, connection_id, xero_id, version, seal)
SELECT document_id, :connection_id, xero_id, version, seal
  FROM unnest(:ids::uuid[], :xero_ids::uuid[], :versions::integer[], :seals::bytea[]) AS made (document_id, xero_id, version, seal);

-- name: settle_attachment!
UPDATE qicworks.attachment
   SET push_state = CASE WHEN push_version = :version AND push_state = 'ready' THEN :state ELSE push_state END,
       xero_id = coalesce(:xero_id, xero_id), push_error = :error, push_correction = :correction,
       pushed_at = CASE WHEN :state = 'pushed' THEN coalesce(pushed_at, clock_timestamp()) ELSE pushed_at END
 WHERE id = :id;

-- name: reset_attachments!
-- The document was created again in Xero, and has none of its attachments there.
UPDATE qicworks.attachment SET push_state = 'ready', xero_id = NULL, push_error = NULL, push_correction = NULL
 WHERE parent_type = :table AND parent_id = :id AND push_state IN ('pushed', 'failed');

-- name: retry_attachments
-- Those that failed, of the documents that are wanted; null: of all.
UPDATE qicworks.attachment SET push_state = 'ready', push_error = NULL, push_correction = NULL
 WHERE organisation_id = :organisation_id AND parent_type = :table AND push_state = 'failed'
   AND (:wanted::uuid[] IS NULL OR parent_id = ANY(:wanted))
RETURNING id;

-- name: lock
-- Those that are still ready and that no one is editing: locked until the transaction ends.
SELECT id FROM qicworks.{table} WHERE id = ANY(:ids) AND push_state = 'ready' ORDER BY id FOR UPDATE SKIP LOCKED;

-- name: still_ready
SELECT id FROM qicworks.{table} WHERE id = ANY(:ids) AND push_state = 'ready';

-- name: mark_in_flight!
-- Only the version that was read: a document that was edited since is ready in its new version.
UPDATE qicworks.{table} SET push_state = 'in_flight'
  FROM unnest(:ids::uuid[], :versions::integer[]) AS claimed (id, version)
 WHERE {table}.id = claimed.id AND push_version = claimed.version AND push_state IN ('ready', 'in_flight');

-- name: orphaned
-- Documents in state in_flight that no open request carries: their state was changed by hand.
SELECT id, push_version, {label}::text AS number FROM qicworks.{table}
 WHERE organisation_id = :organisation_id AND push_state = 'in_flight'
   AND NOT EXISTS (SELECT FROM xero_sync.push_request AS open
                    WHERE open.kind = :kind AND open.purpose = 'push' AND open.closed_at IS NULL
                      AND {table}.id = ANY(open.documents));

-- name: settle_document
-- Only the version that was sent gets the result; a document that was edited since keeps its state and gets only its id.
UPDATE qicworks.{table}
   SET push_state = CASE WHEN push_version = :version AND push_state = ANY(:held) THEN :state
                         ELSE push_state END,
       xero_id = CASE WHEN :forget THEN :xero_id ELSE coalesce(:xero_id, xero_id) END,
       xero_status = coalesce(:xero_status, xero_status),
       pushed_at = CASE WHEN :xero_id::uuid IS NOT NULL THEN coalesce(pushed_at, clock_timestamp())
                        ELSE pushed_at END,
       push_error = CASE WHEN push_version = :version THEN :error ELSE push_error END,
       push_correction = CASE WHEN push_version = :version THEN :correction ELSE push_correction END
 WHERE id = :id AND organisation_id = :organisation_id
RETURNING push_state;

-- name: settle_contact
-- The same of a contact; which record it is in Xero says xero_sync.link_contact.
UPDATE qicworks.{table}
   SET push_state = CASE WHEN push_version = :version AND push_state = ANY(:held) THEN :state
                         ELSE push_state END,
       xero_status = coalesce(:xero_status, xero_status),
       pushed_at = CASE WHEN :xero_id::uuid IS NOT NULL THEN coalesce(pushed_at, clock_timestamp())
                        ELSE pushed_at END,
       push_error = CASE WHEN push_version = :version THEN :error ELSE push_error END,
       push_correction = CASE WHEN push_version = :version THEN :correction ELSE push_correction END
 WHERE id = :id AND organisation_id = :organisation_id
RETURNING push_state;

-- name: ready_again!
UPDATE qicworks.{table} SET push_state = 'ready' WHERE id = ANY(:ids) AND push_state = 'in_flight';

-- name: retry_documents
-- Those that failed, of the wanted ones; null: of all.
UPDATE qicworks.{table} SET push_state = 'ready'
 WHERE organisation_id = :organisation_id AND push_state = 'failed'
   AND (:wanted::uuid[] IS NULL OR id = ANY(:wanted))
RETURNING id;
