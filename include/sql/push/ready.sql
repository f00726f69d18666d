-- Which documents of a kind wait to be pushed. table, label: the kind's table, and the column that its users call one by.

-- name: ready
-- wanted: null for all that are ready. released_too: also those that a run makes ready itself, as their currency or department is there now. Those that were in a request that Xero failed on come last. What is cancelled waits until it
-- is known whether Xero deletes it.
SELECT id, push_version, xero_id,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said
         WHERE said.document_id = {table}.id) AS links
  FROM qicworks.{table}
 WHERE organisation_id = :organisation_id
   AND (push_state = ANY(:states)
        OR :released_too AND push_state = 'failed'
           AND EXISTS (SELECT FROM xero_sync.lacking_currency AS lacking
                        WHERE lacking.document_id = {table}.id AND lacking.kind = :kind AND NOT is_cancelled
                          AND xero_sync.has_currency(:connection_id, :organisation_id, lacking.currency) IS NOT FALSE)
        OR :released_too AND push_state = 'failed'
           AND EXISTS (SELECT FROM xero_sync.lacking_department AS lacking
                        WHERE lacking.document_id = {table}.id AND lacking.kind = :kind AND lacking.version = push_version)
           AND NOT xero_sync.lacks_department(:connection_id, :table, {table}.id))
   AND (:wanted::uuid[] IS NULL OR id = ANY(:wanted)) AND id <> ALL(:done)
   AND NOT EXISTS (SELECT FROM xero_sync.push_request AS open
                    WHERE open.connection_id = :connection_id AND open.kind = :kind AND open.closed_at IS NULL
                      AND {table}.id = ANY(open.documents))
   AND NOT EXISTS (SELECT FROM xero_sync.cancellation
                    WHERE cancellation.document_id = {table}.id AND document_table = :table
                      AND cancellation.organisation_id = :organisation_id AND done_at IS NULL
                      AND NOT EXISTS (SELECT FROM xero_sync.difference
                                       WHERE difference.connection_id = :connection_id
                                         AND difference.document_id = cancellation.document_id AND difference.document_kind = :kind AND settled_at IS NULL
                                         AND reason = 'cancelled_in_qicworks'))
 ORDER BY (id, push_version) IN
          (SELECT claimed.id, claimed.version
             FROM xero_sync.push_request AS request
            CROSS JOIN unnest(request.documents, request.versions) AS claimed (id, version)
            WHERE request.connection_id = :connection_id AND request.kind = :kind
              AND request.purpose = 'push'
              AND (request.server_failed OR request.outcome = 'looked up')),
          created_at, id
 LIMIT :limit;

-- name: named
-- Also those that were deleted, and are still to be deleted in Xero.
SELECT id, {label}::text AS number FROM qicworks.{table}
 WHERE organisation_id = :organisation_id AND (id::text = ANY(:names) OR {label}::text = ANY(:names))
 UNION
SELECT document_id, coalesce(number, document_id::text) FROM xero_sync.cancellation
 WHERE organisation_id = :organisation_id AND document_table = :table AND how = 'deleted' AND done_at IS NULL
   AND (document_id::text = ANY(:names) OR number = ANY(:names));

-- name: something_to_do
-- How much a run would have to do: documents that are ready, or lacked a currency or department that is there now, requests left open, attachments
-- that wait.
SELECT (SELECT count(*) FROM qicworks.{table}
         WHERE organisation_id = :organisation_id AND push_state IN ('ready', 'in_flight'))
     + (SELECT count(*) FROM xero_sync.lacking_currency AS lacking
          JOIN qicworks.{table} AS document ON document.id = lacking.document_id
         WHERE lacking.kind = :kind AND NOT is_cancelled AND document.organisation_id = :organisation_id AND document.push_state = 'failed'
           AND xero_sync.has_currency(:connection_id, :organisation_id, lacking.currency) IS NOT FALSE)
     + (SELECT count(*) FROM xero_sync.lacking_department AS lacking
          JOIN qicworks.{table} AS document ON document.id = lacking.document_id AND document.push_version = lacking.version
         WHERE lacking.kind = :kind AND document.organisation_id = :organisation_id AND document.push_state = 'failed'
           AND NOT xero_sync.lacks_department(:connection_id, :table, document.id))
     + (SELECT count(*) FROM xero_sync.push_request
         WHERE connection_id = :connection_id AND kind = :kind AND closed_at IS NULL)
     + (SELECT count(*) FROM qicworks.attachment
          JOIN qicworks.{table} AS document ON document.id = attachment.parent_id
         WHERE attachment.organisation_id = :organisation_id AND attachment.parent_type = :table
           AND attachment.push_state = 'ready' AND document.push_state IN ('pushed', 'failed')
           AND document.xero_id IS NOT NULL AND coalesce(document.xero_status, '') <> ALL(:gone)
           AND NOT EXISTS (SELECT FROM xero_sync.cancellation
                            WHERE cancellation.document_id = document.id AND document_table = :table
                              AND cancellation.organisation_id = :organisation_id)) AS something;

-- name: failed_batch_sizes
-- The size of the smallest request that Xero failed on with this version of a document in it.
SELECT claimed.id, min(cardinality(request.documents)) AS size
  FROM xero_sync.push_request AS request
 CROSS JOIN unnest(request.documents, request.versions) AS claimed (id, version)
  JOIN qicworks.{table} AS document ON document.id = claimed.id AND document.push_version = claimed.version
 WHERE request.connection_id = :connection_id AND request.kind = :kind
   AND request.purpose = 'push' AND (request.server_failed OR request.outcome = 'looked up') AND claimed.id = ANY(:ids)
 GROUP BY claimed.id;

-- name: failed_alone
-- How often Xero answered with a 5xx to a request of a purpose that carried only this version of a document.
SELECT count(*) AS times FROM xero_sync.push_request
 WHERE connection_id = :connection_id AND kind = :kind AND purpose = :purpose AND server_failed
   AND documents = ARRAY[:id::uuid] AND versions = ARRAY[:version::integer];
