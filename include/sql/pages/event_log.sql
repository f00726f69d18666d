-- The event log, newest first; (started_at, id) is an event's position in it.

-- name: newest
-- Uses the index that fits the filter. Without a limit: all.
SELECT shown.*
  FROM (SELECT event.id
          FROM xero_sync.connection_event AS event
         WHERE (:connection_id::uuid IS NULL OR event.connection_id = :connection_id)
           AND (:direction::text IS NULL OR event.direction = :direction)
           AND (:data_set::text IS NULL OR event.data_set = :data_set)
           AND (:status::text IS NULL OR event.status = :status)
           AND (:text::text IS NULL OR event.words @@ xero_sync.asked(:text))
           AND (:since::timestamptz IS NULL OR event.started_at >= :since)
           AND (:until::timestamptz IS NULL OR event.started_at < :until)
           AND (:directions::text[] IS NULL
                OR (event.direction, event.data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
           AND (:before_at::timestamptz IS NULL OR (event.started_at, event.id) < (:before_at, :before_id::bigint))
         ORDER BY event.started_at DESC, event.id DESC
         LIMIT :limit) AS found
  JOIN xero_sync.event_shown AS shown ON shown.id = found.id
 ORDER BY shown.started_at DESC, shown.id DESC;

-- name: newest_with_words
-- For common words: searches the newest events that match the rest of the filter, instead of the full-text index, which would
-- list every event with these words.
SELECT shown.*
  FROM (SELECT event.id
          FROM (SELECT event.id, event.started_at, event.words
                  FROM xero_sync.connection_event AS event
                 WHERE (:connection_id::uuid IS NULL OR event.connection_id = :connection_id)
                   AND (:direction::text IS NULL OR event.direction = :direction)
                   AND (:data_set::text IS NULL OR event.data_set = :data_set)
                   AND (:status::text IS NULL OR event.status = :status)
                   AND (:since::timestamptz IS NULL OR event.started_at >= :since)
                   AND (:until::timestamptz IS NULL OR event.started_at < :until)
                   AND (:directions::text[] IS NULL
                        OR (event.direction, event.data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
                   AND (:before_at::timestamptz IS NULL OR (event.started_at, event.id) < (:before_at, :before_id::bigint))
                 ORDER BY event.started_at DESC, event.id DESC
                 LIMIT :among) AS event
         WHERE event.words @@ xero_sync.asked(:text)
         ORDER BY event.started_at DESC, event.id DESC
         LIMIT :limit) AS found
  JOIN xero_sync.event_shown AS shown ON shown.id = found.id
 ORDER BY shown.started_at DESC, shown.id DESC;

-- name: newest_of_pairs
-- The newest of each pair of direction and data set, and of those the newest. A pair without events costs nothing.
WITH RECURSIVE pair AS (
    (SELECT data_set, direction FROM xero_sync.connection_event ORDER BY data_set, direction LIMIT 1)
    UNION ALL
    SELECT following.*
      FROM pair
     CROSS JOIN LATERAL (SELECT event.data_set, event.direction FROM xero_sync.connection_event AS event
                          WHERE (event.data_set, event.direction) > (pair.data_set, pair.direction)
                          ORDER BY event.data_set, event.direction LIMIT 1) AS following
), found AS (
    SELECT event.id
      FROM pair
     CROSS JOIN LATERAL (SELECT id, started_at
                           FROM xero_sync.connection_event AS event
                          WHERE event.data_set = pair.data_set AND event.direction = pair.direction
                            AND (:connection_id::uuid IS NULL OR event.connection_id = :connection_id)
                            AND (:status::text IS NULL OR event.status = :status)
                            AND (:since::timestamptz IS NULL OR event.started_at >= :since)
                            AND (:until::timestamptz IS NULL OR event.started_at < :until)
                            AND (:before_at::timestamptz IS NULL OR (event.started_at, event.id) < (:before_at, :before_id::bigint))
                          ORDER BY event.started_at DESC, event.id DESC
                          LIMIT :limit) AS event
     WHERE (:direction::text IS NULL OR pair.direction = :direction)
       AND (:data_set::text IS NULL OR pair.data_set = :data_set)
       AND (:directions::text[] IS NULL
            OR (pair.direction, pair.data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
     ORDER BY event.started_at DESC, event.id DESC
     LIMIT :limit
)
SELECT shown.*
  FROM found
  JOIN xero_sync.event_shown AS shown ON shown.id = found.id
 ORDER BY shown.started_at DESC, shown.id DESC;

-- name: of_document
-- By the document's id; events without one, which have only its label, by that, in the same organisation.
SELECT shown.*
  FROM (SELECT id FROM xero_sync.connection_event
         WHERE document_id = :document_id AND document_kind = :kind
         UNION ALL
        SELECT event.id
          FROM xero_sync.connection_event AS event
          JOIN xero_sync.connection ON connection.id = event.connection_id AND connection.organisation_id = :organisation_id
         WHERE event.document_id IS NULL AND event.direction = 'push' AND event.data_set = :kind AND event.document = :label
           AND event.words @@ xero_sync.asked(:label)) AS found
  JOIN xero_sync.event_shown AS shown ON shown.id = found.id
 ORDER BY shown.started_at DESC, shown.id DESC
 LIMIT :limit;

-- name: get_event^
SELECT * FROM xero_sync.event_shown WHERE id = :id;

-- name: data_sets
-- Every pair of direction and data set that has events.
WITH RECURSIVE pair AS (
    (SELECT data_set, direction FROM xero_sync.connection_event ORDER BY data_set, direction LIMIT 1)
    UNION ALL
    SELECT following.*
      FROM pair
     CROSS JOIN LATERAL (SELECT event.data_set, event.direction FROM xero_sync.connection_event AS event
                          WHERE (event.data_set, event.direction) > (pair.data_set, pair.direction)
                          ORDER BY event.data_set, event.direction LIMIT 1) AS following
)
SELECT direction, data_set FROM pair ORDER BY direction, data_set;
