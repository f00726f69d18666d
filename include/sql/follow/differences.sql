-- Where QicWorks and Xero differ: found, seen again, acknowledged and settled.

-- name: find^
-- `is_new`: it was not open before.
INSERT INTO xero_sync.difference AS held (connection_id, document_kind, document_id, subject, label, reason, ours, theirs, ids)
VALUES (:connection_id, :document_kind, :document_id, :subject, :label, :reason, :ours, :theirs, :ids)
    ON CONFLICT (connection_id, document_kind, coalesce(document_id, '00000000-0000-0000-0000-000000000000'), subject, reason)
       WHERE settled_at IS NULL
       DO UPDATE SET last_seen_at = clock_timestamp(), label = excluded.label, ours = excluded.ours, theirs = excluded.theirs, ids = excluded.ids,
          -- What a person chose or put off was about other values.
          chosen = CASE WHEN (held.ours, held.theirs, held.ids) = (excluded.ours, excluded.theirs, excluded.ids) THEN held.chosen END,
          chosen_by = CASE WHEN (held.ours, held.theirs, held.ids) = (excluded.ours, excluded.theirs, excluded.ids) THEN held.chosen_by END,
          acknowledged_by = CASE WHEN (held.ours, held.theirs, held.ids) = (excluded.ours, excluded.theirs, excluded.ids) THEN held.acknowledged_by END,
          acknowledged_until = CASE WHEN (held.ours, held.theirs, held.ids) = (excluded.ours, excluded.theirs, excluded.ids) THEN held.acknowledged_until END
RETURNING id, (xmax = 0) AS is_new;

-- name: settle_others
-- Settles the open ones of a document (null: of a data set as a whole) with these reasons, but for those that were found.
UPDATE xero_sync.difference SET settled_at = clock_timestamp(), settled_how = :how
 WHERE connection_id = :connection_id AND document_kind = :document_kind
   AND document_id IS NOT DISTINCT FROM :document_id::uuid AND settled_at IS NULL
   AND reason = ANY(:reasons) AND id <> ALL(:found)
RETURNING id, label, reason;

-- name: settle_elsewhere!
-- Settles what was found of a document while its organisation was matched to another one of Xero.
UPDATE xero_sync.difference SET settled_at = clock_timestamp(), settled_how = :how
 WHERE connection_id <> :connection_id AND document_kind = :document_kind AND document_id = :document_id AND settled_at IS NULL
   AND connection_id IN (SELECT id FROM xero_sync.connection
                          WHERE organisation_id = (SELECT organisation_id FROM xero_sync.connection WHERE id = :connection_id))
   AND reason = ANY(:reasons);

-- name: with_open
-- Those of these documents that have an open one.
SELECT DISTINCT document_id FROM xero_sync.difference
 WHERE connection_id = :connection_id AND document_id = ANY(:document_ids) AND settled_at IS NULL;

-- name: listed
-- Newest last, of all connections or one, all or only open ones; documents: null, or only of these documents.
SELECT difference.id, difference.connection_id, organisation.name AS organisation, difference.document_kind, difference.document_id,
       difference.subject, difference.label, difference.reason, difference.ours, difference.theirs, difference.ids, difference.since,
       difference.last_seen_at, difference.acknowledged_by, difference.acknowledged_until, difference.chosen,
       difference.chosen_by, difference.settled_at, difference.settled_how,
       md5(difference.ours::text || difference.theirs::text || difference.ids) AS seen
  FROM xero_sync.difference
  JOIN xero_sync.connection ON connection.id = difference.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE (:connection_id::uuid IS NULL OR difference.connection_id = :connection_id)
   AND (NOT :only_open OR difference.settled_at IS NULL AND connection.state <> 'deleted')
   AND (:document_ids::uuid[] IS NULL OR difference.document_id = ANY(:document_ids))
   AND (:kinds::text[] IS NULL OR difference.document_kind = ANY(:kinds))
 ORDER BY organisation.name, difference.document_kind, difference.label, difference.id
 LIMIT :limit;

-- name: count_open
-- By kind and reason, of connections that are not deleted; `acknowledged`: put off until a time that has not come.
SELECT difference.document_kind, difference.reason, count(*) AS open,
       count(*) FILTER (WHERE difference.acknowledged_until > clock_timestamp()) AS acknowledged
  FROM xero_sync.difference JOIN xero_sync.connection ON connection.id = difference.connection_id
 WHERE difference.settled_at IS NULL AND connection.state <> 'deleted'
   AND (:kinds::text[] IS NULL OR difference.document_kind = ANY(:kinds))
 GROUP BY difference.document_kind, difference.reason
 ORDER BY difference.document_kind, difference.reason;

-- name: acknowledge
-- Put off by a person until then; null: no longer. seen: of the values that this person saw, as above.
UPDATE xero_sync.difference
   SET acknowledged_by = CASE WHEN :until::timestamptz IS NOT NULL THEN :who END, acknowledged_until = :until
 WHERE id = :id AND settled_at IS NULL AND md5(ours::text || theirs::text || ids) = :seen
RETURNING id;

-- name: choose
UPDATE xero_sync.difference SET chosen = :side, chosen_by = :who
 WHERE id = :id AND settled_at IS NULL AND md5(ours::text || theirs::text || ids) = :seen
RETURNING id;
