-- depends: 0022.correlation
-- Approved pay and leave are of a person. Once a member of staff is another employee in Xero than before (somebody was hired
-- again, or somebody has exchanged two), what has not arrived yet is to be approved again.
CREATE FUNCTION xero_sync.is_another_employee() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE qicworks.payroll_push SET push_version = push_version + 1, updated_at = now()
     WHERE staff_id = OLD.id AND push_state IN ('draft', 'ready', 'in_flight', 'failed');
    UPDATE qicworks.leave_request SET push_version = push_version + 1, updated_at = now()
     WHERE staff_id = OLD.id AND push_state IN ('draft', 'ready', 'in_flight', 'failed');
    RETURN NULL;
END $$;
CREATE TRIGGER another_employee AFTER UPDATE OF xero_id ON qicworks.staff
   FOR EACH ROW WHEN (OLD.xero_id IS NOT NULL AND NEW.xero_id IS DISTINCT FROM OLD.xero_id)
   EXECUTE FUNCTION xero_sync.is_another_employee();
