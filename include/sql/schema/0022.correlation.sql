-- depends: 0020.clock-put-back
-- By which id Xero finds a call in its own logs: of the one that failed, else of the last that was answered. And how much the answers
-- were when unpacked, beside what came over the wire.
ALTER TABLE xero_sync.connection_event
    ADD COLUMN correlation_id text,
    ADD COLUMN bytes_unpacked bigint NOT NULL DEFAULT 0;

CREATE OR REPLACE VIEW xero_sync.event_shown AS
SELECT event.id, event.started_at, event.ended_at, event.connection_id, organisation.name AS organisation, connection.tenant_name,
       event.direction, event.data_set, event.status, event.read, event.inserted, event.updated, event.unchanged,
       event.deactivated, event.rejected, event.pushed, event.failed, event.calls, event.bytes_received, event.message,
       event.correction, event.document, event.dag_id, event.run_id, event.task_id, event.map_index, event.try_number, event.log_url,
       event.correlation_id, event.bytes_unpacked
  FROM xero_sync.connection_event AS event
  LEFT JOIN xero_sync.connection ON connection.id = event.connection_id
  LEFT JOIN qicworks.organisation ON organisation.id = connection.organisation_id;
