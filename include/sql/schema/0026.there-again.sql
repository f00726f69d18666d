-- depends: 0025.differences
-- Rows that QicWorks deletes and inserts again, moves, or whose id it uses in another table.

ALTER TABLE xero_sync.cancellation DROP CONSTRAINT cancellation_pkey;
ALTER TABLE xero_sync.cancellation ADD PRIMARY KEY (document_id, document_table, organisation_id);

-- As in schema/0025; a difference of another kind is of another document, even under the same id.
CREATE OR REPLACE VIEW xero_sync.waiting_cancellation AS
SELECT document_id, document_table, organisation_id, cancelled_at
  FROM xero_sync.cancellation
 WHERE done_at IS NULL
   AND NOT EXISTS (SELECT FROM xero_sync.difference JOIN xero_sync.connection ON connection.id = difference.connection_id
                    WHERE connection.organisation_id = cancellation.organisation_id AND connection.state <> 'deleted'
                      AND difference.document_id = cancellation.document_id
                      AND difference.document_kind = cancellation.document_table || 's' AND settled_at IS NULL
                      AND reason = 'cancelled_in_qicworks');

-- Whether a document of an organisation stands in its Xero, or may. Of one that has left another organisation, what is known of the
-- other Xero says nothing.
CREATE FUNCTION xero_sync.may_stand_in_its_xero(
    p_table text, p_organisation_id uuid, p_id uuid, p_xero_id uuid, p_push_state text
) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM xero_sync.cancellation
                              WHERE document_id = p_id AND document_table = p_table AND organisation_id <> p_organisation_id)
                THEN p_push_state = 'in_flight' OR xero_sync.may_stand_in_xero_of(p_organisation_id, p_id, p_xero_id)
                ELSE xero_sync.may_stand_in_xero(p_id, p_xero_id, p_push_state) END
$$;
REVOKE ALL ON FUNCTION xero_sync.may_stand_in_its_xero(text, uuid, uuid, uuid, text) FROM PUBLIC;

-- As in schema/0025, by the organisation's own Xero and by table. Before a row is deleted: the same statement may insert it again.
CREATE OR REPLACE FUNCTION xero_sync.document_was_cancelled() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    out_of_force CONSTANT text[] := coalesce(TG_ARGV, '{}');
    is_in_force  boolean;
    how_now      text;
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN                 -- else a temporary table with this trigger could write what it likes
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF xero_sync.may_stand_in_its_xero(TG_TABLE_NAME, OLD.organisation_id, OLD.id, OLD.xero_id, OLD.push_state) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total,
                                                status, push_version, how)
            VALUES (OLD.id, TG_TABLE_NAME, OLD.organisation_id, to_jsonb(OLD) ->> 'number', OLD.xero_id, OLD.xero_status,
                    (to_jsonb(OLD) ->> 'total')::numeric, NULL, OLD.push_version, 'deleted')
                ON CONFLICT (document_id, document_table, organisation_id) DO UPDATE SET
                   how = 'deleted', status = NULL, push_version = excluded.push_version,
                   done_at = CASE WHEN excluded.xero_id <> cancellation.xero_id THEN NULL ELSE cancellation.done_at END,
                   xero_id = coalesce(excluded.xero_id, cancellation.xero_id);
        END IF;
        RETURN OLD;
    END IF;
    is_in_force := NEW.push_state <> 'draft' AND NOT NEW.status = ANY (out_of_force);
    how_now := CASE WHEN NEW.status = ANY (out_of_force) AND NEW.status NOT IN ('Draft', 'Requested') THEN 'cancelled' ELSE 'draft' END;
    IF TG_OP = 'UPDATE' AND NEW.organisation_id <> OLD.organisation_id THEN
        IF xero_sync.may_stand_in_xero_of(OLD.organisation_id, OLD.id, OLD.xero_id) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total,
                                                status, push_version, how)
            VALUES (OLD.id, TG_TABLE_NAME, OLD.organisation_id, to_jsonb(OLD) ->> 'number', OLD.xero_id, OLD.xero_status,
                    (to_jsonb(OLD) ->> 'total')::numeric, 'moved to another organisation', OLD.push_version, 'deleted')
                ON CONFLICT (document_id, document_table, organisation_id) DO UPDATE SET
                   how = 'deleted', status = excluded.status,
                   done_at = CASE WHEN excluded.xero_id <> cancellation.xero_id THEN NULL ELSE cancellation.done_at END,
                   xero_id = coalesce(excluded.xero_id, cancellation.xero_id);
        END IF;
        UPDATE qicworks.document_line SET xero_line_id = NULL
         WHERE parent_type = TG_TABLE_NAME AND parent_id = NEW.id AND xero_line_id IS NOT NULL;
        -- What was removed while it was away is still in the Xero that it comes back to.
        INSERT INTO xero_sync.removed_file (document_table, document_id, organisation_id, file_name, attachment_id, push_version)
        SELECT document_table, document_id, NEW.organisation_id, file_name, attachment_id, push_version
          FROM xero_sync.removed_file AS removed
         WHERE document_table = TG_TABLE_NAME AND document_id = NEW.id AND organisation_id = OLD.organisation_id
           AND xero_sync.may_stand_in_xero_of(NEW.organisation_id, NEW.id, NULL);
    END IF;
    IF TG_OP = 'INSERT' OR NEW.organisation_id <> OLD.organisation_id THEN
        UPDATE qicworks.attachment SET organisation_id = NEW.organisation_id
         WHERE parent_type = TG_TABLE_NAME AND parent_id = NEW.id AND organisation_id <> NEW.organisation_id;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.organisation_id <> OLD.organisation_id THEN
        -- It is there again, as by an undo: in force, or cancelled in another way than deleted.
        IF is_in_force THEN
            DELETE FROM xero_sync.cancellation
             WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME AND organisation_id = NEW.organisation_id;
        ELSE
            UPDATE xero_sync.cancellation
               SET how = how_now, status = NEW.status, number = to_jsonb(NEW) ->> 'number', xero_id = coalesce(NEW.xero_id, xero_id),
                   push_version = NEW.push_version
             WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME AND organisation_id = NEW.organisation_id;
        END IF;
    ELSIF NEW.status = ANY (out_of_force) AND NOT OLD.status = ANY (out_of_force) OR NEW.push_state = 'draft' AND OLD.push_state <> 'draft' THEN
        -- What Xero has rejected needs no cancellation: its status follows.
        IF NEW.xero_status IS DISTINCT FROM 'REJECTED'
           AND xero_sync.may_stand_in_its_xero(TG_TABLE_NAME, NEW.organisation_id, NEW.id, NEW.xero_id, OLD.push_state) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, total,
                                                status, push_version, how)
            VALUES (NEW.id, TG_TABLE_NAME, NEW.organisation_id, to_jsonb(NEW) ->> 'number', NEW.xero_id, OLD.xero_status,
                    (to_jsonb(OLD) ->> 'total')::numeric, NEW.status, NEW.push_version, how_now)
                ON CONFLICT (document_id, document_table, organisation_id) DO UPDATE SET
                   how = excluded.how, number = excluded.number, xero_id = excluded.xero_id, xero_status = excluded.xero_status,
                   total = excluded.total, status = excluded.status, push_version = excluded.push_version,
                   cancelled_at = clock_timestamp(), done_at = NULL;
        END IF;
    ELSIF is_in_force AND (OLD.push_state = 'draft' OR OLD.status = ANY (out_of_force))
          OR NEW.push_state <> 'draft' AND NEW.status = 'Draft' AND OLD.push_state = 'draft' THEN
        DELETE FROM xero_sync.cancellation                -- it is in force again
         WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME AND organisation_id = NEW.organisation_id;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER was_cancelled ON qicworks.invoice;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF push_state, organisation_id ON qicworks.invoice
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.invoice FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
DROP TRIGGER was_cancelled ON qicworks.bill;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id ON qicworks.bill
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Cancelled', 'Draft');
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.bill FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
DROP TRIGGER was_cancelled ON qicworks.expense;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id ON qicworks.expense
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Cancelled', 'Draft');
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.expense FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
DROP TRIGGER was_cancelled ON qicworks.credit_note;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id ON qicworks.credit_note
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Cancelled', 'Archived', 'Draft');
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.credit_note FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
DROP TRIGGER was_cancelled ON qicworks.purchase_order;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id ON qicworks.purchase_order
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Archived', 'Draft');
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.purchase_order FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();
DROP TRIGGER was_cancelled ON qicworks.leave_request;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF status, push_state, organisation_id ON qicworks.leave_request
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled('Rejected', 'Requested');
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.leave_request FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_cancelled();

-- A document that moves to another organisation is in no Xero there: it is sent, as a new one, unless its links there say more.
CREATE FUNCTION xero_sync.document_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.organisation_id <> OLD.organisation_id THEN
        NEW.xero_id := nullif(NEW.xero_id, OLD.xero_id);
        NEW.xero_status := NULL;
        NEW.pushed_at := NULL;
        NEW := jsonb_populate_record(NEW, jsonb_build_object('paid_to_date', 0, 'credited', 0, 'fully_paid_on', NULL,
            'balance', CASE WHEN TG_TABLE_NAME = 'invoice' THEN 0 END));
        IF NEW.status IN ('Paid', 'Partially Paid') THEN
            NEW.status := CASE TG_TABLE_NAME WHEN 'invoice' THEN 'Un-paid' ELSE 'Unpaid' END;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER moves_away BEFORE UPDATE OF organisation_id ON qicworks.invoice FOR EACH ROW EXECUTE FUNCTION xero_sync.document_moves();
CREATE TRIGGER moves_away BEFORE UPDATE OF organisation_id ON qicworks.bill FOR EACH ROW EXECUTE FUNCTION xero_sync.document_moves();
CREATE TRIGGER moves_away BEFORE UPDATE OF organisation_id ON qicworks.expense FOR EACH ROW EXECUTE FUNCTION xero_sync.document_moves();
CREATE TRIGGER moves_away BEFORE UPDATE OF organisation_id ON qicworks.credit_note FOR EACH ROW EXECUTE FUNCTION xero_sync.document_moves();
CREATE TRIGGER moves_away BEFORE UPDATE OF organisation_id ON qicworks.purchase_order FOR EACH ROW EXECUTE FUNCTION xero_sync.document_moves();
CREATE TRIGGER moves_away BEFORE UPDATE OF organisation_id ON qicworks.leave_request FOR EACH ROW EXECUTE FUNCTION xero_sync.document_moves();

-- Which file it was: it may be inserted again with its id, or another of its name.
ALTER TABLE xero_sync.removed_file ADD COLUMN attachment_id uuid, ADD COLUMN push_version integer;

-- As in schema/0025. Before a row is deleted: the same statement may insert it again.
CREATE OR REPLACE FUNCTION xero_sync.file_was_removed() RETURNS trigger LANGUAGE plpgsql
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
       OR coalesce(may_be_sent, EXISTS (SELECT FROM xero_sync.cancellation
                                         WHERE document_id = OLD.parent_id AND document_table = OLD.parent_type)) THEN
        INSERT INTO xero_sync.removed_file (document_table, document_id, organisation_id, file_name, size, xero_id, attachment_id, push_version)
        VALUES (OLD.parent_type, OLD.parent_id, OLD.organisation_id, OLD.file_name, octet_length(OLD.content), OLD.xero_id, OLD.id,
                OLD.push_version);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD END;
END $$;
DROP TRIGGER was_removed ON qicworks.attachment;
CREATE TRIGGER was_removed AFTER UPDATE OF file_name, parent_type, parent_id ON qicworks.attachment
   FOR EACH ROW EXECUTE FUNCTION xero_sync.file_was_removed();
CREATE TRIGGER is_deleted BEFORE DELETE ON qicworks.attachment FOR EACH ROW EXECUTE FUNCTION xero_sync.file_was_removed();

-- What is inserted again, with its id or in the place of a file that was removed, may have another content than what was pushed:
-- it has a new version, and is sent.
CREATE FUNCTION xero_sync.file_is_back() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    removed record;
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    SELECT max(push_version) AS version,
           (array_agg(xero_id ORDER BY id DESC) FILTER (WHERE attachment_id = NEW.id AND is_here))[1] AS xero_id,
           bool_or(is_here) AS is_here
      INTO removed
      FROM xero_sync.removed_file
     CROSS JOIN LATERAL (VALUES ((document_table, document_id) = (NEW.parent_type, NEW.parent_id))) AS place (is_here)
     WHERE attachment_id = NEW.id OR is_here AND (lower(file_name) = lower(NEW.file_name) OR xero_id = NEW.xero_id)
    HAVING count(*) > 0;
    IF FOUND THEN
        NEW.push_version := greatest(NEW.push_version, coalesce(removed.version, NEW.push_version) + 1);
        NEW.xero_id := CASE WHEN removed.is_here THEN coalesce(NEW.xero_id, removed.xero_id) END;
        IF NEW.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
            NEW.push_error := NULL;
            NEW.push_correction := NULL;
        END IF;
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION xero_sync.file_is_back() FROM PUBLIC;
CREATE TRIGGER is_back BEFORE INSERT ON qicworks.attachment FOR EACH ROW EXECUTE FUNCTION xero_sync.file_is_back();
CREATE INDEX removed_file_document ON xero_sync.removed_file (document_id);
CREATE INDEX removed_file_attachment ON xero_sync.removed_file (attachment_id);

-- As in schema/0025, by table.
CREATE OR REPLACE FUNCTION xero_sync.status_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.status = OLD.status OR has_column_privilege(TG_RELID, 'push_version', 'UPDATE')
       OR NEW.status = 'Rejected' AND NEW.xero_status = 'REJECTED' THEN
        RETURN NEW;
    END IF;
    IF NEW.status = ANY (TG_ARGV)
       OR OLD.status = ANY (TG_ARGV) AND EXISTS (SELECT FROM xero_sync.cancellation
                                           WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME
                                             AND organisation_id = NEW.organisation_id) THEN
        RAISE insufficient_privilege USING MESSAGE = format('%s may not make what is %s in qicworks.%s %s: only QicWorks may',
            current_user, OLD.status, TG_TABLE_NAME, NEW.status);
    END IF;
    RETURN NEW;
END $$;

-- As in schema/0025; and a row that comes with the record of another organisation's, or of another table's document of its id, has none.
CREATE OR REPLACE FUNCTION xero_sync.document_is_back() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next CONSTANT integer := (SELECT push_version + 1 FROM xero_sync.cancellation
                               WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME
                                 AND organisation_id = NEW.organisation_id AND how = 'deleted');
    is_others CONSTANT boolean := NEW.xero_id IS NOT NULL
        AND (next IS NULL
             AND EXISTS (SELECT FROM xero_sync.cancellation
                          WHERE document_id = NEW.id AND xero_id = NEW.xero_id
                            AND (document_table, organisation_id) <> (TG_TABLE_NAME, NEW.organisation_id))
             OR EXISTS (SELECT FROM xero_sync.document_link AS link JOIN xero_sync.connection ON connection.id = link.connection_id
                         WHERE link.document_id = NEW.id AND link.xero_id = NEW.xero_id
                           AND connection.organisation_id <> NEW.organisation_id));
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF is_others THEN
        NEW.xero_id := NULL;
        NEW.xero_status := NULL;
        NEW.pushed_at := NULL;
    END IF;
    IF next IS NOT NULL AND NEW.push_version < next THEN
        IF (to_jsonb(NEW) ->> 'approved_version')::integer = NEW.push_version THEN
            NEW := jsonb_populate_record(NEW, jsonb_build_object('approved_version', next));
        END IF;
        NEW.push_version := next;
    END IF;
    IF (next IS NOT NULL OR is_others) AND NEW.push_state IN ('in_flight', 'pushed', 'failed') THEN
        NEW.push_state := 'ready';
    END IF;
    RETURN NEW;
END $$;

-- TRUNCATE fires no trigger of a row: its rows are deleted first, one by one. Lines that are emptied are an edit of their documents.
CREATE FUNCTION xero_sync.table_is_emptied() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent text;
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF TG_TABLE_NAME <> 'document_line' THEN
        EXECUTE format('DELETE FROM qicworks.%I', TG_TABLE_NAME);
        RETURN NULL;
    END IF;
    FOR parent IN SELECT DISTINCT parent_type FROM qicworks.document_line LOOP
        EXECUTE format(
            'UPDATE qicworks.%I SET push_version = push_version + 1, updated_at = now(),
                    push_state = CASE WHEN push_state IN (''in_flight'', ''pushed'', ''failed'') THEN ''ready'' ELSE push_state END
              WHERE id IN (SELECT parent_id FROM qicworks.document_line WHERE parent_type = $1)', parent) USING parent;
    END LOOP;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION xero_sync.table_is_emptied() FROM PUBLIC;
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.invoice FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.bill FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.expense FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.credit_note FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.purchase_order FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.leave_request FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.attachment FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.document_line FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();
