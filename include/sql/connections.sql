-- Which Xero organisation belongs to which QicWorks organisation.

-- name: described
-- The one of that id; without an id all.
SELECT connection.id, connection.organisation_id, organisation.name AS organisation, connection.tenant_id, connection.tenant_name,
       connection.token_id, connection.enabled, connection.state, connection.state_reason, connection.organisation_read_at,
       connection.connected_at, connection.first_connected_at, token.airflow_conn_id, token.state AS authorisation, token.broken_reason,
       organisation.time_zone
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
  JOIN xero_sync.token ON token.id = connection.token_id
 WHERE (connection.id = :id OR :id::uuid IS NULL) AND (:deleted OR connection.state <> 'deleted')
 ORDER BY organisation.name;

-- name: by_tenant^
-- The live connection, else the latest deleted one: connecting again goes on with its history.
SELECT id, organisation_id, state FROM xero_sync.connection
 WHERE tenant_id = :tenant_id
 ORDER BY state = 'deleted', connected_at DESC
 LIMIT 1;

-- name: reconnect!
UPDATE xero_sync.connection
   SET token_id = :token_id, tenant_name = :tenant_name, tenant_type = :tenant_type, xero_connection_id = :xero_connection_id,
       state = 'connected', state_reason = NULL, deleted_at = NULL, connected_at = now()
 WHERE id = :id;

-- name: connect$
INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, tenant_type, xero_connection_id)
VALUES (:organisation_id, :token_id, :tenant_id, :tenant_name, :tenant_type, :xero_connection_id)
RETURNING id;

-- name: needs_reconnect!
UPDATE xero_sync.connection SET state = 'needs_reconnect', state_reason = :reason WHERE id = :id AND state = 'connected';

-- name: works_again!
UPDATE xero_sync.connection SET state = 'connected', state_reason = NULL WHERE id = :id AND state = 'needs_reconnect';

-- name: free_organisation$
-- The QicWorks organisation of that name, if no other Xero organisation is matched to it.
SELECT organisation.id FROM qicworks.organisation
 WHERE organisation.name = :name
   AND NOT EXISTS (SELECT FROM xero_sync.connection WHERE organisation_id = organisation.id AND state <> 'deleted');

-- name: organisation_exists$
SELECT EXISTS (SELECT FROM qicworks.organisation WHERE name = :name);

-- name: add_organisation$
INSERT INTO qicworks.organisation (name) VALUES (:name) RETURNING id;

-- name: describe_organisation!
UPDATE qicworks.organisation
   SET legal_name = :legal_name, tax_number = :tax_number, country_code = :country_code, base_currency = :base_currency,
       time_zone = coalesce(:time_zone, time_zone), period_lock_date = :period_lock_date,
       end_of_year_lock_date = :end_of_year_lock_date, updated_at = now()
 WHERE id = :organisation_id;

-- name: organisation_was_read!
UPDATE xero_sync.connection SET organisation_read_at = now() WHERE id = :id;

-- name: token_of_app$
-- The working authorisation that was given to this Xero app.
SELECT id FROM xero_sync.token WHERE airflow_conn_id = :airflow_conn_id AND state = 'ok' ORDER BY created_at DESC LIMIT 1;
