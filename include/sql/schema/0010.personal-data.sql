-- depends: 0009.pages
-- Who was erased here, though Xero may still have them: ids only.

CREATE TABLE xero_sync.erasure (
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    table_name    text NOT NULL,                            -- in schema qicworks
    xero_id       text NOT NULL,                            -- in lower case
    erased_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, table_name, xero_id)
);

-- As before; but taking personal words out of a document is no edit: it must not be pushed again for it.
CREATE OR REPLACE FUNCTION xero_sync.document_was_edited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Not an edit: what the push itself writes, approval, and what the pull of payments follows.
    apart CONSTANT text[] := ARRAY['push_state', 'push_version', 'xero_id', 'xero_status', 'pushed_at', 'push_error', 'push_correction',
        'created_at', 'updated_at', 'status', 'paid_to_date', 'credited', 'balance', 'fully_paid_on', 'balance_at_request',
        'approved_version', 'approved_at', 'approved_by'];
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
