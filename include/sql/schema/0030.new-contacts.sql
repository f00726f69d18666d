-- depends: 0029.currencies
-- Customers and suppliers that QicWorks has and Xero does not: they are looked for in Xero, and linked or created.

-- QicWorks' own contacts have no connection and no xero_id until they are linked. One whose record has been pulled before keeps the
-- xero_id alone: the pulled row is the contact, and documents of either go to it.
ALTER TABLE qicworks.contact ALTER COLUMN connection_id DROP NOT NULL, ALTER COLUMN xero_id DROP NOT NULL,
                             ALTER COLUMN row_hash DROP NOT NULL;
ALTER TABLE qicworks.contact
    ADD COLUMN push_state text                                 -- null: a contact of Xero's, which is only pulled
        CHECK (push_state IN ('draft', 'ready', 'in_flight', 'pushed', 'failed', 'skipped')),
    ADD COLUMN push_version integer NOT NULL DEFAULT 1,
    ADD COLUMN xero_status text,
    ADD COLUMN pushed_at timestamptz,
    ADD COLUMN push_error text,
    ADD COLUMN push_correction text,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN is_ours boolean NOT NULL DEFAULT false,         -- QicWorks created it in Xero
    ADD COLUMN last_pushed jsonb,                              -- what is sent of it, as it was last sent, and as Xero answered: an array
    ADD COLUMN before_edit jsonb,                              -- not null: it has an edit that Xero may not have; what Xero may have
    ADD COLUMN in_xero jsonb,                                  -- what Xero said of it last; read_at: of a single reading, not of a pull
    ADD COLUMN kept_columns text[];                            -- as QicWorks has them, and Xero not, since it was linked
CREATE INDEX contact_outgoing ON qicworks.contact (organisation_id) WHERE push_state = 'ready';
CREATE INDEX contact_newest ON qicworks.contact (push_state, created_at DESC, id DESC) WHERE push_state IS NOT NULL;
CREATE INDEX contact_organisation ON qicworks.contact (organisation_id, push_state, created_at DESC, id DESC) WHERE push_state IS NOT NULL;

-- The postal address besides the street's, and further persons. The other address stays what it was: the street's, or else the postal one.
ALTER TABLE qicworks.contact
    ADD COLUMN po_address_line1 varchar(500), ADD COLUMN po_address_line2 varchar(500), ADD COLUMN po_city varchar(255),
    ADD COLUMN po_region varchar(255), ADD COLUMN po_postal_code varchar(50), ADD COLUMN po_country varchar(50),
    ADD COLUMN contact_persons text;                           -- JSON: first_name, last_name, email and include_in_emails of each
ALTER TABLE xero_sync.stage_contact
    ADD COLUMN po_address_line1 text, ADD COLUMN po_address_line2 text, ADD COLUMN po_city text, ADD COLUMN po_region text,
    ADD COLUMN po_postal_code text, ADD COLUMN po_country text, ADD COLUMN contact_persons text;

-- Columns of a contact that are sent to Xero.
CREATE FUNCTION xero_sync.sent_of_contact(p_contact jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}')
      FROM jsonb_each(p_contact)
     WHERE key = ANY (ARRAY['name', 'first_name', 'last_name', 'email', 'phone', 'account_number', 'company_number', 'tax_number',
                            'currency', 'address_line1', 'address_line2', 'city', 'region', 'postal_code', 'country', 'po_address_line1',
                            'po_address_line2', 'po_city', 'po_region', 'po_postal_code', 'po_country', 'contact_persons'])
$$;

-- An edit raises the version, and keeps what was there before. A pull writes synced_at; of a contact with an edit that Xero may not
-- have yet, it does not write what will be sent, and of none what Xero was never told.
CREATE FUNCTION xero_sync.contact_was_edited() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sent_before CONSTANT jsonb := xero_sync.sent_of_contact(to_jsonb(OLD));
    sent_now    CONSTANT jsonb := xero_sync.sent_of_contact(to_jsonb(NEW));
    restored    CONSTANT jsonb := '[{"is_active": false}]';
    kept        jsonb;
    of_record   jsonb;
BEGIN
    IF OLD.push_state IS NULL AND NEW.push_state IS NULL THEN
        RETURN NEW;
    ELSIF current_setting('xero_sync.erasing', true) = 'on' THEN
        IF NEW.row_hash = '' THEN                         -- a person who was erased is not sent to Xero again
            NEW.push_state := 'skipped';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.synced_at IS DISTINCT FROM OLD.synced_at AND NEW.xero_id IS DISTINCT FROM OLD.xero_id THEN
        NULL;                                             -- it is linked
    ELSIF NEW.synced_at IS DISTINCT FROM OLD.synced_at THEN
        IF NEW.missing_since IS NOT NULL THEN
            NEW.in_xero := NEW.in_xero || '{"is_active": false}';
        ELSIF (NEW.in_xero, NEW.xero_id, NEW.connection_id) IS NOT DISTINCT FROM (OLD.in_xero, OLD.xero_id, OLD.connection_id) THEN
            -- A pull: these are Xero's values.
            NEW.in_xero := sent_now || jsonb_build_object('contact_number', NEW.contact_number, 'is_active', NEW.is_active);
            -- What QicWorks had when it was linked stays, until both sides have the same, or QicWorks empties it.
            SELECT jsonb_object_agg(key, value) INTO kept
              FROM jsonb_each(to_jsonb(OLD))
             WHERE key = ANY (OLD.kept_columns) AND value NOT IN ('null', '""') AND value <> to_jsonb(NEW) -> key;
            NEW := jsonb_populate_record(NEW, coalesce(kept, '{}'));
            NEW.kept_columns := (SELECT array_agg(key ORDER BY key) FROM jsonb_object_keys(kept) AS key);
        END IF;
        IF lower(coalesce(NEW.contact_number, NEW.id::text)) = NEW.id::text THEN  -- QicWorks' own number in Xero, not the firm's number of its customer
            NEW.contact_number := OLD.contact_number;
        END IF;
        NEW.sales_account_code := coalesce(NEW.sales_account_code, OLD.sales_account_code);
        NEW.purchases_account_code := coalesce(NEW.purchases_account_code, OLD.purchases_account_code);
        NEW.sales_tax_type := coalesce(NEW.sales_tax_type, OLD.sales_tax_type);
        NEW.purchases_tax_type := coalesce(NEW.purchases_tax_type, OLD.purchases_tax_type);
        NEW.sales_terms_day := coalesce(NEW.sales_terms_day, OLD.sales_terms_day);
        NEW.sales_terms_type := coalesce(NEW.sales_terms_type, OLD.sales_terms_type);
        NEW.purchases_terms_day := coalesce(NEW.purchases_terms_day, OLD.purchases_terms_day);
        NEW.purchases_terms_type := coalesce(NEW.purchases_terms_type, OLD.purchases_terms_type);
        NEW.is_customer := NEW.is_customer OR OLD.is_customer;
        NEW.is_supplier := NEW.is_supplier OR OLD.is_supplier;
        -- Archived in QicWorks, or in use again: Xero does not have that yet.
        NEW.is_active := CASE WHEN OLD.before_edit @> restored THEN OLD.is_active ELSE NEW.is_active END
                         AND (OLD.is_active OR NOT EXISTS (SELECT FROM xero_sync.cancellation
                                                            WHERE document_id = OLD.id AND organisation_id = OLD.organisation_id AND done_at IS NULL));
        IF OLD.before_edit IS NULL THEN
            IF NEW.last_pushed IS NOT DISTINCT FROM OLD.last_pushed THEN
                NEW.last_pushed := NULL;                  -- a pull: the row has what Xero has
            END IF;
        ELSIF NEW.before_edit IS NOT DISTINCT FROM OLD.before_edit THEN  -- else: Xero's side was kept
            NEW := jsonb_populate_record(NEW, sent_before);
        END IF;
    ELSIF NEW.organisation_id <> OLD.organisation_id THEN  -- there it is new
        NEW.push_version := OLD.push_version + 1;
        NEW.updated_at := now();
        NEW.xero_id := NULL;
        NEW.connection_id := NULL;
        NEW.is_ours := false;
        NEW.xero_status := NULL;
        NEW.pushed_at := NULL;
        NEW.last_pushed := NULL;
        NEW.before_edit := NULL;
        NEW.in_xero := NULL;
        NEW.kept_columns := NULL;
        IF NEW.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
        END IF;
    ELSIF sent_now <> sent_before OR NEW.is_active <> OLD.is_active THEN
        IF NEW.is_active <> OLD.is_active AND NOT has_column_privilege(TG_RELID, 'push_version', 'UPDATE') THEN
            RAISE insufficient_privilege USING MESSAGE = format('%s may not archive a contact of QicWorks: only QicWorks may', current_user);
        END IF;
        NEW.push_version := OLD.push_version + 1;
        NEW.updated_at := now();
        IF sent_now <> sent_before AND (OLD.xero_id IS NOT NULL OR OLD.push_state = 'in_flight') THEN
            NEW.before_edit := coalesce(OLD.before_edit, OLD.last_pushed, jsonb_build_array(sent_before));
        END IF;
        IF NEW.is_active AND NOT OLD.is_active AND OLD.is_ours THEN
            NEW.before_edit := coalesce(NEW.before_edit, OLD.last_pushed, jsonb_build_array(sent_before)) || restored;
        END IF;
        IF NEW.push_state = OLD.push_state AND OLD.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
        END IF;
    END IF;
    IF NEW.xero_id IS NULL THEN
        NEW.in_xero := NULL;
        NEW.kept_columns := NULL;
    ELSIF NEW.is_ours THEN
        NEW.kept_columns := NULL;
    ELSIF OLD.xero_id IS NULL THEN                        -- it is linked: all that QicWorks has is kept until both sides are compared
        NEW.kept_columns := (SELECT array_agg(key ORDER BY key) FROM jsonb_each_text(to_jsonb(NEW))
                              WHERE (sent_now ? key OR key = 'contact_number') AND value <> '');
        SELECT xero_sync.sent_of_contact(to_jsonb(pulled)) || jsonb_build_object('contact_number', contact_number, 'is_active', is_active)
          INTO of_record
          FROM qicworks.contact AS pulled
         WHERE xero_id = NEW.xero_id AND row_hash <> '' AND id <> NEW.id
           AND connection_id = (SELECT id FROM xero_sync.connection WHERE organisation_id = NEW.organisation_id AND state <> 'deleted');
        NEW.in_xero := coalesce(of_record, NEW.in_xero);
    END IF;
    IF NEW.push_state = 'ready' AND OLD.push_state <> 'ready' THEN
        NEW.push_error := NULL;
        NEW.push_correction := NULL;
    ELSIF NEW.push_state = 'pushed' AND OLD.push_state <> 'pushed' THEN
        NEW.before_edit := NULL;
    ELSIF NEW.push_state = 'in_flight' AND OLD.push_state = 'ready' THEN  -- Xero may have what is sent now, or what it had
        NEW.before_edit := CASE WHEN NEW.xero_id IS NOT NULL THEN coalesce(NEW.before_edit, '[]') ELSE '[]' END || jsonb_build_array(sent_now);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.contact FOR EACH ROW EXECUTE FUNCTION xero_sync.contact_was_edited();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.contact FOR EACH ROW
    WHEN (NEW.push_state IS DISTINCT FROM OLD.push_state) EXECUTE FUNCTION xero_sync.push_state_moves();

-- One that QicWorks created in Xero, or may have, and that is archived or deleted in QicWorks since: it is archived in Xero.
CREATE FUNCTION xero_sync.contact_was_archived() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN                 -- else a temporary table with this trigger could write what it likes
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.push_state IS NOT NULL
           AND (OLD.is_ours OR OLD.xero_id IS NULL AND xero_sync.may_stand_in_xero(OLD.id, NULL, OLD.push_state)) THEN
            INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, push_version, how)
            VALUES (OLD.id, TG_TABLE_NAME, OLD.organisation_id, OLD.name, OLD.xero_id, OLD.xero_status, OLD.push_version, 'deleted')
                ON CONFLICT (document_id, document_table, organisation_id) DO UPDATE SET how = 'deleted', status = NULL, done_at = NULL,
                   xero_id = coalesce(excluded.xero_id, cancellation.xero_id);
        END IF;
    ELSIF TG_OP = 'INSERT' OR NEW.is_active AND NOT OLD.is_active THEN
        IF NEW.push_state IS NOT NULL THEN                -- it is in use again
            DELETE FROM xero_sync.cancellation
             WHERE document_id = NEW.id AND document_table = TG_TABLE_NAME AND organisation_id = NEW.organisation_id;
        END IF;
    ELSIF OLD.is_active AND NOT NEW.is_active AND NEW.synced_at = OLD.synced_at AND NEW.organisation_id = OLD.organisation_id
          AND NEW.push_state IS NOT NULL
          AND (NEW.is_ours OR NEW.xero_id IS NULL AND xero_sync.may_stand_in_xero(NEW.id, NULL, OLD.push_state)) THEN
        INSERT INTO xero_sync.cancellation (document_id, document_table, organisation_id, number, xero_id, xero_status, status, push_version, how)
        VALUES (NEW.id, TG_TABLE_NAME, NEW.organisation_id, NEW.name, NEW.xero_id, NEW.xero_status, 'Archived', NEW.push_version, 'cancelled')
            ON CONFLICT (document_id, document_table, organisation_id) DO UPDATE SET how = 'cancelled', status = excluded.status, number = excluded.number,
               xero_id = coalesce(excluded.xero_id, cancellation.xero_id), push_version = excluded.push_version,
               cancelled_at = clock_timestamp(), done_at = NULL;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION xero_sync.contact_was_archived() FROM PUBLIC;
CREATE TRIGGER was_cancelled AFTER INSERT OR UPDATE OF is_active OR DELETE ON qicworks.contact
   FOR EACH ROW EXECUTE FUNCTION xero_sync.contact_was_archived();
CREATE TRIGGER is_emptied BEFORE TRUNCATE ON qicworks.contact FOR EACH STATEMENT EXECUTE FUNCTION xero_sync.table_is_emptied();

-- The persons in a record, also in what is kept of it as it was: at any depth.
CREATE FUNCTION xero_sync.persons_in(p_record jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb;
BEGIN
    FOR found IN SELECT DISTINCT jsonb_path_query(p_record, '$.**.contact_persons') LOOP
        BEGIN
            RETURN QUERY SELECT each FROM jsonb_path_query((found #>> '{}')::jsonb, '$[*]') AS each WHERE jsonb_typeof(each) = 'object';
        EXCEPTION WHEN data_exception OR statement_too_complex THEN
            NULL;                                         -- QicWorks' text is no JSON
        END;
    END LOOP;
END $$;

-- By what a person of that record is known again after an erasure: hashes of their email and of their name.
CREATE FUNCTION xero_sync.person_keys(p_record_id text, p_person jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(encode(sha256(convert_to(lower(p_record_id) || ' ' || word, 'UTF8')), 'hex'))
      FROM (VALUES (lower(btrim(p_person ->> 'email'))),
                   (lower(btrim(regexp_replace(concat_ws(' ', p_person ->> 'first_name', p_person ->> 'last_name'), '\s+', ' ', 'g'))))) AS by (word)
     WHERE word <> ''
$$;

-- A record, or what is kept of it, without the persons who have one of these keys.
CREATE FUNCTION xero_sync.without_persons(p_value jsonb, p_record_id text, p_keys text[]) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stay jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM xero_sync.persons_in(p_value) AS person WHERE xero_sync.person_keys(p_record_id, person) && p_keys) THEN
        RETURN p_value;
    ELSIF jsonb_typeof(p_value) = 'array' THEN
        RETURN (SELECT jsonb_agg(xero_sync.without_persons(each, p_record_id, p_keys) ORDER BY nth)
                  FROM jsonb_array_elements(p_value) WITH ORDINALITY AS _ (each, nth));
    ELSIF jsonb_typeof(p_value -> 'contact_persons') = 'string' THEN
        SELECT jsonb_agg(person) INTO stay
          FROM xero_sync.persons_in(jsonb_build_object('contact_persons', p_value -> 'contact_persons')) AS person
         WHERE NOT coalesce(xero_sync.person_keys(p_record_id, person) && p_keys, false);
        p_value := p_value || jsonb_build_object('contact_persons', stay::text);
    END IF;
    RETURN (SELECT jsonb_object_agg(key, xero_sync.without_persons(value, p_record_id, p_keys)) FROM jsonb_each(p_value));
END $$;

-- A person of a contact who was erased here, though Xero has them: what comes from Xero is kept without them.
CREATE FUNCTION xero_sync.leave_out_erased_persons() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    record jsonb := jsonb_build_object('contact_persons', NEW.contact_persons);
    gone   text[];
BEGIN
    IF TG_TABLE_SCHEMA = 'qicworks' AND TG_OP = 'UPDATE' THEN
        IF NEW.synced_at IS NOT DISTINCT FROM OLD.synced_at THEN
            RETURN NEW;                                   -- QicWorks' own edit
        END IF;
        record := to_jsonb(NEW);
    END IF;
    gone := ARRAY(SELECT erasure.xero_id
                    FROM xero_sync.persons_in(record) AS person
                    JOIN xero_sync.erasure ON table_name = 'contact_person' AND xero_id = ANY (xero_sync.person_keys(NEW.xero_id::text, person)));
    IF gone <> '{}' THEN
        NEW := jsonb_populate_record(NEW, xero_sync.without_persons(record, NEW.xero_id::text, gone));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erased_persons BEFORE INSERT OR UPDATE ON qicworks.contact FOR EACH ROW
    WHEN (NEW.xero_id IS NOT NULL AND (NEW.contact_persons IS NOT NULL OR NEW.push_state IS NOT NULL))
    EXECUTE FUNCTION xero_sync.leave_out_erased_persons();
CREATE TRIGGER erased_persons BEFORE INSERT ON xero_sync.stage_contact FOR EACH ROW
    WHEN (NEW.contact_persons IS NOT NULL) EXECUTE FUNCTION xero_sync.leave_out_erased_persons();

CREATE FUNCTION xero_sync.contact_is_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.is_active := coalesce(NEW.is_active, NEW.push_state IS NOT NULL);
    RETURN NEW;
END $$;
CREATE TRIGGER is_new BEFORE INSERT ON qicworks.contact FOR EACH ROW EXECUTE FUNCTION xero_sync.contact_is_new();

-- Makes QicWorks' own contact that record of Xero's. If the record has a row already, that one is the contact, and this one only knows
-- its id. Documents that failed without it are ready again. With the owner's rights: whoever pushes writes neither
-- column. Returns whether it was not linked before.
CREATE FUNCTION xero_sync.link_contact(p_id uuid, p_connection_id uuid, p_xero_id uuid) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unclear CONSTANT uuid[] := ARRAY(SELECT document_id FROM xero_sync.unclear_push);   -- a person has to look for these
    is_new  CONSTANT boolean := EXISTS (SELECT FROM qicworks.contact WHERE id = p_id AND xero_id IS NULL FOR UPDATE);
BEGIN
    UPDATE qicworks.contact
       SET xero_id = p_xero_id, synced_at = clock_timestamp(),   -- a reading that began before does not know it
           connection_id = CASE WHEN NOT EXISTS (SELECT FROM qicworks.contact AS pulled
                                                  WHERE pulled.connection_id = p_connection_id AND pulled.xero_id = p_xero_id)
                                THEN p_connection_id END
     WHERE id = p_id AND connection_id IS NULL
       AND (xero_id IS NULL OR xero_id = p_xero_id AND NOT EXISTS (SELECT FROM qicworks.contact AS pulled
                                                                    WHERE pulled.connection_id = p_connection_id AND pulled.xero_id = p_xero_id))
       AND organisation_id = (SELECT organisation_id FROM xero_sync.connection WHERE id = p_connection_id AND state <> 'deleted');
    IF NOT (is_new AND FOUND) THEN
        RETURN false;
    END IF;
    UPDATE qicworks.invoice SET push_state = 'ready' WHERE contact_id = p_id AND push_state = 'failed' AND id <> ALL (unclear);
    UPDATE qicworks.bill SET push_state = 'ready' WHERE contact_id = p_id AND push_state = 'failed' AND id <> ALL (unclear);
    UPDATE qicworks.expense SET push_state = 'ready' WHERE contact_id = p_id AND push_state = 'failed' AND id <> ALL (unclear);
    UPDATE qicworks.credit_note SET push_state = 'ready' WHERE contact_id = p_id AND push_state = 'failed' AND id <> ALL (unclear);
    UPDATE qicworks.purchase_order SET push_state = 'ready' WHERE contact_id = p_id AND push_state = 'failed' AND id <> ALL (unclear);
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION xero_sync.link_contact(uuid, uuid, uuid) FROM PUBLIC;

-- What a person decided about a contact that may be in Xero already. It holds for the version that they saw.
CREATE TABLE xero_sync.contact_decision (
    contact_id uuid PRIMARY KEY REFERENCES qicworks.contact ON DELETE CASCADE,
    version    integer NOT NULL,
    xero_id    uuid,                                      -- link it to this one; null: create it
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Contacts about which a person was asked, or that the setting left, each in that version.
CREATE TABLE xero_sync.contact_question (
    contact_id    uuid PRIMARY KEY REFERENCES qicworks.contact ON DELETE CASCADE,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    version       integer NOT NULL,
    setting       text NOT NULL,                          -- new_contacts, as it was then; 'off': nobody was asked
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The records of Xero that such a contact may be, as the last search found them.
CREATE TABLE xero_sync.contact_candidate (
    contact_id    uuid NOT NULL REFERENCES qicworks.contact ON DELETE CASCADE,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    xero_id       uuid NOT NULL,
    alike         text[] NOT NULL,                        -- in what: Alike in plugins/xero/sync/push/contacts/matching.py
    name          text, email text, tax_number text,      -- as the search found it
    is_active     boolean NOT NULL DEFAULT true,
    PRIMARY KEY (contact_id, xero_id)
);
