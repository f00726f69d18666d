-- depends: 0016.alike-documents
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

-- As it stands, by what nobody can take back.
CREATE FUNCTION xero_sync.is_on(p_connection_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
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
