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
    ADD COLUMN before_edit jsonb;                              -- what is sent of it, as both sides had it before it was edited
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

-- An edit raises the version, and keeps what was there before. A pull writes synced_at; of a contact with an edit that Xero does not
-- have yet, it does not write what will be sent.
CREATE FUNCTION xero_sync.contact_was_edited() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sent_before CONSTANT jsonb := xero_sync.sent_of_contact(to_jsonb(OLD));
BEGIN
    IF OLD.push_state IS NULL AND NEW.push_state IS NULL THEN
        RETURN NEW;
    ELSIF current_setting('xero_sync.erasing', true) = 'on' THEN
        IF NEW.row_hash = '' THEN                         -- a person who was erased is not sent to Xero again
            NEW.push_state := 'skipped';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.synced_at IS DISTINCT FROM OLD.synced_at THEN
        IF OLD.before_edit IS NOT NULL AND NEW.before_edit IS NOT NULL THEN  -- emptied: Xero's side is kept
            NEW := jsonb_populate_record(NEW, sent_before);
        END IF;
    ELSIF xero_sync.sent_of_contact(to_jsonb(NEW)) <> sent_before THEN
        NEW.push_version := OLD.push_version + 1;
        NEW.updated_at := now();
        -- Of one that is in Xero, or on its way there: as it was sent.
        NEW.before_edit := CASE WHEN OLD.xero_id IS NOT NULL OR OLD.push_state = 'in_flight' THEN coalesce(OLD.before_edit, sent_before)
                                ELSE OLD.before_edit END;
        IF NEW.push_state = OLD.push_state AND OLD.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
        END IF;
    END IF;
    IF NEW.push_state = 'ready' AND OLD.push_state <> 'ready' THEN
        NEW.push_error := NULL;
        NEW.push_correction := NULL;
    ELSIF NEW.push_state = 'pushed' AND OLD.push_state <> 'pushed'
          OR NEW.push_state = 'in_flight' AND OLD.push_state = 'ready' AND NEW.xero_id IS NULL THEN
        NEW.before_edit := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.contact FOR EACH ROW EXECUTE FUNCTION xero_sync.contact_was_edited();
CREATE TRIGGER moves BEFORE UPDATE OF push_state ON qicworks.contact FOR EACH ROW EXECUTE FUNCTION xero_sync.push_state_moves();

CREATE FUNCTION xero_sync.contact_is_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.is_active := coalesce(NEW.is_active, NEW.push_state IS NOT NULL);
    RETURN NEW;
END $$;
CREATE TRIGGER is_new BEFORE INSERT ON qicworks.contact FOR EACH ROW EXECUTE FUNCTION xero_sync.contact_is_new();

-- Makes QicWorks' own contact that record of Xero's. If the record has a row already, that one is the contact, and this one only knows
-- its id. With the owner's rights: whoever pushes writes neither column.
-- Returns whether it was not linked before.
CREATE FUNCTION xero_sync.link_contact(p_id uuid, p_connection_id uuid, p_xero_id uuid) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_new CONSTANT boolean := EXISTS (SELECT FROM qicworks.contact WHERE id = p_id AND xero_id IS NULL FOR UPDATE);
BEGIN
    UPDATE qicworks.contact
       SET xero_id = p_xero_id,
           connection_id = CASE WHEN NOT EXISTS (SELECT FROM qicworks.contact AS pulled
                                                  WHERE pulled.connection_id = p_connection_id AND pulled.xero_id = p_xero_id)
                                THEN p_connection_id END
     WHERE id = p_id AND connection_id IS NULL AND (xero_id IS NULL OR xero_id = p_xero_id)
       AND organisation_id = (SELECT organisation_id FROM xero_sync.connection WHERE id = p_connection_id AND state <> 'deleted');
    RETURN is_new AND FOUND;
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

-- Contacts about which a person was asked, each in the version that was searched for.
CREATE TABLE xero_sync.contact_question (
    contact_id    uuid PRIMARY KEY REFERENCES qicworks.contact ON DELETE CASCADE,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    version       integer NOT NULL,
    asked_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The records of Xero that such a contact may be, as the last search found them.
CREATE TABLE xero_sync.contact_candidate (
    contact_id    uuid NOT NULL REFERENCES qicworks.contact ON DELETE CASCADE,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    xero_id       uuid NOT NULL,
    alike         text[] NOT NULL,                        -- in what: Alike in plugins/xero/sync/push/contacts/matching.py
    PRIMARY KEY (contact_id, xero_id)
);

ALTER TABLE xero_sync.connection_setting
    ADD COLUMN new_contacts text NOT NULL DEFAULT 'ask' CHECK (new_contacts IN ('off', 'ask', 'create'));
