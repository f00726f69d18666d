-- depends: 0030.new-contacts
-- How organisations work: every setting is a row, and what it may be is declared in the code.

-- The names are those of SETTINGS in plugins/xero/qicworks/connect/settings.py. No row: the default.
CREATE TABLE xero_sync.setting (
    connection_id uuid NOT NULL REFERENCES xero_sync.connection ON DELETE CASCADE,
    name          text NOT NULL,
    value         text NOT NULL,                          -- of what was pulled Xero's id, or the tax type; empty: none
    changed_by    text,
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (connection_id, name)
);
INSERT INTO xero_sync.setting (connection_id, name, value, changed_by, changed_at)
SELECT connection_id, 'conflicts', conflicts, changed_by, changed_at FROM xero_sync.connection_setting;

-- Workers of the version before, and take_over of schema/0029, read xero_sync.connection_setting: each follows the other. With the
-- owner's rights: the role of those workers may have none on the new table.
CREATE FUNCTION xero_sync.setting_is_read_by_earlier_versions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO xero_sync.connection_setting AS held (connection_id, conflicts, changed_by, changed_at)
    VALUES (NEW.connection_id, NEW.value, NEW.changed_by, NEW.changed_at)
        ON CONFLICT (connection_id) DO UPDATE
       SET conflicts = excluded.conflicts, changed_by = excluded.changed_by, changed_at = excluded.changed_at
     WHERE held.conflicts <> excluded.conflicts;
    RETURN NULL;
END $$;
CREATE TRIGGER is_read_by_earlier_versions AFTER INSERT OR UPDATE ON xero_sync.setting
    FOR EACH ROW WHEN (NEW.name = 'conflicts') EXECUTE FUNCTION xero_sync.setting_is_read_by_earlier_versions();

CREATE FUNCTION xero_sync.setting_was_changed_by_earlier_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO xero_sync.setting AS held (connection_id, name, value, changed_by, changed_at)
    VALUES (NEW.connection_id, 'conflicts', NEW.conflicts, NEW.changed_by, NEW.changed_at)
        ON CONFLICT (connection_id, name) DO UPDATE
       SET value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at
     WHERE held.value <> excluded.value;
    RETURN NULL;
END $$;
CREATE TRIGGER was_changed_by_earlier_version AFTER INSERT OR UPDATE ON xero_sync.connection_setting
    FOR EACH ROW EXECUTE FUNCTION xero_sync.setting_was_changed_by_earlier_version();
REVOKE ALL ON FUNCTION xero_sync.setting_is_read_by_earlier_versions(), xero_sync.setting_was_changed_by_earlier_version() FROM PUBLIC;

-- The account and tax code that a line without its own was last sent with: those of the settings then. Another default alone is no
-- change of a document; its next push takes the new one.
CREATE TABLE xero_sync.line_default (
    line_id       uuid PRIMARY KEY,
    document_id   uuid NOT NULL,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection ON DELETE CASCADE,
    account_id    uuid,                                   -- null: the line has its own
    tax_code_id   uuid
);
CREATE INDEX line_default_document ON xero_sync.line_default (document_id);

-- A setting that no longer fits what Xero has. The values are those of Reason in plugins/xero/qicworks/follow/differences.py.
ALTER TABLE xero_sync.difference DROP CONSTRAINT difference_reason_check, ADD CONSTRAINT difference_reason_check CHECK (reason IN (
    'voided_in_xero', 'deleted_in_xero', 'rejected_in_xero', 'missing_in_xero', 'approved_in_xero', 'edited_in_xero',
    'edited_in_qicworks', 'amounts_differ', 'paid_differs', 'cancelled_in_qicworks', 'file_left_in_xero', 'overlapping_leave',
    'ambiguous_match', 'unproven_push', 'pay_differs', 'records_differ', 'setting_unfit'));
