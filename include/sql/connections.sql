-- Which Xero organisation belongs to which QicWorks organisation.

-- name: described
-- The connection of this id; all of them if the id is null.
SELECT connection.id, connection.organisation_id, organisation.name AS organisation, connection.tenant_id, connection.tenant_name,
       connection.token_id, connection.enabled AND coalesce(switched.enabled, true) AS enabled, connection.state, connection.state_reason, connection.organisation_read_at,
       connection.connected_at, connection.first_connected_at, token.airflow_conn_id, token.state AS authorisation, token.broken_reason,
       organisation.time_zone, connection.seal, switched.id AS switch_id, switched.after AS switched_after, switched.seal AS switch_seal,
       EXISTS (SELECT FROM xero_sync.match_before_seals AS before
                WHERE before.connection_id = connection.id AND before.organisation_id = connection.organisation_id
                  AND before.tenant_id = connection.tenant_id AND before.token_id = connection.token_id
                  AND before.airflow_conn_id = token.airflow_conn_id) AS matched_before_seals
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
  JOIN xero_sync.token ON token.id = connection.token_id
  LEFT JOIN LATERAL (SELECT id, enabled, seal, coalesce(lead(id) OVER (ORDER BY id DESC), 0) AS after FROM xero_sync.switching
                      WHERE switching.connection_id = connection.id ORDER BY id DESC LIMIT 1) AS switched ON true
 WHERE (connection.id = :id OR :id::uuid IS NULL) AND (:deleted OR connection.state <> 'deleted')
 ORDER BY organisation.name;

-- name: live^
-- The live connection of a Xero organisation.
SELECT connection.id, connection.token_id, connection.organisation_id, organisation.name AS organisation
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE connection.tenant_id = :tenant_id AND connection.state <> 'deleted';

-- name: latest_deleted^
-- The connection that is resumed when connecting again: the latest deleted one of this Xero and this QicWorks organisation.
SELECT connection.id, connection.token_id, connection.organisation_id, organisation.name AS organisation
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE connection.tenant_id = :tenant_id AND connection.state = 'deleted'
   AND connection.organisation_id = :organisation_id
 ORDER BY connection.connected_at DESC
 LIMIT 1;

-- name: reconnect!
-- A deleted connection becomes active; one that is switched off stays off.
UPDATE xero_sync.connection
   SET token_id = :token_id, tenant_name = :tenant_name, tenant_type = :tenant_type, xero_connection_id = :xero_connection_id,
       enabled = enabled OR state = 'deleted', state = 'connected', state_reason = NULL, deleted_at = NULL, connected_at = now()
 WHERE id = :id;

-- name: connect$
INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, tenant_type, xero_connection_id)
VALUES (:organisation_id, :token_id, :tenant_id, :tenant_name, :tenant_type, :xero_connection_id)
RETURNING id;

-- name: seal!
UPDATE xero_sync.connection SET seal = :seal WHERE id = :id;

-- name: needs_reconnect!
UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = :reason WHERE id = :id AND state = 'connected';

-- name: works_again!
UPDATE xero_sync.connection SET state = 'connected', state_reason = NULL WHERE id = :id AND state = 'needs_reconnect';

-- name: delete!
-- It is off, too: what is written to the row afterwards does not bring it back.
WITH deleted AS (
    UPDATE xero_sync.connection SET state = 'deleted', state_reason = NULL, deleted_at = now() WHERE id = :id AND state <> 'deleted'
    RETURNING id
)
INSERT INTO xero_sync.switching (connection_id, enabled) SELECT id, false FROM deleted;

-- name: lock$
SELECT id FROM xero_sync.connection WHERE id = :id FOR UPDATE;

-- name: switch!
WITH switched AS (UPDATE xero_sync.connection SET enabled = :enabled WHERE id = :id)
INSERT INTO xero_sync.switching (connection_id, enabled, seal) VALUES (:id, :enabled, :seal);

-- name: open_requests$
SELECT count(*) FROM xero_sync.push_request WHERE connection_id = :id AND closed_at IS NULL;

-- name: organisations
-- QicWorks' organisations, each with the Xero organisation that it is matched to just now. By id, by name, or all.
SELECT organisation.id, organisation.name, connection.tenant_id AS taken_by_tenant, connection.tenant_name AS taken_by
  FROM qicworks.organisation
  LEFT JOIN xero_sync.connection ON connection.organisation_id = organisation.id AND connection.state <> 'deleted'
 WHERE (organisation.id = :id OR :id::uuid IS NULL) AND (organisation.name = :name OR :name::text IS NULL)
 ORDER BY organisation.name;

-- name: add_organisation$
INSERT INTO qicworks.organisation (name) VALUES (:name) RETURNING id;

-- name: describe_organisation!
UPDATE qicworks.organisation
   SET legal_name = :legal_name, tax_number = :tax_number, country_code = :country_code,
       base_currency = coalesce(xero_sync.currency_code(:base_currency), base_currency),
       time_zone = coalesce(:time_zone, time_zone), period_lock_date = :period_lock_date,
       end_of_year_lock_date = :end_of_year_lock_date, updated_at = now()
 WHERE id = :organisation_id;

-- name: organisation_was_read!
UPDATE xero_sync.connection SET organisation_read_at = now() WHERE id = :id;

-- name: lock_connecting
-- One at a time: two at the same time would create each organisation twice.
SELECT pg_advisory_lock(hashtextextended('xero connect', 0));

-- name: one_in_flight
-- Whether a document of this table is being sent. table: that of a kind.
SELECT 1 FROM qicworks.{table} WHERE organisation_id = :organisation_id AND push_state = 'in_flight' LIMIT 1;
