-- Documents that were not sent because the organisation lacks their currency. Template: {table} is the kind's table.

-- name: keep!
INSERT INTO xero_sync.lacking_currency (document_id, connection_id, kind, currency, version)
SELECT document_id, :connection_id, :kind, currency, version
  FROM unnest(:ids::uuid[], :currencies::text[], :versions::integer[]) AS made (document_id, currency, version)
    ON CONFLICT (document_id, kind) DO UPDATE SET
       connection_id = excluded.connection_id, currency = excluded.currency, version = excluded.version;

-- name: release
-- Those whose currency is there now are ready again; those that were edited or retried meanwhile are forgotten. wanted: null for all.
WITH over AS (
    DELETE FROM xero_sync.lacking_currency AS lacking
     WHERE connection_id = :connection_id AND kind = :kind AND (:wanted::uuid[] IS NULL OR document_id = ANY(:wanted))
       AND (xero_sync.has_currency(:connection_id, :organisation_id, currency) IS NOT FALSE
            OR NOT EXISTS (SELECT FROM qicworks.{table} AS document
                            WHERE document.id = lacking.document_id AND document.organisation_id = :organisation_id
                              AND document.push_state = 'failed' AND document.push_version = lacking.version))
    RETURNING document_id, version
)
UPDATE qicworks.{table} AS document SET push_state = 'ready'
  FROM over
 WHERE document.id = over.document_id AND document.organisation_id = :organisation_id
   AND document.push_state = 'failed' AND document.push_version = over.version
RETURNING document.id;
