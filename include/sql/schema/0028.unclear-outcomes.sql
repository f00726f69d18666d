-- depends: 0027.taken-tax
-- Documents that a push failed on without knowing whether Xero has them, until a push knows. Cancelled after that, they may stand
-- in Xero.

CREATE TABLE xero_sync.unclear_push (
    document_id   uuid NOT NULL,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    kind          text NOT NULL,                          -- such as 'invoices'
    since         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (document_id, connection_id, kind)
);

-- A hash of the ids behind the names in ours and theirs: two contacts or departments may have one name. Empty: there are none.
ALTER TABLE xero_sync.difference ADD COLUMN ids text NOT NULL DEFAULT '';

-- As in schema/0025; or whether a push of it arrived is not known.
CREATE OR REPLACE FUNCTION xero_sync.may_stand_in_xero(p_id uuid, p_xero_id uuid, p_push_state text) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT p_xero_id IS NOT NULL OR p_push_state = 'in_flight'
        OR EXISTS (SELECT FROM xero_sync.push_request WHERE closed_at IS NULL AND p_id = ANY (documents))
        OR EXISTS (SELECT FROM xero_sync.link_said WHERE document_id = p_id AND xero_id IS NOT NULL)
        OR EXISTS (SELECT FROM xero_sync.unclear_push WHERE document_id = p_id)
$$;

CREATE OR REPLACE FUNCTION xero_sync.may_stand_in_xero_of(p_organisation_id uuid, p_id uuid, p_xero_id uuid) RETURNS boolean LANGUAGE sql
    STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM xero_sync.connection
                    WHERE organisation_id = p_organisation_id
                      AND (EXISTS (SELECT FROM xero_sync.document_link AS link
                                    WHERE link.document_id = p_id AND link.connection_id = connection.id AND link.xero_id IS NOT NULL)
                           OR EXISTS (SELECT FROM xero_sync.link_before_seals AS link
                                       WHERE link.document_id = p_id AND link.tenant_id = connection.tenant_id AND link.xero_id IS NOT NULL)
                           OR EXISTS (SELECT FROM xero_sync.push_request AS request
                                       WHERE request.connection_id = connection.id AND closed_at IS NULL AND p_id = ANY (documents))
                           OR EXISTS (SELECT FROM xero_sync.unclear_push AS unclear
                                       WHERE unclear.connection_id = connection.id AND unclear.document_id = p_id)))
        OR p_xero_id IS NOT NULL AND NOT EXISTS (SELECT FROM xero_sync.link_said WHERE document_id = p_id AND xero_id IS NOT NULL)
$$;

-- What had failed after Xero was searched for it, and was not edited since.
INSERT INTO xero_sync.unclear_push (document_id, connection_id, kind, since)
SELECT DISTINCT ON (document.id, request.connection_id, request.kind)
       document.id, request.connection_id, request.kind, request.closed_at
  FROM (          SELECT id, 'invoices' AS kind, push_version, push_state, xero_id FROM qicworks.invoice
        UNION ALL SELECT id, 'bills', push_version, push_state, xero_id FROM qicworks.bill
        UNION ALL SELECT id, 'expenses', push_version, push_state, xero_id FROM qicworks.expense
        UNION ALL SELECT id, 'credit_notes', push_version, push_state, xero_id FROM qicworks.credit_note
        UNION ALL SELECT id, 'purchase_orders', push_version, push_state, xero_id FROM qicworks.purchase_order
        UNION ALL SELECT id, 'leave_requests', push_version, push_state, xero_id FROM qicworks.leave_request) AS document
  JOIN (xero_sync.push_request AS request
        CROSS JOIN unnest(request.documents, request.versions) AS carried (id, version))
    ON carried.id = document.id AND carried.version = document.push_version AND request.kind = document.kind
 WHERE document.push_state = 'failed' AND document.xero_id IS NULL
   AND request.purpose = 'push' AND request.outcome = 'looked up' AND request.closed_at IS NOT NULL AND NOT request.server_failed
 ORDER BY document.id, request.connection_id, request.kind, request.closed_at DESC;
