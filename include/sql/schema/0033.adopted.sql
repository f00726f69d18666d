-- depends: 0032.links
-- Documents that somebody has typed into Xero by hand: what is alike there holds a document back, and a person decides.

-- The records of Xero that a document may be, as its last push found them. They hold for that version of it.
CREATE TABLE xero_sync.twin (
    document_id   uuid NOT NULL,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    kind          text NOT NULL,                          -- such as 'invoices'
    version       integer NOT NULL,
    xero_id       uuid NOT NULL,
    is_certain    boolean NOT NULL,                       -- number, contact, date and total are the same; false: date or total are not
    shown         jsonb NOT NULL,                         -- number, date, total, currency and status of the record
    seen          text NOT NULL,                          -- a hash of what identifies it: a decision holds for that
    found_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (document_id, xero_id)
);
CREATE INDEX twin_of ON xero_sync.twin (connection_id, kind);
CREATE INDEX twin_record ON xero_sync.twin (connection_id, xero_id);

-- What a person decided about a document and such a record. A row is only ended, never removed.
CREATE TABLE xero_sync.adoption (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    document_id    uuid NOT NULL,
    connection_id  uuid NOT NULL REFERENCES xero_sync.connection,
    kind           text NOT NULL,
    version        integer NOT NULL,                      -- that the person saw
    xero_id        uuid NOT NULL,
    decision       text NOT NULL CHECK (decision IN ('link', 'leave', 'skip')), -- leave: push it, as another one; skip: do not push it
    seen           text NOT NULL,
    decided_by     text NOT NULL,
    decided_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    linked_at      timestamptz,
    ended_at       timestamptz,
    ended_how      text CHECK (ended_how IN ('undone', 'void')), -- void: what was seen is no longer so
    ended_by       text
);
CREATE UNIQUE INDEX adoption_open ON xero_sync.adoption (document_id, xero_id) WHERE ended_at IS NULL;
-- A record becomes one document only.
CREATE UNIQUE INDEX adoption_once ON xero_sync.adoption (connection_id, xero_id) WHERE decision = 'link' AND ended_at IS NULL;

-- With the owner's rights, as who pushes may neither skip a document nor take one up again: not to be pushed (back: to be decided
-- about again). Returns whether it is so now.
CREATE FUNCTION xero_sync.skip_twin(p_table text, p_id uuid, p_version integer, p_back boolean) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done integer;
BEGIN
    IF p_table NOT IN ('invoice', 'bill', 'expense', 'credit_note', 'purchase_order') THEN
        RAISE EXCEPTION 'no table of documents with prices: %', p_table;
    END IF;
    EXECUTE format(
        'UPDATE qicworks.%I AS document SET push_state = $4
          WHERE id = $1 AND push_state = $3 AND xero_id IS NULL AND ($3 = ''skipped'' OR push_version = $2)
            AND EXISTS (SELECT FROM xero_sync.twin WHERE document_id = $1 AND version = $2)
            AND EXISTS (SELECT FROM xero_sync.adoption
                         WHERE document_id = $1 AND version = $2 AND decision = ''skip'' AND ended_at IS NULL)', p_table)
      USING p_id, p_version, CASE WHEN p_back THEN 'skipped' ELSE 'failed' END, CASE WHEN p_back THEN 'failed' ELSE 'skipped' END;
    GET DIAGNOSTICS done = ROW_COUNT;
    RETURN done = 1;
END $$;
REVOKE ALL ON FUNCTION xero_sync.skip_twin(text, uuid, integer, boolean) FROM PUBLIC;

-- Undoes an adoption: the document is not in Xero, and nothing is paid of it, or to be cancelled. Its sealed links stay; only a newer
-- seal ends them.
CREATE FUNCTION xero_sync.undo_adoption(p_table text, p_id uuid, p_adoption bigint, p_error text, p_correction text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done integer;
BEGIN
    IF p_table NOT IN ('invoice', 'bill', 'expense', 'credit_note', 'purchase_order') THEN
        RAISE EXCEPTION 'no table of documents with prices: %', p_table;
    END IF;
    EXECUTE format(
        'UPDATE qicworks.%1$I AS document
            SET push_state = CASE WHEN push_state IN (''draft'', ''skipped'') THEN push_state ELSE ''failed'' END,
                xero_id = NULL, xero_status = NULL, pushed_at = NULL, push_error = $3, push_correction = $4, %2$s
          WHERE id = $1 AND push_state <> ''in_flight''
            AND EXISTS (SELECT FROM xero_sync.adoption
                         WHERE adoption.id = $2 AND document_id = $1 AND decision = ''link'' AND linked_at IS NOT NULL
                           AND ended_at IS NULL AND adoption.xero_id = document.xero_id)',
        p_table,
        CASE p_table
            WHEN 'invoice' THEN 'paid_to_date = 0, credited = 0, balance = 0, fully_paid_on = NULL,
                                 status = CASE WHEN status IN (''Paid'', ''Partially Paid'') THEN ''Un-paid'' ELSE status END'
            WHEN 'credit_note' THEN 'balance = NULL'
            WHEN 'purchase_order' THEN 'status = CASE WHEN status = ''Billed'' THEN coalesce(status_before_billed, ''Issued'') ELSE status END,
                                        status_before_billed = NULL'
            ELSE 'paid_to_date = 0, credited = 0, balance = NULL, fully_paid_on = NULL,
                  status = CASE WHEN status IN (''Paid'', ''Partially Paid'') THEN ''Unpaid'' ELSE status END'
        END) USING p_id, p_adoption, p_error, p_correction;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done = 1 THEN
        DELETE FROM xero_sync.cancellation
         WHERE document_id = p_id AND document_table = p_table AND done_at IS NULL
           AND organisation_id = (SELECT organisation_id FROM xero_sync.connection
                                   WHERE id = (SELECT connection_id FROM xero_sync.adoption WHERE id = p_adoption));
    END IF;
    RETURN done = 1;
END $$;
REVOKE ALL ON FUNCTION xero_sync.undo_adoption(text, uuid, bigint, text, text) FROM PUBLIC;
