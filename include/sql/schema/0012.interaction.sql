-- depends: 0011.retention
-- How an interaction begins, in one round trip: the lease, then what killed processes left open, then the event.

-- `got`: whether the lease (a lock of the session, by its key) was free. `still_on`: false where the connection is switched
-- off, deleted or not there; then, as where the lease was not got, nothing is written. Each statement sees what was committed
-- before it: what is read here is read under the lease.
CREATE FUNCTION xero_sync.begin_interaction(
    p_key text, p_connection_id uuid, p_direction text, p_data_set text,
    p_dag_id text, p_run_id text, p_task_id text, p_map_index integer, p_try_number integer, p_log_url text,
    OUT got boolean, OUT still_on boolean, OUT event_id bigint, OUT interrupted text[]
) LANGUAGE plpgsql AS $$
BEGIN
    got := pg_try_advisory_lock(hashtextextended(p_key, 0));
    IF NOT got THEN
        RETURN;
    END IF;
    still_on := EXISTS (SELECT FROM xero_sync.connection WHERE id = p_connection_id AND enabled AND state <> 'deleted');
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
