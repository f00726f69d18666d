-- depends: 0028.unclear-outcomes
-- The currencies of organisations, and the rates of documents in another currency than the organisation's own.

CREATE TABLE xero_sync.stage_currency (
    LIKE xero_sync.stage_row INCLUDING ALL,
    code text, description text
);
CREATE TABLE qicworks.currency (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    code        varchar(3) NOT NULL,
    description varchar(100),
    UNIQUE (connection_id, code),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);

-- Units of the document's currency for one of the organisation's own; null: Xero takes the rate of the day. Xero has six decimals.
ALTER TABLE xero_sync.priced_document ADD COLUMN currency_rate numeric(28, 10);
ALTER TABLE qicworks.invoice ADD COLUMN currency_rate numeric(28, 10);
ALTER TABLE qicworks.bill ADD COLUMN currency_rate numeric(28, 10);
ALTER TABLE qicworks.expense ADD COLUMN currency_rate numeric(28, 10);
ALTER TABLE qicworks.credit_note ADD COLUMN currency_rate numeric(28, 10);
ALTER TABLE qicworks.purchase_order ADD COLUMN currency_rate numeric(28, 10);

-- A currency as Xero spells it; null: none is given.
CREATE FUNCTION xero_sync.currency_code(p_currency text) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(upper(btrim(p_currency, E' \t\r\n\u00a0')), '')
$$;

-- Whether an organisation has a currency in Xero; without one a document is in its own. Null: not known, as its currencies were never
-- pulled, or Xero listed none, or one that was rejected may be this one.
CREATE FUNCTION xero_sync.has_currency(p_connection_id uuid, p_organisation_id uuid, p_currency text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN wanted.code IS NULL OR wanted.code = xero_sync.currency_code(organisation.base_currency) OR held.has_it THEN true
                WHEN EXISTS (SELECT FROM xero_sync.rejection
                              WHERE connection_id = p_connection_id AND table_name = 'currency' AND closed_at IS NULL
                                AND (held_back OR key = wanted.code OR key !~ '^[A-Z]{3}$')) THEN NULL
                ELSE held.has_it END
      FROM (SELECT xero_sync.currency_code(p_currency) AS code) AS wanted
      LEFT JOIN qicworks.organisation ON organisation.id = p_organisation_id
     CROSS JOIN LATERAL (
           SELECT bool_or(currency.code = wanted.code) AS has_it FROM qicworks.currency
            WHERE connection_id = p_connection_id AND is_active) AS held
$$;

-- Documents that were not sent because the organisation lacks their currency; once it has it, they are ready again. One that is
-- cancelled does not wait, and one that is in force again as it was waits again.
CREATE TABLE xero_sync.lacking_currency (
    document_id  uuid NOT NULL,
    kind         text NOT NULL,
    currency     text NOT NULL,
    is_cancelled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (document_id, kind)
);

-- Only of those that wait for it: failed, and as they were then.
CREATE FUNCTION xero_sync.document_lacks_no_currency() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_kind CONSTANT text := TG_TABLE_NAME || 's';
BEGIN
    IF TG_TABLE_SCHEMA <> 'qicworks' THEN                 -- else a temporary table with this trigger could write what it likes
        RAISE insufficient_privilege USING MESSAGE = 'this trigger is for tables of the schema qicworks';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.push_state, NEW.push_version, NEW.organisation_id) = (OLD.push_state, OLD.push_version, OLD.organisation_id) THEN
        UPDATE xero_sync.lacking_currency SET is_cancelled = NEW.status IN ('Cancelled', 'Archived')
         WHERE document_id = OLD.id AND kind = of_kind AND is_cancelled <> (NEW.status IN ('Cancelled', 'Archived'));
        RETURN NULL;
    END IF;
    DELETE FROM xero_sync.lacking_currency WHERE document_id = OLD.id AND kind = of_kind;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION xero_sync.document_lacks_no_currency() FROM PUBLIC;
CREATE TRIGGER lacks_no_currency AFTER UPDATE ON qicworks.invoice FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_nothing AFTER DELETE ON qicworks.invoice FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_no_currency AFTER UPDATE ON qicworks.bill FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_nothing AFTER DELETE ON qicworks.bill FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_no_currency AFTER UPDATE ON qicworks.expense FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_nothing AFTER DELETE ON qicworks.expense FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_no_currency AFTER UPDATE ON qicworks.credit_note FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_nothing AFTER DELETE ON qicworks.credit_note FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_no_currency AFTER UPDATE ON qicworks.purchase_order FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();
CREATE TRIGGER lacks_nothing AFTER DELETE ON qicworks.purchase_order FOR EACH ROW WHEN (OLD.push_state = 'failed')
    EXECUTE FUNCTION xero_sync.document_lacks_no_currency();

-- As in schema/0027; also the rate. A worker of the version before knows of no rate: it writes no currency over a document that has one.
CREATE OR REPLACE FUNCTION xero_sync.take_over(
    p_table text, p_id uuid, p_version integer, p_header jsonb, p_lines jsonb, p_removed uuid[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_header CONSTANT text[] := ARRAY['number', 'reference', 'contact_id', 'issue_date', 'due_date', 'currency', 'currency_rate',
        'line_amount_types', 'delivery_date', 'delivery_address', 'attention_to', 'telephone', 'delivery_instructions', 'sub_total',
        'total_tax', 'total'];
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
    IF allowed AND p_header ? 'currency' AND NOT p_header ? 'currency_rate' THEN
        EXECUTE format('SELECT currency_rate IS NULL FROM qicworks.%I WHERE id = $1', p_table) INTO allowed USING p_id;
    END IF;
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
    DELETE FROM xero_sync.taken_tax AS taken
     WHERE document_id = p_id AND NOT EXISTS (SELECT FROM qicworks.document_line WHERE id = taken.line_id AND parent_id = p_id);
    EXECUTE format(
        'INSERT INTO xero_sync.taken_tax (line_id, document_id, line_amount_types, quantity, unit_price, tax_code_id, tax_amount)
         SELECT line.id, line.parent_id, document.line_amount_types, quantity, unit_price, tax_code_id, tax_amount
           FROM qicworks.document_line AS line JOIN qicworks.%I AS document ON document.id = line.parent_id
          WHERE parent_type = $1 AND parent_id = $2 AND tax_amount IS NOT NULL
            AND EXISTS (SELECT FROM jsonb_array_elements($3) AS taken
                         WHERE taken ->> ''tax_amount'' IS NOT NULL
                           AND (taken ->> ''id'' = line.id::text OR taken ->> ''id'' IS NULL AND taken ->> ''xero_line_id'' = line.xero_line_id::text))
             ON CONFLICT (line_id) DO UPDATE
            SET line_amount_types = excluded.line_amount_types, quantity = excluded.quantity, unit_price = excluded.unit_price,
                tax_code_id = excluded.tax_code_id, tax_amount = excluded.tax_amount', p_table)
      USING p_table, p_id, p_lines;
    RETURN true;
END $$;
