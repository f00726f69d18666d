-- depends: 0033.adopted
-- Departments: a line without a tracking option of its own takes the option of its department's name, in the tracking category that the
-- setting names.

ALTER TABLE qicworks.document_line ADD COLUMN department text;

-- Null: no department. Case and blanks make no difference.
CREATE FUNCTION xero_sync.department_key(p_name text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(lower(btrim(regexp_replace(p_name, '\s+', ' ', 'g'))), '')
$$;

-- Xero's id of the tracking category of the settings; null: none is chosen.
CREATE FUNCTION xero_sync.department_category(p_connection_id uuid) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(value, '')::uuid FROM xero_sync.setting WHERE connection_id = p_connection_id AND name = 'departments'
$$;

-- The active option of a department; null: there is none.
CREATE FUNCTION xero_sync.department_option(p_connection_id uuid, p_department text) RETURNS uuid
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT option.id
      FROM qicworks.tracking_option AS option
      JOIN qicworks.tracking_category AS category ON category.id = option.tracking_category_id AND category.is_active
     WHERE option.connection_id = p_connection_id AND option.is_active
       AND category.connection_id = p_connection_id AND category.xero_id = xero_sync.department_category(p_connection_id)
       AND xero_sync.department_key(option.name) = xero_sync.department_key(p_department)
     ORDER BY option.name = p_department DESC, option.xero_id LIMIT 1
$$;

-- Whether a document has a line whose department would be sent and has no option.
CREATE FUNCTION xero_sync.lacks_department(p_connection_id uuid, p_table text, p_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM qicworks.document_line AS line
                    WHERE line.parent_type = p_table AND line.parent_id = p_id
                      AND line.tracking_option_id IS NULL AND line.second_tracking_option_id IS NULL
                      AND xero_sync.department_key(line.department) IS NOT NULL
                      AND xero_sync.department_option(p_connection_id, line.department) IS NULL)
$$;

-- Documents that were not sent because a department of theirs had no option, as of that version; once it has one, they are ready again.
CREATE TABLE xero_sync.lacking_department (
    document_id uuid NOT NULL,
    kind        text NOT NULL,
    version     integer NOT NULL,
    PRIMARY KEY (document_id, kind)
);

-- The option that a line was last sent with for its department, as the account and tax code in schema/0031.
ALTER TABLE xero_sync.line_default
    ADD COLUMN department text,
    ADD COLUMN tracking_option_id uuid;

-- As in schema/0029. What Xero has of a line's departments is then the line's own: its department is emptied, also by a worker of
-- the version before, which does not know it.
CREATE OR REPLACE FUNCTION xero_sync.take_over(
    p_table text, p_id uuid, p_version integer, p_header jsonb, p_lines jsonb, p_removed uuid[]
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_header CONSTANT text[] := ARRAY['number', 'reference', 'contact_id', 'issue_date', 'due_date', 'currency', 'currency_rate',
        'line_amount_types', 'delivery_date', 'delivery_address', 'attention_to', 'telephone', 'delivery_instructions', 'sub_total',
        'total_tax', 'total'];
    of_line CONSTANT text[] := ARRAY['description', 'quantity', 'unit_price', 'line_total', 'tax_amount', 'account_id', 'tax_code_id',
        'tracking_option_id', 'second_tracking_option_id', 'department', 'xero_line_id'];
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
        line := line || CASE WHEN line ? 'tracking_option_id' THEN '{"department": null}'::jsonb ELSE '{}' END;
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
