-- depends: 0023.another-employee
-- How an event ended, for code to read (messages are for people), and which document it is about, whatever its number becomes.

-- The values are those of EventOutcome in plugins/xero/qicworks/runs/outcome.py. Workers of the version before write none.
ALTER TABLE xero_sync.connection_event
    ADD COLUMN outcome text,
    ADD COLUMN document_kind text,        -- such as 'invoices'
    ADD COLUMN document_id uuid,          -- in the table of that kind
    ADD CONSTRAINT connection_event_outcome_check CHECK (outcome IN (
        'done', 'done_with_remarks', 'partly_done', 'not_available', 'differs',
        'none_connected', 'switched_off', 'deleted', 'needs_reconnect', 'unsealed', 'busy', 'postponed', 'interrupted',
        'refused', 'bad_response', 'implausible', 'misconfigured', 'database_locked', 'database_failed', 'failed',
        'waiting', 'not_ready', 'unknown', 'ambiguous',
        'consent_denied', 'consent_failed', 'consent_unknown', 'consent_of_another', 'consent_used', 'consent_expired')),
    DROP CONSTRAINT connection_event_direction_check,
    ADD CONSTRAINT connection_event_direction_check CHECK (direction IN ('pull', 'push', 'connect', 'maintenance'));

ALTER TABLE xero_sync.standing ADD COLUMN last_outcome text;

-- The events of a document; those of before, whose document is known by its label only, are few.
CREATE INDEX connection_event_document ON xero_sync.connection_event (document_id, started_at DESC, id DESC)
    WHERE document_id IS NOT NULL;

CREATE OR REPLACE VIEW xero_sync.event_shown AS
SELECT event.id, event.started_at, event.ended_at, event.connection_id, organisation.name AS organisation, connection.tenant_name,
       event.direction, event.data_set, event.status, event.read, event.inserted, event.updated, event.unchanged,
       event.deactivated, event.rejected, event.pushed, event.failed, event.calls, event.bytes_received, event.message,
       event.correction, event.document, event.dag_id, event.run_id, event.task_id, event.map_index, event.try_number, event.log_url,
       event.correlation_id, event.bytes_unpacked, event.outcome, event.document_kind, event.document_id
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id;

-- As in schema/0019, with the outcome of what was interrupted.
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
           SET status = 'error', outcome = 'interrupted', ended_at = clock_timestamp(),
               message = 'interrupted: the process that ran it is gone',
               correction = 'Nothing to do: this run continues where that one stopped.'
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

-- As in schema/0019, with the outcome.
CREATE OR REPLACE FUNCTION xero_sync.event_has_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO xero_sync.standing AS held
           (connection_id, direction, data_set, last_event_id, last_status, last_outcome, last_started_at, last_ended_at, last_message,
            last_correction, last_success_at)
    VALUES (NEW.connection_id, NEW.direction, NEW.data_set, NEW.id, NEW.status, NEW.outcome, NEW.started_at, NEW.ended_at, NEW.message,
            NEW.correction, CASE WHEN NEW.status = 'success' THEN NEW.ended_at END)
        ON CONFLICT (connection_id, direction, data_set) DO UPDATE SET
           last_event_id = excluded.last_event_id, last_status = excluded.last_status, last_outcome = excluded.last_outcome,
           last_started_at = excluded.last_started_at, last_ended_at = excluded.last_ended_at, last_message = excluded.last_message,
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

-- As in schema/0019, and the document stays the same one.
CREATE OR REPLACE FUNCTION xero_sync.event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
        RETURN NULL;  -- skipped
    ELSIF (NEW.id, NEW.started_at, NEW.connection_id, NEW.direction, NEW.data_set, NEW.document, NEW.document_kind, NEW.document_id)
          IS NOT DISTINCT FROM
          (OLD.id, OLD.started_at, OLD.connection_id, OLD.direction, OLD.data_set, OLD.document, OLD.document_kind, OLD.document_id)
          AND (NEW.ended_at IS NOT DISTINCT FROM OLD.ended_at OR abs(extract(epoch FROM NEW.ended_at - moment)) < 3600)
          AND (OLD.status = 'running'
               OR OLD.ended_at > moment - interval '10 minutes'
                  AND array_position(ranks, NEW.status) >= array_position(ranks, OLD.status)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a connection event that has ended stays as it is' USING ERRCODE = 'insufficient_privilege';
END $$;

-- Events of before, as far as their messages show how they ended.
UPDATE xero_sync.connection_event
   SET outcome = CASE
           WHEN message LIKE 'interrupted%' AND status = 'error' THEN 'interrupted'
           WHEN document IS NOT NULL AND message LIKE '% waits: it is %' THEN 'waiting'
           WHEN document IS NOT NULL AND message LIKE '% (push_state): only what is ready is pushed' THEN 'not_ready'
           WHEN document IS NOT NULL AND message LIKE '% each have %' AND connection_id IS NULL THEN 'ambiguous'
           WHEN document IS NOT NULL AND message LIKE 'no connected organisation has %' THEN 'unknown'
           WHEN document IS NOT NULL THEN CASE status WHEN 'success' THEN 'done' WHEN 'warning' THEN 'done_with_remarks' ELSE 'failed' END
           WHEN direction = 'pull' AND status = 'warning' AND message LIKE 'data set not available: %' THEN 'not_available'
           WHEN status = 'warning' AND message LIKE 'reconcile: %' THEN 'differs'
           WHEN direction = 'pull' AND data_set = 'reconcile' AND status = 'warning' AND message LIKE 'not in step: %' THEN 'differs'
           WHEN status = 'warning' AND message LIKE 'already running in %' THEN 'busy'
           WHEN status = 'warning' AND message LIKE '% It goes on with the first run after %' THEN 'postponed'
           WHEN status = 'warning' AND connection_id IS NULL AND message LIKE 'No organisation is connected:%' THEN 'none_connected'
           WHEN status = 'warning' AND connection_id IS NULL AND message LIKE 'All % organisations are switched off:%' THEN 'switched_off'
           WHEN status = 'warning' AND connection_id IS NULL AND message LIKE '% have to be connected again, and took no part:%'
               THEN 'needs_reconnect'
           WHEN status = 'warning' AND (message LIKE '% takes no part by now: switched off' OR message LIKE '% is switched off by now')
               THEN 'switched_off'
           WHEN status = 'warning' AND (message LIKE '% takes no part by now: deleted;%' OR message LIKE '% is deleted;% by now')
               THEN 'deleted'
           WHEN direction = 'connect' AND data_set = 'authorisation' AND connection_id IS NULL AND status IN ('warning', 'error')
               THEN CASE message
                   WHEN 'Xero was not allowed to give access, and nothing was connected.' THEN 'consent_denied'
                   WHEN 'This answer from Xero belongs to no consent that was begun here.' THEN 'consent_unknown'
                   WHEN 'This answer from Xero belongs to a consent that another user began.' THEN 'consent_of_another'
                   WHEN 'This answer from Xero was taken once already.' THEN 'consent_used'
                   WHEN 'The consent took longer than ten minutes.' THEN 'consent_expired'
                   ELSE CASE status WHEN 'error' THEN 'consent_failed' ELSE 'failed' END END
           WHEN status = 'success' THEN 'done'
           WHEN status = 'warning' THEN 'partly_done'
           ELSE 'failed' END
 WHERE status <> 'running';

UPDATE xero_sync.standing SET last_outcome = event.outcome FROM xero_sync.connection_event AS event WHERE event.id = last_event_id;

-- Of which document they are: the only one of that organisation and kind with that label today.
DO $$
DECLARE
    kind record;
BEGIN
    FOR kind IN SELECT * FROM (VALUES ('invoices', 'invoice', 'invoice', 'number'), ('bills', 'bill', 'bill', 'number'),
                                      ('expenses', 'expense', 'expense', 'number'),
                                      ('credit_notes', 'credit note', 'credit_note', 'number'),
                                      ('purchase_orders', 'purchase order', 'purchase_order', 'number'),
                                      ('payroll', 'pay', 'payroll_push', 'id'),
                                      ('leave_requests', 'leave request', 'leave_request', 'id'))
                                     AS known (name, word, relation, label) LOOP
        EXECUTE format(
            'UPDATE xero_sync.connection_event AS event
                SET document_kind = %1$L, document_id = document.id
               FROM (SELECT organisation_id, min(id::text)::uuid AS id,
                            %2$L || '' '' || btrim(regexp_replace(%4$I::text, ''[[:cntrl:][:space:]]+'', '' '', ''g'')) AS label
                       FROM qicworks.%3$I GROUP BY organisation_id, 3 HAVING count(*) = 1) AS document
               JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
              WHERE event.direction = ''push'' AND event.data_set = %1$L AND event.connection_id = connection.id
                AND event.document = document.label',
            kind.name, kind.word, kind.relation, kind.label);
        -- A document without a number is called by its id.
        EXECUTE format(
            'UPDATE xero_sync.connection_event AS event
                SET document_kind = %1$L, document_id = document.id
               FROM qicworks.%3$I AS document
               JOIN xero_sync.connection ON connection.organisation_id = document.organisation_id
              WHERE event.direction = ''push'' AND event.data_set = %1$L AND event.connection_id = connection.id
                AND event.document_id IS NULL AND event.document = %2$L || '' '' || document.id::text',
            kind.name, kind.word, kind.relation);
    END LOOP;
END $$;
