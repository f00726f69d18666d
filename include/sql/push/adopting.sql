-- Documents that somebody may have typed into Xero by hand, and what a person decides about each. Template: {table} is the kind's table.

-- name: maybe_sent
-- Those of these documents that Xero may have from an earlier push.
SELECT asked.id
  FROM unnest(:ids::uuid[]) AS asked (id)
 WHERE EXISTS (SELECT FROM xero_sync.unclear_push AS unclear
                WHERE unclear.document_id = asked.id AND unclear.connection_id = :connection_id AND unclear.kind = :kind)
    OR EXISTS (SELECT FROM xero_sync.push_request AS request
                WHERE request.connection_id = :connection_id AND request.kind = :kind AND request.purpose = 'push'
                  AND (request.server_failed OR request.outcome = 'looked up') AND asked.id = ANY(request.documents));

-- name: decided
SELECT id, document_id, version, xero_id, decision, seen, decided_by FROM xero_sync.adoption
 WHERE document_id = ANY(:ids) AND connection_id = :connection_id AND linked_at IS NULL AND ended_at IS NULL;

-- name: left
-- Records that a person has said to be no record of this document.
SELECT xero_id FROM xero_sync.adoption
 WHERE document_id = :id AND connection_id = :connection_id AND decision = 'leave' AND ended_at IS NULL;

-- name: apart
-- Documents and records that are not to be called second ones: a person has decided so, or is asked.
SELECT document_id, xero_id FROM xero_sync.adoption
 WHERE connection_id = :connection_id AND kind = :kind AND decision IN ('leave', 'skip') AND ended_at IS NULL
 UNION
SELECT twin.document_id, twin.xero_id
  FROM xero_sync.twin
  JOIN qicworks.{table} AS document ON document.id = twin.document_id AND document.push_version = twin.version
 WHERE twin.connection_id = :connection_id AND twin.kind = :kind AND document.push_state = 'failed' AND document.xero_id IS NULL;

-- name: forget_twins!
DELETE FROM xero_sync.twin WHERE connection_id = :connection_id AND document_id = ANY(:ids);

-- name: keep_twins!
INSERT INTO xero_sync.twin (document_id, connection_id, kind, version, xero_id, is_certain, shown, seen)
SELECT document_id, :connection_id, :kind, version, xero_id, is_certain, shown, seen
  FROM unnest(:ids::uuid[], :versions::integer[], :xero_ids::uuid[], :certain::boolean[], :shown::jsonb[], :seen::text[])
       AS made (document_id, version, xero_id, is_certain, shown, seen)
    ON CONFLICT (document_id, xero_id) DO NOTHING;

-- name: linked!
UPDATE xero_sync.adoption SET linked_at = clock_timestamp() WHERE id = ANY(:decisions);

-- name: void!
UPDATE xero_sync.adoption SET ended_at = clock_timestamp(), ended_how = 'void' WHERE id = ANY(:decisions) AND ended_at IS NULL;

-- name: offered
-- Documents that are held back, and the records that they may be. is_shared: the record is offered for another document, too.
SELECT document.id, document.number, contact.name AS contact, document.issue_date::text AS issued, document.total, document.currency,
       document.push_version AS version, organisation.name AS organisation, connection.id AS connection_id,
       jsonb_agg(jsonb_build_object('xero_id', twin.xero_id, 'is_certain', twin.is_certain, 'seen', twin.seen, 'shown', twin.shown,
                                    'is_shared', EXISTS (SELECT FROM xero_sync.twin AS other
                                                          WHERE other.connection_id = twin.connection_id AND other.xero_id = twin.xero_id
                                                            AND other.document_id <> twin.document_id))
                 ORDER BY twin.is_certain DESC, twin.xero_id) AS twins
  FROM xero_sync.twin
  JOIN qicworks.{table} AS document ON document.id = twin.document_id AND document.push_version = twin.version
  JOIN xero_sync.connection ON connection.id = twin.connection_id AND connection.organisation_id = document.organisation_id
       AND connection.state <> 'deleted'
  JOIN qicworks.organisation ON organisation.id = document.organisation_id
  LEFT JOIN qicworks.contact ON contact.id = document.contact_id
 WHERE twin.kind = :kind AND document.push_state = 'failed' AND document.xero_id IS NULL
   AND (:connection_id::uuid IS NULL OR connection.id = :connection_id) AND (:id::uuid IS NULL OR document.id = :id)
 GROUP BY document.id, contact.name, organisation.name, connection.id
 ORDER BY organisation.name, document.number, document.id
 LIMIT :limit;

-- name: count_offered
SELECT count(DISTINCT document.id) AS count
  FROM xero_sync.twin
  JOIN qicworks.{table} AS document ON document.id = twin.document_id AND document.push_version = twin.version
  JOIN xero_sync.connection ON connection.id = twin.connection_id AND connection.organisation_id = document.organisation_id
       AND connection.state <> 'deleted'
 WHERE twin.kind = :kind AND document.push_state = 'failed' AND document.xero_id IS NULL
   AND (:connection_id::uuid IS NULL OR connection.id = :connection_id);

-- name: lock_offered
-- Locked until the transaction ends.
SELECT push_state, push_version, xero_id FROM qicworks.{table} WHERE id = :id FOR UPDATE;

-- name: in_request$
SELECT EXISTS (SELECT FROM xero_sync.push_request WHERE closed_at IS NULL AND :id::uuid = ANY(documents));

-- name: end_decisions!
-- Of a document, without those that are linked. Before a new one (xero_ids: of these records): other records that were left stay so.
UPDATE xero_sync.adoption SET ended_at = clock_timestamp(), ended_how = 'undone', ended_by = :who
 WHERE document_id = :id AND connection_id = :connection_id AND linked_at IS NULL AND ended_at IS NULL
   AND (:xero_ids::uuid[] IS NULL OR xero_id = ANY(:xero_ids) OR decision <> 'leave' OR version <> :version);

-- name: free_records!
-- What was decided to be linked to one of these records, and can no longer be: its document was edited, deleted or linked otherwise.
UPDATE xero_sync.adoption SET ended_at = clock_timestamp(), ended_how = 'void'
 WHERE connection_id = :connection_id AND xero_id = ANY(:xero_ids) AND decision = 'link' AND ended_at IS NULL
   AND NOT EXISTS (SELECT FROM (          SELECT id, push_version, push_state, xero_id FROM qicworks.invoice
                                UNION ALL SELECT id, push_version, push_state, xero_id FROM qicworks.bill
                                UNION ALL SELECT id, push_version, push_state, xero_id FROM qicworks.expense
                                UNION ALL SELECT id, push_version, push_state, xero_id FROM qicworks.credit_note
                                UNION ALL SELECT id, push_version, push_state, xero_id FROM qicworks.purchase_order) AS document
                    WHERE document.id = adoption.document_id
                      AND (document.xero_id = adoption.xero_id
                           OR adoption.linked_at IS NULL AND document.push_version = adoption.version
                              AND document.push_state IN ('ready', 'in_flight', 'failed')));

-- name: decide
-- One for each record; not where the record is already to become another document.
INSERT INTO xero_sync.adoption (document_id, connection_id, kind, version, xero_id, decision, seen, decided_by)
SELECT document_id, :connection_id, :kind, version, xero_id, :decision, seen, :who
  FROM unnest(:ids::uuid[], :versions::integer[], :xero_ids::uuid[], :seen::text[]) AS made (document_id, version, xero_id, seen)
    ON CONFLICT DO NOTHING
RETURNING document_id, xero_id;

-- name: ready_again
UPDATE qicworks.{table} SET push_state = 'ready' WHERE id = ANY(:ids) AND push_state = 'failed' RETURNING id;

-- name: failed_again
UPDATE qicworks.{table}
   SET push_state = 'failed', push_error = CASE push_state WHEN 'ready' THEN :error ELSE push_error END,
       push_correction = CASE push_state WHEN 'ready' THEN :correction ELSE push_correction END
 WHERE id = :id AND push_state IN ('ready', 'failed') AND push_version = :version
RETURNING id;

-- name: skip
SELECT xero_sync.skip_twin(:table, :id, :version, :back);

-- name: open_decisions
-- Decisions that can be undone, newest first: of a document, or of all that are linked or wait.
SELECT adoption.id, adoption.document_id, adoption.connection_id, adoption.version, adoption.xero_id, adoption.decision, adoption.decided_by,
       adoption.decided_at, adoption.linked_at IS NOT NULL AS is_linked, document.number, document.push_state,
       organisation.name AS organisation
  FROM xero_sync.adoption
  JOIN qicworks.{table} AS document ON document.id = adoption.document_id
  JOIN qicworks.organisation ON organisation.id = document.organisation_id
  JOIN xero_sync.connection ON connection.id = adoption.connection_id AND connection.organisation_id = document.organisation_id
       AND connection.state <> 'deleted'
 WHERE adoption.kind = :kind AND adoption.ended_at IS NULL
   AND (:id::uuid IS NULL OR adoption.document_id = :id) AND (:connection_id::uuid IS NULL OR adoption.connection_id = :connection_id)
   AND CASE adoption.decision
            WHEN 'link' THEN adoption.linked_at IS NOT NULL AND document.xero_id = adoption.xero_id
                             OR adoption.linked_at IS NULL AND document.push_state IN ('ready', 'failed')
                                AND document.push_version = adoption.version
            WHEN 'skip' THEN document.push_state = 'skipped'
            ELSE document.push_state = 'ready' AND document.push_version = adoption.version AND document.xero_id IS NULL END
 ORDER BY adoption.decided_at DESC, adoption.id DESC
 LIMIT :limit;

-- name: paid_of
-- What was followed of a document.
SELECT coalesce((to_jsonb(document) ->> 'paid_to_date')::numeric, 0) AS paid, coalesce((to_jsonb(document) ->> 'credited')::numeric, 0) AS credited,
       (SELECT count(*) FROM qicworks.attachment
         WHERE parent_type = :table AND parent_id = document.id AND push_state = 'pushed') AS files
  FROM qicworks.{table} AS document WHERE id = :id;

-- name: undo_link
SELECT xero_sync.undo_adoption(:table, :id, :adoption, :error, :correction);

-- name: end_link!
UPDATE xero_sync.adoption SET ended_at = clock_timestamp(), ended_how = 'undone', ended_by = :who WHERE id = :adoption;

-- name: forget_content!
DELETE FROM xero_sync.pushed_content WHERE document_id = :id AND connection_id = :connection_id;

-- name: forget_followed!
DELETE FROM xero_sync.followed_document WHERE document_id = :id AND connection_id = :connection_id;
