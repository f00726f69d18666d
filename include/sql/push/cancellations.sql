-- What was cancelled in QicWorks after its push, and files that were removed: until Xero no longer has them.

-- name: due
-- Cancellations of a table that are not done. wanted: null for all; those of which a difference was seen in the last three hours
-- are looked at again only if they are wanted, or if Xero was read since and no longer has them. One that a request carries waits for
-- that request. `is_unclear`: of one without a xero_id, that Xero may have it: an open difference says so, its push failed without
-- knowing, or no request of it is known.
SELECT document_id, cancellation.number, coalesce(document.xero_id, cancellation.xero_id) AS xero_id,
       coalesce(document.xero_status, cancellation.xero_status) AS xero_status, cancellation.total, cancellation.status,
       cancellation.push_version, how,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = cancellation.document_id) AS links,
       CASE WHEN coalesce(document.xero_id, cancellation.xero_id) IS NULL
            THEN EXISTS (SELECT FROM xero_sync.difference
                          WHERE difference.connection_id = :connection_id AND difference.document_id = cancellation.document_id
                            AND difference.document_kind = :kind AND reason = 'cancelled_in_qicworks' AND settled_at IS NULL)
                 OR EXISTS (SELECT FROM xero_sync.unclear_push AS unclear
                             WHERE unclear.connection_id = :connection_id AND unclear.kind = :kind
                               AND unclear.document_id = cancellation.document_id)
                 OR NOT EXISTS (SELECT FROM xero_sync.push_request AS request
                                 WHERE request.connection_id = :connection_id AND request.kind = :kind AND request.purpose = 'push'
                                   AND request.closed_at IS NOT NULL AND cancellation.document_id = ANY(request.documents))
            ELSE false END AS is_unclear
  FROM xero_sync.cancellation LEFT JOIN qicworks.{table} AS document ON document.id = document_id AND document.organisation_id = cancellation.organisation_id
 WHERE cancellation.organisation_id = :organisation_id AND document_table = :table AND done_at IS NULL
   AND document_id <> ALL(:seen)
   AND CASE WHEN :wanted::uuid[] IS NULL
            THEN coalesce(document.xero_status, '') = ANY(:gone)
                 OR NOT EXISTS (SELECT FROM xero_sync.difference
                                 WHERE difference.connection_id = :connection_id AND difference.document_kind = :kind
                                   AND difference.document_id = cancellation.document_id AND settled_at IS NULL
                                   AND reason = 'cancelled_in_qicworks' AND last_seen_at > clock_timestamp() - interval '3 hours')
            ELSE document_id = ANY(:wanted) END
   AND NOT EXISTS (SELECT FROM xero_sync.push_request AS open
                    WHERE open.connection_id = :connection_id AND open.kind = :kind AND open.closed_at IS NULL
                      AND cancellation.document_id = ANY(open.documents))
 ORDER BY cancelled_at, document_id
 LIMIT :limit;

-- name: of_document
-- Done or not.
SELECT document_id, cancellation.number, coalesce(document.xero_id, cancellation.xero_id) AS xero_id,
       coalesce(document.xero_status, cancellation.xero_status) AS xero_status, cancellation.total, cancellation.status,
       cancellation.push_version, how,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = cancellation.document_id) AS links,
       CASE WHEN coalesce(document.xero_id, cancellation.xero_id) IS NULL
            THEN EXISTS (SELECT FROM xero_sync.difference
                          WHERE difference.connection_id = :connection_id AND difference.document_id = cancellation.document_id
                            AND difference.document_kind = :kind AND reason = 'cancelled_in_qicworks' AND settled_at IS NULL)
                 OR EXISTS (SELECT FROM xero_sync.unclear_push AS unclear
                             WHERE unclear.connection_id = :connection_id AND unclear.kind = :kind
                               AND unclear.document_id = cancellation.document_id)
                 OR NOT EXISTS (SELECT FROM xero_sync.push_request AS request
                                 WHERE request.connection_id = :connection_id AND request.kind = :kind AND request.purpose = 'push'
                                   AND request.closed_at IS NOT NULL AND cancellation.document_id = ANY(request.documents))
            ELSE false END AS is_unclear
  FROM xero_sync.cancellation LEFT JOIN qicworks.{table} AS document ON document.id = document_id AND document.organisation_id = cancellation.organisation_id
 WHERE document_id = :id AND document_table = :table AND cancellation.organisation_id = :organisation_id;

-- name: links_of$
SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = :id;

-- name: sent_as
SELECT DISTINCT request.identities -> (carried.place::integer - 1) AS identity,
       coalesce(request.last_sent_at > clock_timestamp() - interval '10 minutes', false) AS is_recent
  FROM xero_sync.push_request AS request
 CROSS JOIN LATERAL unnest(request.documents) WITH ORDINALITY AS carried (id, place)
 WHERE request.connection_id = :connection_id AND request.kind = :kind AND request.purpose = 'push' AND request.closed_at IS NOT NULL
   AND carried.id = :id AND request.identities -> (carried.place::integer - 1) IS NOT NULL;

-- name: lock^
-- If it may still be sent: locked until the transaction ends.
SELECT document_id FROM xero_sync.cancellation
 WHERE document_id = :id AND document_table = :table AND organisation_id = :organisation_id AND push_version = :version AND how <> 'before' AND done_at IS NULL
   FOR UPDATE;

-- name: close!
UPDATE xero_sync.cancellation SET done_at = clock_timestamp()
 WHERE document_id = :id AND document_table = :table AND organisation_id = :organisation_id AND done_at IS NULL;

-- name: forget_content!
-- Nothing of it is in Xero any more: pushed again, it is not the same as what was last pushed.
DELETE FROM xero_sync.pushed_content WHERE document_id = :id AND connection_id = :connection_id;

-- name: keep_status!
-- A template. What a document is in Xero; its state of the push stays.
UPDATE qicworks.{table} SET xero_status = :status WHERE id = :id AND organisation_id = :organisation_id;

-- name: is_open^
SELECT document_id FROM xero_sync.cancellation
 WHERE document_id = :id AND document_table = :table AND organisation_id = :organisation_id AND how <> 'before' AND done_at IS NULL;

-- name: over
-- Open differences of a kind whose document is in force again, also those that were found while the organisation was matched to another
-- one of Xero. One of a document that is done was found since, by what Xero has.
SELECT difference.document_id, difference.label
  FROM xero_sync.difference
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = difference.document_id AND document_table = :table
       AND cancellation.organisation_id = :organisation_id
 WHERE difference.connection_id IN (SELECT id FROM xero_sync.connection WHERE organisation_id = :organisation_id)
   AND difference.document_kind = :kind AND difference.settled_at IS NULL
   AND difference.reason = 'cancelled_in_qicworks' AND difference.document_id IS NOT NULL
   AND cancellation.document_id IS NULL;

-- name: state_of$
-- Of a document that is cancelled: differs (Xero does not delete it, or has it in force again), done, or open.
SELECT CASE WHEN EXISTS (SELECT FROM xero_sync.difference JOIN xero_sync.connection ON connection.id = difference.connection_id
                          WHERE connection.organisation_id = cancellation.organisation_id AND connection.state <> 'deleted'
                            AND difference.document_id = cancellation.document_id AND difference.document_kind = :kind
                            AND settled_at IS NULL AND reason = 'cancelled_in_qicworks') THEN 'differs'
            WHEN done_at IS NOT NULL THEN 'done'
            ELSE 'open' END
  FROM xero_sync.cancellation WHERE document_id = :id AND document_table = :table AND organisation_id = :organisation_id;

-- name: files_due
-- Files of documents of a table that were removed, and are not known to be gone. A document is looked at again after a day, or
-- when another of its files is removed, or if it is wanted. `there_again`: the document has a file of that name, which was pushed. `others`:
-- its pushed files, of which Xero may keep one under the same name in another case. `is_recent`: removed within so many seconds.
SELECT removed.id, removed.document_id, removed.file_name, removed.size, removed.xero_id,
       coalesce(document.number, cancellation.number) AS number,
       coalesce(document.xero_id, cancellation.xero_id) AS document_xero_id,
       coalesce(document.xero_status = ANY(:gone), false) OR cancellation.done_at IS NOT NULL AS is_gone,
       removed.removed_at > clock_timestamp() - make_interval(secs => :recent_seconds) AS is_recent,
       EXISTS (SELECT FROM qicworks.attachment
                WHERE parent_type = :table AND parent_id = removed.document_id AND push_state = 'pushed' AND attachment.xero_id IS NOT NULL
                  AND attachment.file_name = removed.file_name) AS there_again,
       ARRAY(SELECT attachment.xero_id FROM qicworks.attachment
              WHERE parent_type = :table AND parent_id = removed.document_id AND push_state = 'pushed'
                AND attachment.xero_id IS NOT NULL) AS others,
       (SELECT jsonb_agg(said) FROM xero_sync.link_said AS said WHERE said.document_id = removed.document_id) AS links
  FROM xero_sync.removed_file AS removed
  LEFT JOIN qicworks.{table} AS document ON document.id = removed.document_id AND document.organisation_id = removed.organisation_id
  LEFT JOIN xero_sync.cancellation ON cancellation.document_id = removed.document_id AND cancellation.document_table = :table
       AND cancellation.organisation_id = removed.organisation_id
 WHERE removed.organisation_id = :organisation_id AND removed.document_table = :table AND removed.done_at IS NULL
   AND CASE WHEN :wanted::uuid[] IS NULL
            THEN EXISTS (SELECT FROM xero_sync.removed_file AS one
                          WHERE one.document_id = removed.document_id AND one.document_table = :table AND one.done_at IS NULL
                            AND NOT EXISTS (SELECT FROM xero_sync.difference
                                             WHERE difference.document_id = one.document_id AND difference.document_kind = :kind
                                               AND settled_at IS NULL AND reason = 'file_left_in_xero' AND subject = one.file_name
                                               AND last_seen_at > clock_timestamp() - interval '1 day'))
            ELSE removed.document_id = ANY(:wanted) END
 ORDER BY removed.document_id, removed.id;

-- name: close_files!
UPDATE xero_sync.removed_file SET done_at = clock_timestamp() WHERE id = ANY(:ids);
