-- depends: 0024.outcome
-- What became of documents after their push, and where QicWorks and Xero differ, until that is settled.

-- The values of reason and settled_how are those of Reason and Settled in plugins/xero/qicworks/follow/differences.py.
CREATE TABLE xero_sync.difference (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id      uuid NOT NULL REFERENCES xero_sync.connection,
    document_kind      text NOT NULL,                     -- such as 'invoices'; or a data set, such as 'contacts'
    document_id        uuid,                              -- in the table of that kind; null: of the data set as a whole
    subject            text NOT NULL DEFAULT '',          -- what of it, where there may be several: a file, another leave application
    label              text NOT NULL,                     -- what people call it: 'invoice INV-001'
    reason             text NOT NULL CHECK (reason IN (
        'voided_in_xero', 'deleted_in_xero', 'rejected_in_xero', 'missing_in_xero', 'approved_in_xero', 'edited_in_xero',
        'edited_in_qicworks', 'amounts_differ', 'paid_differs', 'cancelled_in_qicworks', 'file_left_in_xero', 'overlapping_leave',
        'ambiguous_match', 'unproven_push', 'pay_differs', 'records_differ')),
    ours               jsonb NOT NULL DEFAULT '{}',       -- field → value, as people read it; only fields that differ
    theirs             jsonb NOT NULL DEFAULT '{}',
    since              timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    acknowledged_by    text,
    acknowledged_until timestamptz,
    chosen             text CHECK (chosen IN ('qicworks', 'xero')),   -- which side a person chose to keep
    chosen_by          text,
    settled_at         timestamptz,                       -- null: it is open
    settled_how        text CHECK (settled_how IN ('agrees', 'cancelled', 'replaced', 'skipped', 'overwritten', 'gone')),
    CHECK ((settled_at IS NULL) = (settled_how IS NULL))
);
CREATE UNIQUE INDEX difference_open ON xero_sync.difference
    (connection_id, document_kind, coalesce(document_id, '00000000-0000-0000-0000-000000000000'), subject, reason)
    WHERE settled_at IS NULL;
CREATE INDEX difference_document ON xero_sync.difference (document_id) WHERE document_id IS NOT NULL;

-- What differed stays written. It is settled once, and what it was about does not change.
CREATE FUNCTION xero_sync.difference_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF xero_sync.is_owner()
       OR OLD.settled_at IS NULL
          AND (NEW.id, NEW.connection_id, NEW.document_kind, NEW.document_id, NEW.subject, NEW.reason, NEW.since)
              IS NOT DISTINCT FROM
              (OLD.id, OLD.connection_id, OLD.document_kind, OLD.document_id, OLD.subject, OLD.reason, OLD.since) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a difference that is settled stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON xero_sync.difference FOR EACH ROW EXECUTE FUNCTION xero_sync.difference_stays();

-- What was last pushed of a document, hashed by field: as it was sent, and as Xero answered. Not of pay.
CREATE TABLE xero_sync.pushed_content (
    document_id   uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    xero_id       uuid NOT NULL,
    payload       text NOT NULL,                          -- one hash of all that was sent
    sent          jsonb NOT NULL,                         -- field → hash
    answered      jsonb NOT NULL,                         -- the same, of Xero's record after it
    agreed        boolean NOT NULL,                       -- the push was not refused
    seal          bytea NOT NULL,
    pushed_at     timestamptz NOT NULL DEFAULT clock_timestamp()   -- '-infinity': both sides agreed, and when it was sent is not known
);

-- When the reading began that was loaded last: what was pushed since may be older there than in Xero.
ALTER TABLE xero_sync.cursor ADD COLUMN began_at timestamptz;

-- Up to which state of both sides a document was compared, and the status that it had before it followed Xero's.
CREATE TABLE xero_sync.followed_document (
    document_id   uuid PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    compared      text NOT NULL,                          -- a hash of both sides
    compared_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Alerts that were sent, until what they were about is over: no second one for the same.
CREATE TABLE xero_sync.alerted (
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    subject       text NOT NULL,                          -- of what: Subject in plugins/xero/qicworks/follow/alerts.py
    subject_id    text NOT NULL,
    fingerprint   text NOT NULL,                          -- of the reason: another reason is another alert
    channel       text NOT NULL,                          -- by which it went: 'email', 'slack'; one that failed is still owed it
    alerted_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection_id, subject, subject_id, fingerprint, channel)
);

-- How an organisation works. No row: the defaults.
CREATE TABLE xero_sync.connection_setting (
    connection_id uuid PRIMARY KEY REFERENCES xero_sync.connection ON DELETE CASCADE,
    conflicts     text NOT NULL DEFAULT 'ask' CHECK (conflicts IN ('ask', 'qicworks', 'xero')),
    changed_by    text,
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Documents that were pushed, or are on their way, and that QicWorks has cancelled, taken back or deleted since, or moved to another
-- organisation: there it is free.
CREATE TABLE xero_sync.cancellation (
    document_id     uuid NOT NULL,
    document_table  text NOT NULL,                        -- in schema qicworks
    organisation_id uuid NOT NULL,
    number          text,
    xero_id         uuid,                                 -- as the row had it; only a sealed link is trusted
    xero_status     text,                                 -- the same: as Xero last had it
    total           numeric,                              -- the same, in QicWorks; of leave none
    status          text,                                 -- what QicWorks calls it since then; null: the row is deleted; of one that moved, so
    push_version    integer NOT NULL,
    how             text NOT NULL CHECK (how IN ('cancelled', 'draft', 'deleted', 'before')),  -- before: reported, not sent
    cancelled_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at         timestamptz,                          -- it no longer stands in Xero; or it never did
    PRIMARY KEY (document_id, organisation_id)
);
CREATE INDEX cancellation_open ON xero_sync.cancellation (organisation_id, document_table) WHERE done_at IS NULL;

-- Cancellations that the next push sends. What is an open difference waits for a person instead; not one that was found while the
-- organisation was matched to another one of Xero.
CREATE VIEW xero_sync.waiting_cancellation AS
SELECT document_id, document_table, organisation_id, cancelled_at
  FROM xero_sync.cancellation
 WHERE done_at IS NULL
   AND NOT EXISTS (SELECT FROM xero_sync.difference JOIN xero_sync.connection ON connection.id = difference.connection_id
                    WHERE connection.organisation_id = cancellation.organisation_id AND connection.state <> 'deleted'
                      AND difference.document_id = cancellation.document_id AND settled_at IS NULL
                      AND reason = 'cancelled_in_qicworks');

-- Files that are in Xero or may be, and were removed, renamed or moved to another document in QicWorks since: Xero deletes no file for an app.
CREATE TABLE xero_sync.removed_file (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_table  text NOT NULL,
    document_id     uuid NOT NULL,
    organisation_id uuid NOT NULL,
    file_name       text NOT NULL,
    size            integer,                              -- in bytes
    xero_id         uuid,                                 -- null: it was not sent, or Xero's response is not known
    removed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at         timestamptz                           -- Xero no longer has it, or the document has one of its name again
);
CREATE INDEX removed_file_open ON xero_sync.removed_file (organisation_id, document_table) WHERE done_at IS NULL;

-- Whether a document stands in Xero, or may: a request that carries it is open.
CREATE FUNCTION xero_sync.may_stand_in_xero(p_id uuid, p_xero_id uuid, p_push_state text) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT p_xero_id IS NOT NULL OR p_push_state = 'in_flight'
        OR EXISTS (SELECT FROM xero_sync.push_request WHERE closed_at IS NULL AND p_id = ANY (documents))
        OR EXISTS (SELECT FROM xero_sync.link_said WHERE document_id = p_id AND xero_id IS NOT NULL)
$$;
REVOKE ALL ON FUNCTION xero_sync.may_stand_in_xero(uuid, uuid, text) FROM PUBLIC;

-- The same of the Xero of an organisation that it has left: by its links there. Without any link, by its row.
CREATE FUNCTION xero_sync.may_stand_in_xero_of(p_organisation_id uuid, p_id uuid, p_xero_id uuid) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM xero_sync.connection
                    WHERE organisation_id = p_organisation_id
                      AND (EXISTS (SELECT FROM xero_sync.document_link AS link
                                    WHERE link.document_id = p_id AND link.connection_id = connection.id AND link.xero_id IS NOT NULL)
                           OR EXISTS (SELECT FROM xero_sync.link_before_seals AS link
                                       WHERE link.document_id = p_id AND link.tenant_id = connection.tenant_id AND link.xero_id IS NOT NULL)
                           OR EXISTS (SELECT FROM xero_sync.push_request AS request
                                       WHERE request.connection_id = connection.id AND closed_at IS NULL AND p_id = ANY (documents))))
        OR p_xero_id IS NOT NULL AND NOT EXISTS (SELECT FROM xero_sync.link_said WHERE document_id = p_id AND xero_id IS NOT NULL)
$$;
REVOKE ALL ON FUNCTION xero_sync.may_stand_in_xero_of(uuid, uuid, uuid) FROM PUBLIC;

-- TG_ARGV: the statuses that take a document out of force. With the owner's rights: whoever cancels need not know of this table.
CREATE FUNCTION xero_sync.document_was_cancelled() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    out_of_force CONSTANT text[] := coalesce(TG_ARGV, '{}');
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN                 -- else a temporary table with this trigger could write what it likes
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.organisation_id <> OLD.organisation_id THEN
        IF xero_sync.may_stand_in_xero_of(OLD.organisation_id, OLD.id, OLD.xero_id) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total,
                                                status, push_version, how)
            VALUES (OLD.id, TG_TABLE_NAME, OLD.organisation_id, to_jsonb(OLD) ->> 'number', OLD.xero_id, OLD.xero_status,
                    (to_jsonb(OLD) ->> 'total')::numeric, 'moved to another organisation', OLD.push_version, 'deleted')
                ON CONFLICT (document_id, organisation_id) DO UPDATE SET how = 'deleted', status = excluded.status;
        END IF;
        IF NEW.push_state <> 'draft' AND NOT NEW.status = ANY (out_of_force) THEN  -- it is back
            DELETE FROM xero_sync.cancellation WHERE document_id = NEW.id AND organisation_id = NEW.organisation_id;
        END IF;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        -- Inserted again with its id, as by an undo: it is in force, or is cancelled in another way than deleted.
        IF NEW.push_state <> 'draft' AND NOT NEW.status = ANY (out_of_force) THEN
            DELETE FROM xero_sync.cancellation
             WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME AND organisation_id = NEW.organisation_id;
        ELSE
            UPDATE xero_sync.cancellation
               SET how = CASE WHEN NEW.status = ANY (out_of_force) AND NEW.status NOT IN ('Draft', 'Requested') THEN 'cancelled' ELSE 'draft' END,
                   status = NEW.status, number = to_jsonb(NEW) ->> 'number', xero_id = coalesce(NEW.xero_id, xero_id),
                   push_version = NEW.push_version
             WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME AND organisation_id = NEW.organisation_id;
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF xero_sync.may_stand_in_xero(OLD.id, OLD.xero_id, OLD.push_state) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total,
                                                push_version, how)
            VALUES (OLD.id, TG_TABLE_NAME, OLD.organisation_id, to_jsonb(OLD) ->> 'number', OLD.xero_id, OLD.xero_status,
                    (to_jsonb(OLD) ->> 'total')::numeric, OLD.push_version, 'deleted')
                ON CONFLICT (document_id, organisation_id) DO UPDATE SET how = 'deleted', status = NULL, xero_id = coalesce(excluded.xero_id, cancellation.xero_id);
        END IF;
    ELSIF NEW.status = ANY (out_of_force) AND NOT OLD.status = ANY (out_of_force) OR NEW.push_state = 'draft' AND OLD.push_state <> 'draft' THEN
        -- What Xero has rejected needs no cancellation: its status follows.
        IF NEW.xero_status IS DISTINCT FROM 'REJECTED' AND xero_sync.may_stand_in_xero(NEW.id, NEW.xero_id, OLD.push_state) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total,
                                                status, push_version, how)
            VALUES (NEW.id, TG_TABLE_NAME, NEW.organisation_id, to_jsonb(NEW) ->> 'number', NEW.xero_id, OLD.xero_status,
                    (to_jsonb(OLD) ->> 'total')::numeric, NEW.status, NEW.push_version,
                    CASE WHEN NEW.status = ANY (out_of_force) AND NEW.status NOT IN ('Draft', 'Requested') THEN 'cancelled' ELSE 'draft' END)
                ON CONFLICT (document_id, organisation_id) DO UPDATE SET
                   how = excluded.how, number = excluded.number, xero_id = excluded.xero_id, xero_status = excluded.xero_status,
                   total = excluded.total, status = excluded.status, push_version = excluded.push_version,
                   cancelled_at = clock_timestamp(), done_at = NULL;
        END IF;
    ELSIF NEW.push_state <> 'draft'
          AND (NOT NEW.status = ANY (out_of_force) AND (OLD.push_state = 'draft' OR OLD.status = ANY (out_of_force))
               OR NEW.status = 'Draft' AND OLD.push_state = 'draft') THEN
        DELETE FROM xero_sync.cancellation                -- it is in force again
         WHERE document_id = NEW.id AND organisation_id = NEW.organisation_id;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION xero_sync.document_was_cancelled() FROM PUBLIC;
-- An invoice is pushed as 'Draft', and its status follows Xero's: a form that was opened before may write it back. It is taken back by
-- its push_state alone.
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF push_state, organisation_id OR DELETE ON qicworks.invoice
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id OR DELETE ON qicworks.bill
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Cancelled', 'Draft');
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id OR DELETE ON qicworks.expense
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Cancelled', 'Draft');
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id OR DELETE ON qicworks.credit_note
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Cancelled', 'Archived', 'Draft');
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id OR DELETE ON qicworks.purchase_order
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Archived', 'Draft');
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id OR DELETE ON qicworks.leave_request
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Rejected', 'Requested');

-- What is inserted again with its id may have another content than what was pushed, under an earlier version: it has a new version, and
-- is pushed again, to the record that its links name. Leave that is approved as it is inserted stays approved.
CREATE FUNCTION xero_sync.document_is_back() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next CONSTANT integer := (SELECT push_version + 1 FROM xero_sync.cancellation
                               WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME
                                 AND organisation_id = NEW.organisation_id AND how = 'deleted');
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF next IS NOT NULL THEN
        IF NEW.push_version < next THEN
            IF (to_jsonb(NEW) ->> 'approved_version')::integer = NEW.push_version THEN
                NEW := jsonb_populate_record(NEW, jsonb_build_object('approved_version', next));
            END IF;
            NEW.push_version := next;
        END IF;
        IF NEW.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
        END IF;
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION xero_sync.document_is_back() FROM PUBLIC;
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.invoice FOR EACH ROW EXECUTE FUNCTION xero_sync.document_is_back();
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.bill FOR EACH ROW EXECUTE FUNCTION xero_sync.document_is_back();
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.expense FOR EACH ROW EXECUTE FUNCTION xero_sync.document_is_back();
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.credit_note FOR EACH ROW EXECUTE FUNCTION xero_sync.document_is_back();
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.purchase_order FOR EACH ROW EXECUTE FUNCTION xero_sync.document_is_back();
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.leave_request FOR EACH ROW EXECUTE FUNCTION xero_sync.document_is_back();

-- Who may push may not cancel, nor undo a cancellation: QicWorks alone does. As for push_state_moves, who may edit documents is free.
-- TG_ARGV as above. Following writes none of these statuses, but 'Rejected' of leave that Xero has rejected.
CREATE FUNCTION xero_sync.status_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.status = OLD.status OR has_column_privilege(TG_RELID, 'push_version', 'UPDATE')
       OR NEW.status = 'Rejected' AND NEW.xero_status = 'REJECTED' THEN
        RETURN NEW;
    END IF;
    IF NEW.status = ANY (TG_ARGV)
       OR OLD.status = ANY (TG_ARGV) AND EXISTS (SELECT FROM xero_sync.cancellation
                                           WHERE document_id = NEW.id AND organisation_id = NEW.organisation_id) THEN
        RAISE insufficient_privilege USING MESSAGE = format('%s may not make what is %s in qicworks.%s %s: only QicWorks may',
            current_user, OLD.status, TG_TABLE_NAME, NEW.status);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER status_moves BEFORE UPDATE OF status ON qicworks.bill
   FOR EACH ROW EXECUTE FUNCTION xero_sync.status_moves('Cancelled', 'Draft');
CREATE TRIGGER status_moves BEFORE UPDATE OF status ON qicworks.expense
   FOR EACH ROW EXECUTE FUNCTION xero_sync.status_moves('Cancelled', 'Draft');
CREATE TRIGGER status_moves BEFORE UPDATE OF status ON qicworks.credit_note
   FOR EACH ROW EXECUTE FUNCTION xero_sync.status_moves('Cancelled', 'Archived', 'Draft');
CREATE TRIGGER status_moves BEFORE UPDATE OF status ON qicworks.purchase_order
   FOR EACH ROW EXECUTE FUNCTION xero_sync.status_moves('Archived', 'Draft');
CREATE TRIGGER status_moves BEFORE UPDATE OF status ON qicworks.leave_request
   FOR EACH ROW EXECUTE FUNCTION xero_sync.status_moves('Rejected', 'Requested');

-- What was cancelled or taken back before, and stands in Xero: reported; nothing is deleted for an update of this project.
INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total, status, push_version, how)
SELECT id, kept_in, organisation_id, number, xero_id, xero_status, total, status, push_version, 'before'
  FROM (          SELECT id, 'invoice' AS kept_in, organisation_id, number, xero_id, push_version, push_state, xero_status, total, status
                    FROM qicworks.invoice
        UNION ALL SELECT id, 'bill', organisation_id, number, xero_id, push_version, push_state, xero_status, total, status
                    FROM qicworks.bill
        UNION ALL SELECT id, 'expense', organisation_id, number, xero_id, push_version, push_state, xero_status, total, status
                    FROM qicworks.expense
        UNION ALL SELECT id, 'credit_note', organisation_id, number, xero_id, push_version, push_state, xero_status, total, status
                    FROM qicworks.credit_note
        UNION ALL SELECT id, 'purchase_order', organisation_id, number, xero_id, push_version, push_state, xero_status, total, status
                    FROM qicworks.purchase_order
        UNION ALL SELECT id, 'leave_request', organisation_id, NULL, xero_id, push_version, push_state, xero_status, NULL, status
                    FROM qicworks.leave_request) AS document
 WHERE xero_id IS NOT NULL AND (status IN ('Cancelled', 'Archived', 'Rejected') OR push_state = 'draft')
   AND coalesce(xero_status, '') NOT IN ('VOIDED', 'DELETED', 'REJECTED');

CREATE FUNCTION xero_sync.file_was_removed() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_be_sent boolean;
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN                 -- else a temporary table with this trigger could write what it likes
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.file_name, NEW.parent_type, NEW.parent_id) = (OLD.file_name, OLD.parent_type, OLD.parent_id) THEN
        RETURN NULL;
    END IF;
    -- Without an id, too: it may be on its way, or Xero's response was lost. A push looks for it, if its document is in Xero.
    EXECUTE format('SELECT push_state <> ''draft'' OR xero_sync.may_stand_in_xero(id, xero_id, push_state)
                      FROM qicworks.%I WHERE id = $1', OLD.parent_type)
       INTO may_be_sent USING OLD.parent_id;
    IF OLD.xero_id IS NOT NULL
       OR coalesce(may_be_sent, EXISTS (SELECT FROM xero_sync.cancellation WHERE document_id = OLD.parent_id)) THEN
        INSERT INTO xero_sync.removed_file (document_table, document_id, organisation_id, file_name, size, xero_id)
        VALUES (OLD.parent_type, OLD.parent_id, OLD.organisation_id, OLD.file_name, octet_length(OLD.content), OLD.xero_id);
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION xero_sync.file_was_removed() FROM PUBLIC;
CREATE TRIGGER was_removed AFTER UPDATE OF file_name, parent_type, parent_id OR DELETE ON qicworks.attachment
   FOR EACH ROW EXECUTE FUNCTION xero_sync.file_was_removed();

-- A file that moves to another document, or with its document to another organisation, is not in Xero there: it is sent.
CREATE FUNCTION xero_sync.file_was_moved() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.parent_type, NEW.parent_id, NEW.organisation_id) <> (OLD.parent_type, OLD.parent_id, OLD.organisation_id) THEN
        NEW.push_version := OLD.push_version + 1;
        NEW.updated_at := now();
        NEW.xero_id := NULL;
        NEW.pushed_at := NULL;
        IF NEW.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
            NEW.push_error := NULL;
            NEW.push_correction := NULL;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER was_moved BEFORE UPDATE OF parent_type, parent_id, organisation_id ON qicworks.attachment
   FOR EACH ROW EXECUTE FUNCTION xero_sync.file_was_moved();

-- Why a request was sent: to create or change its documents, or to delete them (leave: to reject it).
ALTER TABLE xero_sync.push_request ADD COLUMN purpose text NOT NULL DEFAULT 'push' CHECK (purpose IN ('push', 'cancel'));

-- As in schema/0018; and what failed is pushed again, without a request, when Xero has come to agree with it.
CREATE OR REPLACE FUNCTION xero_sync.push_state_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.push_state = OLD.push_state
       OR (OLD.push_state, NEW.push_state) IN (('ready', 'in_flight'), ('ready', 'pushed'), ('ready', 'failed'),
           ('in_flight', 'pushed'), ('in_flight', 'failed'), ('in_flight', 'ready'), ('failed', 'ready'), ('failed', 'pushed'),
           ('pushed', 'ready'))
       OR has_column_privilege(TG_RELID, 'push_version', 'UPDATE') THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = format('%s may not make what is %s in qicworks.%s %s: only QicWorks may',
        current_user, OLD.push_state, TG_TABLE_NAME, NEW.push_state);
END $$;

-- Writes Xero's side over a document: columns of its row, and of its lines by their ids; a line without an id is new, those of
-- p_removed go. With the owner's rights, because whoever pushes may not edit: only where the organisation's setting or a person
-- keeps Xero's side, and only the version that was compared. False: nothing was written.
CREATE FUNCTION xero_sync.take_over(
    p_table text, p_id uuid, p_version integer, p_header jsonb, p_lines jsonb, p_removed uuid[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_header CONSTANT text[] := ARRAY['number', 'reference', 'contact_id', 'issue_date', 'due_date', 'currency', 'line_amount_types',
        'delivery_date', 'delivery_address', 'attention_to', 'telephone', 'delivery_instructions', 'sub_total', 'total_tax', 'total'];
    of_line CONSTANT text[] := ARRAY['description', 'quantity', 'unit_price', 'line_total', 'tax_amount', 'account_id', 'tax_code_id',
        'tracking_option_id', 'second_tracking_option_id', 'xero_line_id'];
    columns text;
    line    jsonb;
    allowed boolean;
BEGIN
    IF p_table NOT IN ('invoice', 'bill', 'expense', 'credit_note', 'purchase_order') THEN
        RAISE EXCEPTION 'no table of documents with prices: %', p_table;
    END IF;
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM xero_sync.connection
                          LEFT JOIN xero_sync.connection_setting AS setting ON setting.connection_id = connection.id
                         WHERE connection.organisation_id = document.organisation_id AND connection.state <> ''deleted''
                           AND (setting.conflicts = ''xero''
                                OR EXISTS (SELECT FROM xero_sync.difference
                                            WHERE difference.connection_id = connection.id AND document_id = document.id
                                              AND settled_at IS NULL AND chosen = ''xero'')))
           FROM qicworks.%I AS document WHERE id = $1 AND push_version = $2 AND xero_id IS NOT NULL FOR UPDATE', p_table)
       INTO allowed USING p_id, p_version;
    IF allowed IS NOT TRUE THEN
        RETURN false;
    END IF;
    SELECT string_agg(format('%1$I = taken.%1$I', key), ', ') INTO columns
      FROM jsonb_object_keys(p_header) AS key WHERE key = ANY (of_header);
    IF columns IS NOT NULL THEN
        EXECUTE format('UPDATE qicworks.%1$I AS held SET %2$s
                          FROM jsonb_populate_record(NULL::qicworks.%1$I, $1) AS taken WHERE held.id = $2', p_table, columns)
          USING p_header, p_id;
    END IF;
    DELETE FROM qicworks.document_line WHERE parent_type = p_table AND parent_id = p_id AND id = ANY (p_removed);
    FOR line IN SELECT * FROM jsonb_array_elements(p_lines) LOOP
        SELECT string_agg(format('%1$I = taken.%1$I', key), ', ') INTO columns
          FROM jsonb_object_keys(line) AS key WHERE key = ANY (of_line);
        IF line ->> 'id' IS NOT NULL THEN
            EXECUTE format('UPDATE qicworks.document_line AS held SET %s
                              FROM jsonb_populate_record(NULL::qicworks.document_line, $1) AS taken
                             WHERE held.id = taken.id AND held.parent_type = $2 AND held.parent_id = $3', columns)
              USING line, p_table, p_id;
        ELSE
            INSERT INTO qicworks.document_line
                   (parent_type, parent_id, line_number, description, quantity, unit_price, line_total, tax_amount, account_id,
                    tax_code_id, tracking_option_id, second_tracking_option_id, xero_line_id)
            SELECT p_table, p_id, (SELECT coalesce(max(line_number), 0) + 1 FROM qicworks.document_line
                                    WHERE parent_type = p_table AND parent_id = p_id),
                   description, coalesce(quantity, 1), coalesce(unit_price, 0), line_total, tax_amount, account_id, tax_code_id,
                   tracking_option_id, second_tracking_option_id, xero_line_id
              FROM jsonb_populate_record(NULL::qicworks.document_line, line);
        END IF;
    END LOOP;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION xero_sync.take_over(text, uuid, integer, jsonb, jsonb, uuid[]) FROM PUBLIC;

-- As in schema/0010; that an order is billed is no edit, either.
CREATE OR REPLACE FUNCTION xero_sync.document_was_edited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Not an edit: what the push itself writes, approval, and what follows Xero.
    apart CONSTANT text[] := ARRAY['push_state', 'push_version', 'xero_id', 'xero_status', 'pushed_at', 'push_error', 'push_correction',
        'created_at', 'updated_at', 'status', 'paid_to_date', 'credited', 'balance', 'fully_paid_on', 'status_before_billed',
        'balance_at_request', 'approved_version', 'approved_at', 'approved_by'];
BEGIN
    IF current_setting('xero_sync.erasing', true) = 'on' THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - apart IS DISTINCT FROM to_jsonb(OLD) - apart THEN
        NEW.push_version := OLD.push_version + 1;
        NEW.updated_at := now();
        IF NEW.push_state = OLD.push_state AND OLD.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
        END IF;
    END IF;
    IF NEW.push_state = 'ready' AND OLD.push_state <> 'ready' THEN
        NEW.push_error := NULL;
        NEW.push_correction := NULL;
    END IF;
    RETURN NEW;
END $$;

-- What is paid of them, as Xero has it.
ALTER TABLE qicworks.bill
    ADD COLUMN paid_to_date numeric(18, 2) NOT NULL DEFAULT 0, ADD COLUMN credited numeric(18, 2) NOT NULL DEFAULT 0,
    ADD COLUMN balance numeric(18, 2), ADD COLUMN fully_paid_on date;
ALTER TABLE qicworks.expense
    ADD COLUMN paid_to_date numeric(18, 2) NOT NULL DEFAULT 0, ADD COLUMN credited numeric(18, 2) NOT NULL DEFAULT 0,
    ADD COLUMN balance numeric(18, 2), ADD COLUMN fully_paid_on date;
ALTER TABLE qicworks.credit_note
    ADD COLUMN balance numeric(18, 2);                    -- what is left of it to be allocated or refunded
ALTER TABLE qicworks.purchase_order
    ADD COLUMN status_before_billed text;                 -- if Xero takes the bill back

-- The records of Xero that QicWorks' documents are.
CREATE TABLE xero_sync.stage_invoice_record (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, number text, status text, content text, total numeric, amount_paid numeric, amount_credited numeric, amount_due numeric,
    fully_paid_on date
);
CREATE TABLE xero_sync.stage_credit_note_record (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, number text, status text, content text, total numeric, amount_due numeric
);
CREATE TABLE xero_sync.stage_purchase_order_record (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, number text, status text, content text, total numeric
);
CREATE TABLE qicworks.invoice_record (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id         uuid NOT NULL,
    number          varchar(255),
    status          varchar(50),
    content         text NOT NULL,                        -- JSON: field → value, as far as QicWorks sends the field
    total           numeric(18, 4),
    amount_paid     numeric(18, 4),
    amount_credited numeric(18, 4),
    amount_due      numeric(18, 4),
    fully_paid_on   date,
    disagreement    numeric(18, 4),                       -- amount_paid less the payments that Xero lists
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE TABLE qicworks.credit_note_record (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id    uuid NOT NULL,
    number     varchar(255),
    status     varchar(50),
    content    text NOT NULL,
    total      numeric(18, 4),
    amount_due numeric(18, 4),                            -- what is left of it
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE TABLE qicworks.purchase_order_record (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id uuid NOT NULL,
    number  varchar(255),
    status  varchar(50),
    content text NOT NULL,
    total   numeric(18, 4),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE TABLE xero_sync.stage_leave_application (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, employee_xero_id uuid, leave_type_xero_id uuid, reference uuid, start_date date, end_date date, status text, content text
);
-- Leave as Xero's payroll has it: of QicWorks' requests, and leave that was entered in Xero. Without titles and notes.
CREATE TABLE qicworks.leave_application (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id            uuid NOT NULL,
    employee_xero_id   uuid NOT NULL,
    leave_type_xero_id uuid,
    reference          uuid,                              -- the request of QicWorks' that its description names
    start_date         date,                              -- these two and content: null where the person was erased
    end_date           date,
    status             varchar(100),                      -- of its periods, each once: 'PROCESSED, SCHEDULED'
    content            text,                              -- JSON: its pay periods, first day and units, as Xero has them
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE INDEX leave_application_employee ON qicworks.leave_application (connection_id, employee_xero_id);
