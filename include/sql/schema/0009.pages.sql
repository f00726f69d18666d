-- depends: 0008.consent
-- What the pages read: the event log by its indexes, how each data set stands, what was called and received, documents by state.

-- The words of a text, whatever their case. Not PostgreSQL's own parser: to it the number in 'INV-0001' is '-0001', and
-- that in 'INV-0001A' is '0001a', so that the beginning of a number would not find it.
CREATE FUNCTION xero_sync.words(said text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_to_tsvector(array_agg(DISTINCT left(word, 100))), '')
      FROM regexp_split_to_table(lower(left(said, 10000)), '[^[:alnum:]]+') AS word
     WHERE word <> ''
$$;

-- All of these words, and one that begins with the last.
CREATE FUNCTION xero_sync.asked(typed text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_agg('''' || word || CASE WHEN follows IS NULL THEN ''':*' ELSE '''' END, ' & '), '')::tsquery
      FROM (SELECT left(word, 100) AS word, lead(word) OVER (ORDER BY place) AS follows
              FROM regexp_split_to_table(lower(left(typed, 1000)), '[^[:alnum:]]+') WITH ORDINALITY AS part (word, place)
             WHERE word <> '') AS each
$$;

ALTER TABLE xero_sync.connection_event
    ADD COLUMN words tsvector GENERATED ALWAYS AS
        (xero_sync.words(coalesce(message, '') || ' ' || coalesce(correction, '') || ' ' || coalesce(document, ''))) STORED;

-- The log is read newest first: all of it, of a connection, of a data set, of both. What goes well is most of it, so it
-- needs no index; what does not is rare.
DROP INDEX xero_sync.connection_event_started, xero_sync.connection_event_connection;
CREATE INDEX connection_event_newest ON xero_sync.connection_event (started_at DESC, id DESC);
CREATE INDEX connection_event_connection ON xero_sync.connection_event (connection_id, started_at DESC, id DESC);
CREATE INDEX connection_event_data_set ON xero_sync.connection_event (data_set, direction, started_at DESC, id DESC);
CREATE INDEX connection_event_pair ON xero_sync.connection_event (connection_id, data_set, direction, started_at DESC, id DESC);
CREATE INDEX connection_event_trouble ON xero_sync.connection_event (status, started_at DESC, id DESC)
    WHERE status IN ('warning', 'error');
CREATE INDEX connection_event_trouble_of ON xero_sync.connection_event (connection_id, status, started_at DESC, id DESC)
    WHERE status IN ('warning', 'error');
-- New words wait in a list that each search reads: a short one.
CREATE INDEX connection_event_words ON xero_sync.connection_event USING gin (words) WITH (gin_pending_list_limit = 256);

CREATE VIEW xero_sync.event_shown AS
SELECT event.id, event.started_at, event.ended_at, event.connection_id, organisation.name AS organisation, connection.tenant_name,
       event.direction, event.data_set, event.status, event.read, event.inserted, event.updated, event.unchanged,
       event.deactivated, event.rejected, event.pushed, event.failed, event.calls, event.bytes_received, event.message,
       event.correction, event.document, event.dag_id, event.run_id, event.task_id, event.map_index, event.try_number, event.log_url
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id;

-- The last event of each pair that ended. Those of one document say nothing of the whole.
CREATE TABLE xero_sync.standing (
    connection_id   uuid NOT NULL REFERENCES xero_sync.connection,
    direction       text NOT NULL,
    data_set        text NOT NULL,
    last_event_id   bigint NOT NULL,        -- no reference: old events may be deleted
    last_status     text NOT NULL,
    last_started_at timestamptz NOT NULL,
    last_ended_at   timestamptz NOT NULL,
    last_message    text,
    last_correction text,
    last_success_at timestamptz,
    PRIMARY KEY (connection_id, direction, data_set)
) WITH (fillfactor = 50);

-- What the events of a day came to; it stays when they are deleted.
CREATE TABLE xero_sync.traffic (
    day            date NOT NULL,           -- on which they ended, in UTC
    connection_id  uuid NOT NULL REFERENCES xero_sync.connection,
    direction      text NOT NULL,
    data_set       text NOT NULL,
    runs           integer NOT NULL DEFAULT 0,
    failed_runs    integer NOT NULL DEFAULT 0,
    read           bigint NOT NULL DEFAULT 0,
    written        bigint NOT NULL DEFAULT 0,  -- inserted, updated and deactivated
    pushed         bigint NOT NULL DEFAULT 0,
    calls          bigint NOT NULL DEFAULT 0,
    bytes_received bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, connection_id, direction, data_set)
) WITH (fillfactor = 80);
CREATE INDEX traffic_connection ON xero_sync.traffic (connection_id, day);

-- Adds an event to its day (`times` 1), or takes it out again (-1).
CREATE FUNCTION xero_sync.count_traffic(event xero_sync.connection_event, times integer) RETURNS void LANGUAGE sql AS $$
    INSERT INTO xero_sync.traffic AS held
           (day, connection_id, direction, data_set, runs, failed_runs, read, written, pushed, calls, bytes_received)
    VALUES ((event.ended_at AT TIME ZONE 'UTC')::date, event.connection_id, event.direction, event.data_set,
            times, times * (event.status = 'error')::integer, times * event.read,
            times * (event.inserted + event.updated + event.deactivated), times * event.pushed, times * event.calls,
            times * event.bytes_received)
        ON CONFLICT (day, connection_id, direction, data_set) DO UPDATE SET
           runs = held.runs + excluded.runs, failed_runs = held.failed_runs + excluded.failed_runs,
           read = held.read + excluded.read, written = held.written + excluded.written, pushed = held.pushed + excluded.pushed,
           calls = held.calls + excluded.calls, bytes_received = held.bytes_received + excluded.bytes_received
$$;

-- Always the standing first, then the day: those who end events of one pair at once queue up, and never wait for each other
-- in a circle.
CREATE FUNCTION xero_sync.event_has_ended() RETURNS trigger LANGUAGE plpgsql AS $$
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
           last_success_at = coalesce(excluded.last_success_at, held.last_success_at)
     WHERE (excluded.last_ended_at, excluded.last_event_id) >= (held.last_ended_at, held.last_event_id);
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status <> 'running' THEN
            PERFORM xero_sync.count_traffic(OLD, -1);
        END IF;
    END IF;
    PERFORM xero_sync.count_traffic(NEW, 1);
    RETURN NULL;
END $$;

CREATE TRIGGER has_ended
    AFTER INSERT OR UPDATE OF status, ended_at, read, inserted, updated, deactivated, pushed, calls, bytes_received
    ON xero_sync.connection_event
   FOR EACH ROW WHEN (NEW.status <> 'running' AND NEW.ended_at IS NOT NULL AND NEW.document IS NULL AND NEW.connection_id IS NOT NULL)
   EXECUTE FUNCTION xero_sync.event_has_ended();

-- What ended before there was a trigger. Nothing ends meanwhile: the new column has locked the table.
INSERT INTO xero_sync.standing
SELECT DISTINCT ON (connection_id, direction, data_set)
       connection_id, direction, data_set, id, status, started_at, ended_at, message, correction,
       max(ended_at) FILTER (WHERE status = 'success') OVER (PARTITION BY connection_id, direction, data_set)
  FROM xero_sync.connection_event
 WHERE status <> 'running' AND ended_at IS NOT NULL AND document IS NULL AND connection_id IS NOT NULL
 ORDER BY connection_id, direction, data_set, ended_at DESC, id DESC;
INSERT INTO xero_sync.traffic
SELECT (ended_at AT TIME ZONE 'UTC')::date, connection_id, direction, data_set, count(*), count(*) FILTER (WHERE status = 'error'),
       sum(read), sum(inserted + updated + deactivated), sum(pushed), sum(calls), sum(bytes_received)
  FROM xero_sync.connection_event
 WHERE status <> 'running' AND ended_at IS NOT NULL AND document IS NULL AND connection_id IS NOT NULL
 GROUP BY 1, 2, 3, 4;

-- Documents of a state, newest first: of all organisations, and of one; by the beginning of their number, or whose they are.
CREATE INDEX invoice_newest ON qicworks.invoice (push_state, created_at DESC, id DESC);
CREATE INDEX bill_newest ON qicworks.bill (push_state, created_at DESC, id DESC);
CREATE INDEX expense_newest ON qicworks.expense (push_state, created_at DESC, id DESC);
CREATE INDEX credit_note_newest ON qicworks.credit_note (push_state, created_at DESC, id DESC);
CREATE INDEX purchase_order_newest ON qicworks.purchase_order (push_state, created_at DESC, id DESC);
CREATE INDEX payroll_push_newest ON qicworks.payroll_push (push_state, created_at DESC, id DESC);
CREATE INDEX leave_request_newest ON qicworks.leave_request (push_state, created_at DESC, id DESC);

CREATE INDEX invoice_organisation ON qicworks.invoice (push_state, organisation_id, created_at DESC, id DESC);
CREATE INDEX bill_organisation ON qicworks.bill (push_state, organisation_id, created_at DESC, id DESC);
CREATE INDEX expense_organisation ON qicworks.expense (push_state, organisation_id, created_at DESC, id DESC);
CREATE INDEX credit_note_organisation ON qicworks.credit_note (push_state, organisation_id, created_at DESC, id DESC);
CREATE INDEX purchase_order_organisation ON qicworks.purchase_order (push_state, organisation_id, created_at DESC, id DESC);
CREATE INDEX payroll_push_organisation ON qicworks.payroll_push (push_state, organisation_id, created_at DESC, id DESC);
CREATE INDEX leave_request_organisation ON qicworks.leave_request (push_state, organisation_id, created_at DESC, id DESC);

CREATE INDEX invoice_number ON qicworks.invoice (lower(number) text_pattern_ops);
CREATE INDEX bill_number ON qicworks.bill (lower(number) text_pattern_ops);
CREATE INDEX expense_number ON qicworks.expense (lower(number) text_pattern_ops);
CREATE INDEX credit_note_beginning ON qicworks.credit_note (lower(number) text_pattern_ops);
CREATE INDEX purchase_order_number ON qicworks.purchase_order (lower(number) text_pattern_ops);
CREATE INDEX payroll_push_staff ON qicworks.payroll_push (staff_id);
CREATE INDEX leave_request_staff ON qicworks.leave_request (staff_id);

CREATE INDEX attachment_failed ON qicworks.attachment (organisation_id, parent_type) WHERE push_state = 'failed';
CREATE INDEX rejection_newest ON xero_sync.rejection (id DESC) WHERE closed_at IS NULL;
CREATE INDEX rejection_connection ON xero_sync.rejection (connection_id, id DESC) WHERE closed_at IS NULL;
