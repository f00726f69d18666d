-- What QicWorks has of a data set and of its documents, to be compared with Xero.

-- name: rejected
-- Records that are not loaded on purpose: reported as rejected already, or erased here.
SELECT key FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND table_name = :table_name AND closed_at IS NULL
UNION
SELECT erasure.xero_id
  FROM xero_sync.connection AS own
  JOIN xero_sync.connection AS any_of_it ON any_of_it.tenant_id = own.tenant_id
  JOIN xero_sync.erasure ON erasure.connection_id = any_of_it.id
 WHERE own.id = :connection_id AND erasure.table_name = :table_name;

-- The statements below are templates: {held} is a pulled table, {table} that of a kind of documents, {label} the column that
-- names one of its documents.

-- name: held
SELECT lower({key}::text) AS key, is_active, xero_updated_at
  FROM {held}
 WHERE connection_id = :connection_id AND missing_since IS NULL;

-- name: first_push
-- Also of documents that were pushed, and are deleted or have moved away since.
SELECT least((SELECT min(pushed_at) FROM {table} WHERE organisation_id = :organisation_id),
             (SELECT min(link.linked_at)
                FROM xero_sync.cancellation JOIN xero_sync.document_link AS link USING (document_id)
               WHERE cancellation.organisation_id = :organisation_id AND document_table = :table));

-- name: linked
-- What is being cancelled has its record until Xero no longer has it.
SELECT xero_id FROM {table} WHERE xero_id = ANY(:xero_ids)
 UNION
SELECT record.xero_id
  FROM xero_sync.cancellation
  LEFT JOIN xero_sync.link_said AS link USING (document_id)
 CROSS JOIN LATERAL (VALUES (cancellation.xero_id), (link.xero_id)) AS record (xero_id)
 WHERE organisation_id = :organisation_id AND document_table = :table AND done_at IS NULL AND record.xero_id = ANY(:xero_ids);

-- name: settled
-- Documents that a record may be another one of. Where a push is still to come, it has to find the record itself.
SELECT id FROM {table}
 WHERE organisation_id = :organisation_id AND push_state NOT IN ('ready', 'in_flight')
   AND (id = ANY(:ids) OR lower(btrim({label}::text)) = ANY(:numbers));

-- name: sent
-- Documents that were sent under one of these numbers, whatever their number is now; `field` is Xero's of the number.
SELECT DISTINCT carried.id, request.identities -> (carried.place::integer - 1) AS identity
  FROM xero_sync.push_request AS request
 CROSS JOIN LATERAL unnest(request.documents) WITH ORDINALITY AS carried (id, place)
 WHERE request.connection_id = :connection_id AND request.kind = :kind AND request.purpose = 'push' AND request.closed_at IS NOT NULL
   AND lower(btrim(request.identities -> (carried.place::integer - 1) ->> :field)) = ANY(:numbers);

-- name: removed
-- The same of documents that were pushed, and are deleted or have moved to another organisation since.
SELECT document_id AS id, number, xero_id, total, done_at IS NOT NULL AS is_done,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = cancellation.document_id) AS links
  FROM xero_sync.cancellation
 WHERE organisation_id = :organisation_id AND document_table = :table
   AND (document_id = ANY(:ids) OR lower(btrim(number)) = ANY(:numbers))
   AND NOT EXISTS (SELECT FROM {table} AS own
                    WHERE own.id = cancellation.document_id AND own.organisation_id = cancellation.organisation_id)
   AND NOT EXISTS (SELECT FROM xero_sync.push_request AS open
                    WHERE open.kind = :kind AND open.closed_at IS NULL AND cancellation.document_id = ANY(open.documents));

-- name: pushed_ids
-- Of the last 400 days: older documents were reported often enough.
SELECT id FROM {table}
 WHERE organisation_id = :organisation_id AND push_state = 'pushed'
   AND updated_at > now() - interval '400 days'
 ORDER BY id;

-- name: pushed
SELECT document.id, document.{label}::text AS number, document.xero_id, document.push_version AS version,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = document.id) AS links
  FROM {table} AS document
 WHERE document.id = ANY(:ids) AND document.push_state = 'pushed'
 ORDER BY document.id;

-- name: pushed_file_ids
SELECT id FROM qicworks.attachment
 WHERE organisation_id = :organisation_id AND parent_type = :parent AND push_state = 'pushed'
   AND updated_at > now() - interval '400 days'
 ORDER BY id;

-- name: pushed_files
SELECT file.id, file.file_name, octet_length(file.content) AS size, file.xero_id, file.push_version AS version,
       document.id AS document_id, document.{label}::text AS number, document.xero_id AS document_xero_id,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = file.id) AS links
  FROM qicworks.attachment AS file JOIN {table} AS document ON document.id = file.parent_id
 WHERE file.id = ANY(:ids) AND file.push_state = 'pushed'
 ORDER BY file.id;
