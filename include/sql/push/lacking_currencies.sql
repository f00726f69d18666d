-- Documents that were not sent because the organisation lacks their currency. Template: {table} is the kind's table.

-- name: keep!
INSERT INTO xero_sync.lacking_currency (document_id, kind, currency)
SELECT document_id, :kind, currency FROM unnest(:ids::uuid[], :currencies::text[]) AS made (document_id, currency)
    ON CONFLICT (document_id, kind) DO UPDATE SET currency = excluded.currency;

-- name: release
-- Those whose currency is there now are ready again, and so are no longer among these (schema/0029). wanted: null for all.
UPDATE qicworks.{table} AS document SET push_state = 'ready'
  FROM xero_sync.lacking_currency AS lacking
 WHERE lacking.document_id = document.id AND lacking.kind = :kind AND NOT is_cancelled AND (:wanted::uuid[] IS NULL OR document.id = ANY(:wanted))
   AND document.organisation_id = :organisation_id AND document.push_state = 'failed'
   AND xero_sync.has_currency(:connection_id, :organisation_id, lacking.currency) IS NOT FALSE
RETURNING document.id;
