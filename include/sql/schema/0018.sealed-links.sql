-- depends: 0017.sealed-pay
-- Who may write xero_id is not who decides which record of Xero's is changed, gets a file, or is another document's: that
-- says a seal, made with the app's token keys when Xero answered. Of pay, which has no record, it says that it was pushed.

-- Each is one link that was true: `version` was pushed as that record (null: it is known there, and not as that version).
-- Rows are only added: what the role that pushes can write, it cannot take away.
CREATE TABLE xero_sync.document_link (
    document_id   uuid NOT NULL,                          -- of whatever kind, or a file
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    xero_id       uuid,
    version       integer,
    seal          bytea NOT NULL,
    linked_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX document_link_document ON xero_sync.document_link (document_id);

-- What was linked before there were seals, as it was then, and what the owner vouches for. Nobody but the owner writes here.
CREATE TABLE xero_sync.link_before_seals (
    document_id uuid PRIMARY KEY,
    tenant_id   text NOT NULL,
    xero_id     uuid,
    version     integer,
    vouched_at  timestamptz NOT NULL DEFAULT now()        -- what was sealed since then goes before it
);
INSERT INTO xero_sync.link_before_seals (document_id, tenant_id, xero_id, version)
SELECT document.id, tenant_id, xero_id, CASE push_state WHEN 'pushed' THEN push_version END
  FROM (          SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.invoice
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.bill
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.expense
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.credit_note
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.purchase_order
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.leave_request
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.payroll_push
        UNION ALL SELECT id, organisation_id, xero_id, push_state, push_version FROM qicworks.attachment) AS document
 CROSS JOIN LATERAL (SELECT tenant_id FROM xero_sync.connection
                      WHERE connection.organisation_id = document.organisation_id
                      ORDER BY state = 'deleted', connected_at DESC LIMIT 1) AS matched
 WHERE xero_id IS NOT NULL OR push_state = 'pushed'
    ON CONFLICT DO NOTHING;

-- Both, as they are looked at. A seal says itself when it was made; the other columns are of what has none.
CREATE VIEW xero_sync.link_said AS
SELECT document_id, xero_id, version, encode(seal, 'hex') AS seal, NULL::text AS tenant_id, NULL::float8 AS vouched_at
  FROM xero_sync.document_link
 UNION ALL
SELECT document_id, xero_id, version, NULL, tenant_id, extract(epoch FROM vouched_at)::float8 FROM xero_sync.link_before_seals;

-- Who may push may not release: a draft becomes ready, and what is skipped is taken up again, in QicWorks alone. Who may edit
-- documents (raise their version) is free; whoever else moves a state only as a push does.
CREATE FUNCTION xero_sync.push_state_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.push_state = OLD.push_state
       OR (OLD.push_state, NEW.push_state) IN (('ready', 'in_flight'), ('ready', 'pushed'), ('ready', 'failed'),
           ('in_flight', 'pushed'), ('in_flight', 'failed'), ('in_flight', 'ready'), ('failed', 'ready'), ('pushed', 'ready'))
       OR has_column_privilege(TG_RELID, 'push_version', 'UPDATE') THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = format('%s may not make what is %s in qicworks.%s %s: only QicWorks may',
        current_user, OLD.push_state, TG_TABLE_NAME, NEW.push_state);
END $$;
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.invoice FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.bill FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.expense FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.credit_note FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.purchase_order FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.payroll_push FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.leave_request FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.attachment FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();
