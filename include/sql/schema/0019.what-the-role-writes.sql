-- depends: 0018.sealed-links
-- The role that pulls, pushes and shows writes to these tables, and is not therefore who decides.

-- Who was switched off, or deleted, stays so until somebody switches it on: rows are only ever added, and each that says `on`
-- has a seal that names the row before it. No row: it was on from the beginning.
CREATE TABLE xero_sync.switching (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection ON DELETE CASCADE,
    enabled       boolean NOT NULL,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    seal          bytea
);
CREATE INDEX switching_connection ON xero_sync.switching (connection_id, id DESC);
INSERT INTO xero_sync.switching (connection_id, enabled)
SELECT id, false FROM xero_sync.connection WHERE NOT enabled OR state = 'deleted' ORDER BY first_connected_at, id;

-- As it stands, by what nobody can take back. With the owner's rights: workers of the version before, whose role has not been granted
-- the new table yet, ask it, too.
CREATE FUNCTION xero_sync.is_on(p_connection_id uuid) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT connection.enabled AND coalesce((SELECT switching.enabled FROM xero_sync.switching
                                             WHERE switching.connection_id = connection.id ORDER BY id DESC LIMIT 1), true)
      FROM xero_sync.connection WHERE connection.id = p_connection_id
$$;

-- A consent that was begun for one app is not finished with another.
ALTER TABLE xero_sync.oauth_state ADD COLUMN seal bytea;

-- As in schema/0012, but for who was switched off and never on again.
CREATE OR REPLACE FUNCTION xero_sync.begin_interaction(
    p_key text, p_connection_id uuid, p_direction text, p_data_set text,
    p_dag_id text, p_run_id text, p_task_id text, p_map_index integer, p_try_number integer, p_log_url text,
    OUT got boolean, OUT still_on boolean, OUT event_id bigint, OUT interrupted text[]
) LANGUAGE plpgsql AS $$
BEGIN
    got := pg_try_advisory_lock(hashtextextended(p_key, 0));
    IF NOT got THEN
        RETURN;
    END IF;
    still_on := EXISTS (SELECT FROM xero_sync.connection
                         WHERE id = p_connection_id AND state <> 'deleted' AND xero_sync.is_on(id));
    IF NOT still_on THEN
        RETURN;
    END IF;
    WITH closed AS (
        UPDATE xero_sync.connection_event
           SET status = 'error', ended_at = clock_timestamp(), message = 'interrupted: the process that ran it is gone',
               correction = 'Nothing to do: this run goes on where that one stopped.'
         WHERE connection_id = p_connection_id AND direction = p_direction AND data_set = p_data_set AND status = 'running'
        RETURNING id, started_at)
    SELECT array_agg(format('the run of %s was interrupted; its event %s is closed', started_at, id) ORDER BY id)
      INTO interrupted FROM closed;
    INSERT INTO xero_sync.connection_event
           (connection_id, direction, data_set, status, dag_id, run_id, task_id, map_index, try_number, log_url)
    VALUES (p_connection_id, p_direction, p_data_set, 'running',
            p_dag_id, p_run_id, p_task_id, p_map_index, p_try_number, p_log_url)
    RETURNING id INTO event_id;
END $$;

-- As in schema/0002. What lies further ahead than anything that Xero asks for is nobody's word; where calls are noted as far
-- ahead, the clock was put back, which is another matter.
CREATE OR REPLACE FUNCTION xero_sync.locked_budget(p_app text, p_tenant text) RETURNS xero_sync.call_budget LANGUAGE plpgsql AS $$
DECLARE
    budget xero_sync.call_budget;
    latest CONSTANT timestamptz := clock_timestamp() + interval '25 hours';
    noted  timestamptz;
BEGIN
    LOOP
        SELECT * INTO budget FROM xero_sync.call_budget WHERE app = p_app AND tenant_id = p_tenant FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO xero_sync.call_budget (app, tenant_id) VALUES (p_app, p_tenant) ON CONFLICT DO NOTHING;
    END LOOP;
    noted := (SELECT max(at) FROM unnest(budget.calls) AS at WHERE isfinite(at));
    IF budget.not_before > latest AND coalesce(noted, '-infinity') <= latest
       OR 'infinity' = ANY (budget.calls || ARRAY[budget.not_before, budget.next_at, budget.day_seen_at]) THEN
        UPDATE xero_sync.call_budget
           SET not_before = CASE WHEN not_before <= latest THEN not_before END, next_at = nullif(next_at, 'infinity'),
               day_seen_at = nullif(day_seen_at, 'infinity'), calls = array_remove(calls, 'infinity')
         WHERE app = p_app AND tenant_id = p_tenant
        RETURNING * INTO budget;
    END IF;
    RETURN budget;
END $$;

-- As in schema/0009. What is said to have ended in time to come counts as not there.
CREATE OR REPLACE FUNCTION xero_sync.event_has_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO xero_sync.standing AS held
           (connection_id, direction, data_set, last_event_id, last_status, last_started_at, last_ended_at, last_message,
            last_correction, last_success_at)
    VALUES (NEW.connection_id, NEW.direction, NEW.data_set, NEW.id, NEW.status, NEW.started_at, NEW.ended_at, NEW.message,
            NEW.correction, CASE WHEN NEW.status = 'success' THEN NEW.ended_at END)
        ON CONFLICT (connection_id, direction, data_set) DO UPDATE SET
           last_event_id = excluded.last_event_id, last_status = excluded.last_status, last_started_at = excluded.last_started_at,
           last_ended_at = excluded.last_ended_at, last_message = excluded.last_message,
           last_correction = excluded.last_correction,
           last_success_at = coalesce(excluded.last_success_at,
                                      CASE WHEN held.last_success_at <= clock_timestamp() THEN held.last_success_at END)
     WHERE (excluded.last_ended_at, excluded.last_event_id) >= (held.last_ended_at, held.last_event_id)
        OR held.last_ended_at > clock_timestamp();
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status <> 'running' THEN
            PERFORM xero_sync.count_traffic(OLD, -1);
        END IF;
    END IF;
    PERFORM xero_sync.count_traffic(NEW, 1);
    RETURN NULL;
END $$;

-- Who owns the tables may do everything with them: erase a person, mend what went wrong.
CREATE FUNCTION xero_sync.is_owner() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pg_has_role(current_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = 'xero_sync'
$$;

-- What happened stays written. Whoever is at work closes an event, perhaps twice: the second time soon, and as nothing better.
-- What is pruned ended a day ago or more; what is younger is passed over. The views say what may go at all.
CREATE FUNCTION xero_sync.event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ranks CONSTANT text[] := ARRAY['success', 'warning', 'error'];
    moment CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF xero_sync.is_owner() THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.ended_at < moment - interval '1 day'
           AND NOT EXISTS (SELECT FROM xero_sync.standing WHERE standing.last_event_id = OLD.id
                              AND standing.connection_id = OLD.connection_id AND standing.direction = OLD.direction
                              AND standing.data_set = OLD.data_set) THEN
            RETURN OLD;
        END IF;
        RETURN NULL;  -- passed over
    ELSIF (NEW.id, NEW.started_at, NEW.connection_id, NEW.direction, NEW.data_set, NEW.document)
          IS NOT DISTINCT FROM (OLD.id, OLD.started_at, OLD.connection_id, OLD.direction, OLD.data_set, OLD.document)
          AND (NEW.ended_at IS NOT DISTINCT FROM OLD.ended_at OR abs(extract(epoch FROM NEW.ended_at - moment)) < 3600)
          AND (OLD.status = 'running'
               OR OLD.ended_at > moment - interval '10 minutes'
                  AND array_position(ranks, NEW.status) >= array_position(ranks, OLD.status)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a connection event that has ended stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON xero_sync.connection_event
   FOR EACH ROW EXECUTE FUNCTION xero_sync.event_stays();

-- The same of rejections; and a record is an object, as those who read it take it to be.
CREATE FUNCTION xero_sync.rejection_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF TG_OP <> 'DELETE' AND (jsonb_typeof(NEW.record) <> 'object' OR jsonb_typeof(NEW.undecodable) NOT IN ('object', 'null')) THEN
        RAISE EXCEPTION 'a rejected record is an object' USING ERRCODE = 'check_violation';
    ELSIF TG_OP = 'INSERT' OR xero_sync.is_owner() THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    ELSIF TG_OP = 'DELETE' THEN
        RETURN CASE WHEN OLD.closed_at < moment - interval '1 day' THEN OLD END;
    ELSIF OLD.closed_at IS NULL
          AND (NEW.id, NEW.connection_id, NEW.data_set, NEW.table_name, NEW.key, NEW.event_id)
              IS NOT DISTINCT FROM (OLD.id, OLD.connection_id, OLD.data_set, OLD.table_name, OLD.key, OLD.event_id)
          AND coalesce(abs(extract(epoch FROM NEW.closed_at - moment)) < 21600, true) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a rejection that is closed, or open, stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER stays BEFORE INSERT OR UPDATE OR DELETE ON xero_sync.rejection
   FOR EACH ROW EXECUTE FUNCTION xero_sync.rejection_stays();
