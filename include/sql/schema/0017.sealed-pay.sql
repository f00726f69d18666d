-- depends: 0016.alike-documents
-- Who may write to owned_earnings_line is not who decides what Xero pays: the lines of an employee are believed together,
-- under a seal that was made with the app's token keys.
ALTER TABLE xero_sync.owned_earnings_line
    ADD COLUMN disclaimed boolean NOT NULL DEFAULT false,  -- Xero refused it: the line is not QicWorks' (any more)
    ADD COLUMN written bigint,                             -- a new number each time it is written; null: before there were seals
    ADD COLUMN seal bytea;                                 -- over all lines of the employee, the same on each of them

CREATE SEQUENCE xero_sync.earnings_line_written;

-- A number that nobody chooses and that never comes again: neither what a line said once nor its seal of then can be put back.
-- The owner alone may say that lines are to be believed as they stand: `written` null.
CREATE FUNCTION xero_sync.earnings_line_was_written() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.written IS NOT NULL AND NEW.written IS NULL AND pg_has_role(session_user, current_user, 'MEMBER') THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' OR to_jsonb(NEW) - 'seal' IS DISTINCT FROM to_jsonb(OLD) - 'seal' THEN
        NEW.written := nextval('xero_sync.earnings_line_written');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER was_written BEFORE INSERT OR UPDATE ON xero_sync.owned_earnings_line
   FOR EACH ROW EXECUTE FUNCTION xero_sync.earnings_line_was_written();

-- An empty pay that a push made by itself.
ALTER TABLE qicworks.payroll_push ADD COLUMN takes_back boolean NOT NULL DEFAULT false;

-- As before, but it rests on nothing that its caller may write: on an approved earlier pay of QicWorks' own.
CREATE OR REPLACE FUNCTION xero_sync.take_back_pay(p_connection_id uuid, p_pay_period_id uuid, p_staff_id uuid)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO qicworks.payroll_push (organisation_id, pay_period_id, staff_id, push_state, approved_version, takes_back)
    SELECT period.organisation_id, period.id, staff.id, 'ready', 1, true
      FROM qicworks.staff
      JOIN qicworks.pay_period AS period
        ON period.id = p_pay_period_id AND period.payroll_calendar_xero_id = staff.payroll_calendar_xero_id
       AND period.approved_at IS NOT NULL
     WHERE staff.id = p_staff_id AND staff.connection_id = p_connection_id AND staff.is_active
       AND EXISTS (SELECT FROM qicworks.payroll_push AS push
                     JOIN qicworks.pay_period AS its ON its.id = push.pay_period_id
                    WHERE push.staff_id = staff.id AND push.organisation_id = period.organisation_id AND NOT push.takes_back
                      AND push.approved_version IS NOT NULL AND its.approved_at IS NOT NULL AND its.start_date < period.start_date)
       AND NOT EXISTS (SELECT FROM qicworks.payroll_push AS push
                         JOIN qicworks.pay_period AS its ON its.id = push.pay_period_id
                        WHERE push.staff_id = staff.id AND its.start_date >= period.start_date)
        ON CONFLICT (pay_period_id, staff_id) DO NOTHING
$$;

-- QicWorks' own pay takes the place of one that a push made by itself.
CREATE FUNCTION xero_sync.pay_was_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_RELID <> 'qicworks.payroll_push'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'this is a trigger of qicworks.payroll_push alone';
    END IF;
    IF NOT NEW.takes_back THEN
        DELETE FROM qicworks.payroll_push AS push
         WHERE pay_period_id = NEW.pay_period_id AND staff_id = NEW.staff_id AND takes_back
           AND NOT EXISTS (SELECT FROM qicworks.payroll_line WHERE payroll_push_id = push.id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pay_was_made BEFORE INSERT ON qicworks.payroll_push
   FOR EACH ROW EXECUTE FUNCTION xero_sync.pay_was_made();
