-- Differences between QicWorks and Xero, as a user looks for them. Open ones of deleted connections are not shown as open.

-- name: newest
-- Newest first, after a place. `settled`: those that are settled, otherwise those that are open. kinds: null, or only these.
SELECT difference.id, difference.connection_id, organisation.name AS organisation, difference.document_kind, difference.document_id,
       difference.subject, difference.label, difference.reason, difference.ours, difference.theirs, difference.ids, difference.since,
       difference.last_seen_at, difference.acknowledged_by, difference.acknowledged_until, difference.chosen,
       difference.chosen_by, difference.settled_at, difference.settled_how,
       md5(difference.ours::text || difference.theirs::text || difference.ids) AS seen
  FROM xero_sync.difference
  JOIN xero_sync.connection ON connection.id = difference.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE CASE WHEN :settled THEN difference.settled_at IS NOT NULL
            ELSE difference.settled_at IS NULL AND connection.state <> 'deleted' END
   AND (:connection_id::uuid IS NULL OR difference.connection_id = :connection_id)
   AND (:kinds::text[] IS NULL OR difference.document_kind = ANY(:kinds))
   AND (:before::bigint IS NULL OR difference.id < :before)
 ORDER BY difference.id DESC
 LIMIT :limit;

-- name: get^
-- One that is open.
SELECT difference.id, difference.connection_id, organisation.name AS organisation, difference.document_kind, difference.document_id,
       difference.subject, difference.label, difference.reason, difference.ours, difference.theirs, difference.ids, difference.since,
       difference.last_seen_at, difference.acknowledged_by, difference.acknowledged_until, difference.chosen,
       difference.chosen_by, difference.settled_at, difference.settled_how,
       md5(difference.ours::text || difference.theirs::text || difference.ids) AS seen
  FROM xero_sync.difference
  JOIN xero_sync.connection ON connection.id = difference.connection_id AND connection.state <> 'deleted'
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE difference.id = :id AND difference.settled_at IS NULL;

-- name: by_organisation
-- How many are open, of each kind; `since`: of those that no user has put off.
SELECT difference.connection_id, organisation.name AS organisation, difference.document_kind AS kind,
       count(*) FILTER (WHERE NOT acknowledged) AS open, count(*) FILTER (WHERE acknowledged) AS acknowledged,
       min(difference.since) FILTER (WHERE NOT acknowledged) AS since
  FROM xero_sync.difference
  JOIN xero_sync.connection ON connection.id = difference.connection_id AND connection.state <> 'deleted'
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 CROSS JOIN LATERAL (SELECT coalesce(difference.acknowledged_until > clock_timestamp(), false) AS acknowledged) AS put_off
 WHERE difference.settled_at IS NULL
   AND (:kinds::text[] IS NULL OR difference.document_kind = ANY(:kinds))
 GROUP BY difference.connection_id, organisation.name, difference.document_kind
 ORDER BY organisation.name, difference.document_kind;

-- name: kinds
-- Of all that there have been.
SELECT DISTINCT document_kind FROM xero_sync.difference
 WHERE :kinds::text[] IS NULL OR document_kind = ANY(:kinds)
 ORDER BY document_kind;
