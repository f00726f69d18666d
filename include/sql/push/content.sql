-- What was last pushed of a document, hashed.

-- name: contents
SELECT document_id, xero_id, payload, sent, answered, agreed, seal FROM xero_sync.pushed_content
 WHERE document_id = ANY(:ids) AND connection_id = :connection_id;

-- name: keep!
INSERT INTO xero_sync.pushed_content (document_id, connection_id, xero_id, payload, sent, answered, agreed, seal)
SELECT document_id, :connection_id, xero_id, payload, sent, answered, agreed, seal
  FROM unnest(:ids::uuid[], :xero_ids::uuid[], :payloads::text[], :sent::jsonb[], :answered::jsonb[], :agreed::boolean[], :seals::bytea[])
       AS made (document_id, xero_id, payload, sent, answered, agreed, seal)
    ON CONFLICT (document_id) DO UPDATE SET
       connection_id = excluded.connection_id, xero_id = excluded.xero_id, payload = excluded.payload, sent = excluded.sent,
       answered = excluded.answered, agreed = excluded.agreed, seal = excluded.seal, pushed_at = clock_timestamp();

-- name: keep_agreed!
-- What both sides were found to have. Nothing was sent: `pushed_at` stays, and what was pushed since it was read is not replaced.
INSERT INTO xero_sync.pushed_content AS held
       (document_id, connection_id, xero_id, payload, sent, answered, agreed, seal, pushed_at)
VALUES (:id, :connection_id, :xero_id, :payload, :sent, :answered, :agreed, :seal, '-infinity')
    ON CONFLICT (document_id) DO UPDATE SET
       connection_id = excluded.connection_id, xero_id = excluded.xero_id, payload = excluded.payload, sent = excluded.sent,
       answered = excluded.answered, agreed = excluded.agreed, seal = excluded.seal
 WHERE held.pushed_at = :pushed_at::timestamptz;
