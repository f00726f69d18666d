-- What people are alerted about: once for each thing and reason, by each channel.

-- name: new_alerts
-- A template: {failed} has `failed` of every kind of document. What is open and was not yet alerted by one of these channels, with
-- those by which it was. Forgets alerts about what is no longer open: if it comes back, it is new. `due` false: it is no alert for now, and
-- is not forgotten. data_sets and pay_dates: which pay dates were missed.
WITH whose AS (
    SELECT connection.id, organisation_id, connection.state, state_reason, connected_at, token.state AS authorisation, broken_reason
      FROM xero_sync.connection JOIN xero_sync.token ON token.id = connection.token_id
     WHERE connection.id = :connection_id AND connection.state <> 'deleted'
), sent AS (
    SELECT subject, subject_id, fingerprint, array_agg(channel) AS channels
      FROM xero_sync.alerted WHERE connection_id = :connection_id
     GROUP BY subject, subject_id, fingerprint
), open AS (
    SELECT 'connection' AS subject, id::text AS id, CASE authorisation WHEN 'broken' THEN 'authorisation' ELSE 'organisation' END AS fingerprint,
           true AS due, '' AS about, NULL::uuid AS document_id, NULL AS label, NULL AS file,
           CASE authorisation WHEN 'broken' THEN broken_reason ELSE state_reason END AS why, NULL AS correction, connected_at AS since
      FROM whose
     WHERE (authorisation = 'broken' OR state = 'needs_reconnect') AND xero_sync.is_on(id)
    UNION ALL
    SELECT 'pay_date', data_set, pay_date::text, true, data_set, NULL, NULL, NULL, pay_date::text, NULL, pay_date
      FROM whose CROSS JOIN unnest(:data_sets::text[], :pay_dates::date[]) AS missed (data_set, pay_date)
    UNION ALL
    SELECT 'difference', difference.id::text, reason, acknowledged_until IS NULL OR acknowledged_until <= clock_timestamp(),
           document_kind, document_id, label, NULLIF(subject, ''), reason, NULL, since
      FROM whose JOIN xero_sync.difference ON connection_id = whose.id AND settled_at IS NULL
    UNION ALL
    -- Records that were held back are the reason why a run failed, which is reported by itself.
    SELECT 'rejection', rejection.id::text, md5(array_to_string(ARRAY(SELECT unnest(reasons) ORDER BY 1), E'\n')), NOT held_back,
           data_set, NULL, NULL, NULL, array_to_string(reasons, '; '), NULL, rejected_at
      FROM whose JOIN xero_sync.rejection ON connection_id = whose.id AND closed_at IS NULL
    {failed}
), forgotten AS (
    DELETE FROM xero_sync.alerted
     WHERE connection_id = :connection_id
       AND NOT EXISTS (SELECT FROM open WHERE open.subject = alerted.subject AND open.id = alerted.subject_id)
)
SELECT open.subject, id, open.fingerprint, about, document_id, label, file, why, correction, sent.channels
  FROM open
  LEFT JOIN sent ON sent.subject = open.subject AND sent.subject_id = open.id AND sent.fingerprint = open.fingerprint
 WHERE due AND NOT :channels::text[] <@ coalesce(sent.channels, '{{}}')
 ORDER BY since DESC, label, id;

-- name: failed!
-- A part of `new_alerts`: documents of a kind that failed, and their files. What is sent again is not over before it is pushed.
UNION ALL
SELECT 'document', document.id::text, md5(coalesce(push_error, '')), push_state = 'failed', {kind}, document.id,
       document.{label}::text, NULL, push_error, push_correction, updated_at
  FROM whose JOIN qicworks.{table} AS document ON document.organisation_id = whose.organisation_id
 WHERE push_state IN ('failed', 'ready', 'in_flight')
   AND (push_state = 'failed' OR document.id::text IN (SELECT subject_id FROM sent WHERE subject = 'document'))
UNION ALL
SELECT 'attachment', attachment.id::text, md5(coalesce(attachment.push_error, '')), attachment.push_state = 'failed', {kind}, document.id,
       document.{label}::text, file_name, attachment.push_error, attachment.push_correction, attachment.updated_at
  FROM whose JOIN qicworks.attachment ON attachment.organisation_id = whose.organisation_id AND parent_type = {table_name}
  JOIN qicworks.{table} AS document ON document.id = parent_id
 WHERE attachment.push_state IN ('failed', 'ready', 'in_flight')
   AND (attachment.push_state = 'failed' OR attachment.id::text IN (SELECT subject_id FROM sent WHERE subject = 'attachment'))

-- name: lock
-- Waits for another process that is sending alerts of this connection.
SELECT pg_advisory_lock(hashtextextended(:key, 0));

-- name: mark!
INSERT INTO xero_sync.alerted (connection_id, subject, subject_id, fingerprint, channel)
SELECT :connection_id, subject, subject_id, fingerprint, :channel
  FROM unnest(:subjects::text[], :subject_ids::text[], :fingerprints::text[]) AS sent (subject, subject_id, fingerprint)
    ON CONFLICT DO NOTHING;
