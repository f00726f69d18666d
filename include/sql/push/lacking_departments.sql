-- Documents that were not sent because a department of theirs had no option in Xero. Template: {table} is the kind's table.

-- name: keep!
-- Of those that have a result: lacking and versions are of those that lack one.
WITH settled AS (
     DELETE FROM xero_sync.lacking_department
      WHERE kind = :kind AND document_id = ANY(:ids::uuid[]) AND document_id <> ALL(:lacking::uuid[]))
INSERT INTO xero_sync.lacking_department (document_id, kind, version)
SELECT document_id, :kind, version FROM unnest(:lacking::uuid[], :versions::integer[]) AS made (document_id, version)
    ON CONFLICT (document_id, kind) DO UPDATE SET version = excluded.version;

-- name: release
-- Those whose departments all have an option now are ready again. wanted: null for all.
UPDATE qicworks.{table} AS document SET push_state = 'ready'
  FROM xero_sync.lacking_department AS lacking
 WHERE lacking.document_id = document.id AND lacking.kind = :kind AND lacking.version = document.push_version
   AND (:wanted::uuid[] IS NULL OR document.id = ANY(:wanted))
   AND document.organisation_id = :organisation_id AND document.push_state = 'failed'
   AND NOT xero_sync.lacks_department(:connection_id, :table, document.id)
RETURNING document.id;
