-- depends: 0031.settings
-- Who of QicWorks is who in Xero, as far as a person has to decide; what they decided, and what a link replaced.

-- Pairs that may be the same, as the last pull found them. `what`: the table of schema qicworks that own_id is of.
CREATE TABLE xero_sync.link_candidate (
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    what          text NOT NULL CHECK (what IN ('staff', 'contact')),
    own_id        uuid NOT NULL,
    xero_id       uuid NOT NULL,
    alike         text[] NOT NULL,                         -- in what: Alike in sync/pull/person.py, or in sync/push/contacts/matching.py
    likely        boolean NOT NULL,                        -- each is all that the other may be, and nothing contradicts
    PRIMARY KEY (connection_id, what, own_id, xero_id)
);

-- Rows are only added. The last one of a pair counts.
CREATE TABLE xero_sync.link_decision (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    what          text NOT NULL CHECK (what IN ('staff', 'contact')),
    own_id        uuid NOT NULL,
    xero_id       uuid NOT NULL,
    decision      text NOT NULL CHECK (decision IN ('link', 'not same', 'undo', 'created')),
    decided_by    text,                                    -- null: the pull, which was certain
    decided_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    before        jsonb                                    -- of a link: QicWorks' row, which Xero's values replace
);
CREATE INDEX link_decision_pair ON xero_sync.link_decision (connection_id, what, own_id, xero_id, id DESC);
CREATE INDEX link_decision_record ON xero_sync.link_decision (connection_id, what, xero_id, id DESC);

-- Pairs that are not the same person or firm, as somebody said.
CREATE VIEW xero_sync.link_apart AS
SELECT connection_id, what, own_id, xero_id
  FROM (SELECT DISTINCT ON (connection_id, what, own_id, xero_id) connection_id, what, own_id, xero_id, decision
          FROM xero_sync.link_decision
         ORDER BY connection_id, what, own_id, xero_id, id DESC) AS latest
 WHERE decision IN ('not same', 'undo');

-- Employees that no member of staff is linked to: held back, or in a row that a pull created of them.
CREATE VIEW xero_sync.open_employee AS
SELECT connection_id, xero_id, concat_ws(' ', first_name, last_name) AS name, email, start_date AS since, is_active, true AS has_row
  FROM qicworks.staff WHERE match_state = 'created' AND xero_id IS NOT NULL AND row_hash IS DISTINCT FROM ''
UNION ALL
SELECT connection_id, key::uuid, concat_ws(' ', record ->> 'first_name', record ->> 'last_name'), record ->> 'email',
       CASE WHEN record ->> 'start_date' ~ '^\d{4}-\d\d-\d\d$' THEN (record ->> 'start_date')::date END,
       (record ->> 'is_active')::boolean, false
  FROM xero_sync.rejection
 WHERE data_set = 'staff' AND table_name = 'staff' AND closed_at IS NULL AND jsonb_typeof(record) = 'object'
   AND key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

-- Pairs about which a user has to decide, as both sides are now.
CREATE VIEW xero_sync.link_waiting AS
WITH pair AS (
    SELECT connection_id, what, own_id, xero_id, alike, likely FROM xero_sync.link_candidate
    UNION ALL                                              -- as a push of the contact found them since
    SELECT connection_id, 'contact', contact_id, xero_id, alike, false FROM xero_sync.contact_candidate AS found
     WHERE NOT EXISTS (SELECT FROM xero_sync.link_candidate AS held
                        WHERE held.connection_id = found.connection_id AND held.what = 'contact'
                          AND held.own_id = found.contact_id AND held.xero_id = found.xero_id)
), open_pair AS (
    SELECT * FROM pair
     WHERE NOT EXISTS (SELECT FROM xero_sync.link_apart AS apart
                        WHERE apart.connection_id = pair.connection_id AND apart.what = pair.what
                          AND apart.own_id = pair.own_id AND apart.xero_id = pair.xero_id)
), shown AS (
    SELECT pair.*, concat_ws(' ', member.first_name, member.last_name) AS own_name,
           coalesce(nullif(member.account_email, ''), member.email) AS own_email, member.start_date::text AS own_detail,
           employee.name AS xero_name, employee.email AS xero_email, employee.since::text AS xero_detail, employee.is_active, employee.has_row
      FROM open_pair AS pair
      JOIN qicworks.staff AS member ON member.id = pair.own_id AND member.xero_id IS NULL
      JOIN xero_sync.open_employee AS employee ON employee.connection_id = pair.connection_id AND employee.xero_id = pair.xero_id
     WHERE pair.what = 'staff'
    UNION ALL
    SELECT pair.*, own.name, own.email, own.tax_number, pulled.name, pulled.email, pulled.tax_number,
           pulled.is_active AND pulled.missing_since IS NULL, true
      FROM open_pair AS pair
      JOIN qicworks.contact AS own
        ON own.id = pair.own_id AND own.xero_id IS NULL AND own.push_state IN ('draft', 'ready', 'in_flight', 'failed')
      JOIN qicworks.contact AS pulled ON pulled.connection_id = pair.connection_id AND pulled.xero_id = pair.xero_id
     WHERE pair.what = 'contact'
)
SELECT shown.*, md5(jsonb_build_array(own_name, own_email, own_detail, xero_name, xero_email, xero_detail, is_active, has_row, alike)::text)
       AS version                                          -- of what a user sees of the pair
  FROM shown;

-- Employees whose link was undone, and about whom nobody has decided since: no pull creates or links them by itself.
CREATE VIEW xero_sync.link_undone AS
SELECT employee.*
  FROM (SELECT DISTINCT ON (connection_id, xero_id) connection_id, xero_id, decision FROM xero_sync.link_decision
         WHERE what = 'staff' ORDER BY connection_id, xero_id, id DESC) AS latest
  JOIN xero_sync.open_employee AS employee USING (connection_id, xero_id)
 WHERE latest.decision = 'undo' AND NOT employee.has_row;

-- Removes the row that a pull made of an employee, because it is a member of staff that QicWorks has already. With the owner's rights:
-- whoever pulls deletes nothing. False: QicWorks has pay or leave of it, or it is not such a row.
CREATE FUNCTION xero_sync.drop_created_staff(p_connection_id uuid, p_xero_id uuid) RETURNS boolean LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    created CONSTANT uuid := (SELECT id FROM qicworks.staff
                               WHERE connection_id = p_connection_id AND xero_id = p_xero_id AND match_state = 'created' FOR UPDATE);
BEGIN
    IF created IS NULL OR EXISTS (SELECT FROM qicworks.payroll_push WHERE staff_id = created)
       OR EXISTS (SELECT FROM qicworks.leave_request WHERE staff_id = created) THEN
        RETURN false;
    END IF;
    UPDATE qicworks.pay_template_line SET staff_id = NULL WHERE staff_id = created;
    UPDATE qicworks.leave_balance SET staff_id = NULL WHERE staff_id = created;
    DELETE FROM qicworks.staff WHERE id = created;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION xero_sync.drop_created_staff(uuid, uuid) FROM PUBLIC;

-- Makes QicWorks' own contacts those records of Xero's, as link_contact does with one. Returns those that were not linked before.
CREATE FUNCTION xero_sync.link_contacts(p_connection_id uuid, p_own_ids uuid[], p_record_ids uuid[])
    RETURNS TABLE (own_id uuid, record_id uuid) LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE qicworks.contact AS own
       SET xero_id = pair.record_id, connection_id = CASE WHEN pulled.id IS NULL THEN p_connection_id END
      FROM unnest(p_own_ids, p_record_ids) AS pair (own_id, record_id)
      LEFT JOIN qicworks.contact AS pulled ON pulled.connection_id = p_connection_id AND pulled.xero_id = pair.record_id
     WHERE own.id = pair.own_id AND own.connection_id IS NULL AND own.xero_id IS NULL AND own.push_state <> 'in_flight'
       AND own.organisation_id = (SELECT organisation_id FROM xero_sync.connection WHERE id = p_connection_id AND state <> 'deleted')
    RETURNING own.id, own.xero_id
$$;
REVOKE ALL ON FUNCTION xero_sync.link_contacts(uuid, uuid[], uuid[]) FROM PUBLIC;

-- Undoes a link of QicWorks' own contact. A record of Xero's that has no row beside it keeps one, so no pull has to bring it again.
-- With the owner's rights: whoever pushes writes none of these columns. False: it is not linked to that record.
CREATE FUNCTION xero_sync.unlink_contact(p_id uuid, p_connection_id uuid, p_xero_id uuid, p_error text, p_correction text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own qicworks.contact;
BEGIN
    SELECT * INTO own FROM qicworks.contact
     WHERE id = p_id AND xero_id = p_xero_id AND push_state IS NOT NULL AND push_state <> 'in_flight'
       AND organisation_id = (SELECT organisation_id FROM xero_sync.connection WHERE id = p_connection_id)
       FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE qicworks.contact
       SET xero_id = NULL, connection_id = NULL, xero_status = NULL, pushed_at = NULL, row_hash = NULL, xero_updated_at = NULL,
           missing_since = NULL, before_edit = NULL, last_pushed = NULL, in_xero = NULL, kept_columns = NULL,
           push_state = CASE WHEN push_state IN ('draft', 'skipped') THEN push_state ELSE 'failed' END,
           push_error = p_error, push_correction = p_correction
     WHERE id = p_id;
    IF own.connection_id IS NOT NULL THEN
        INSERT INTO qicworks.contact
        SELECT (jsonb_populate_record(own, jsonb_build_object(
                    'id', gen_random_uuid(), 'push_state', NULL, 'push_version', 1, 'xero_status', NULL, 'pushed_at', NULL,
                    'push_error', NULL, 'push_correction', NULL, 'before_edit', NULL, 'last_pushed', NULL, 'in_xero', NULL,
                    'kept_columns', NULL, 'is_ours', false, 'row_hash', coalesce(own.row_hash, '\x00')))).*;
    END IF;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION xero_sync.unlink_contact(uuid, uuid, uuid, text, text) FROM PUBLIC;
