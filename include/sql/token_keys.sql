-- Which key encrypts each stored token, and which key each seal (match, pay, link, what was last pushed, open request) was made with.

-- name: stored
-- All that are not empty. `used`: a live connection uses it.
SELECT id, airflow_conn_id, state, secret,
       EXISTS (SELECT FROM xero_sync.connection WHERE token_id = token.id AND state <> 'deleted') AS used
  FROM xero_sync.token
 WHERE secret <> ''
 ORDER BY airflow_conn_id, created_at, id;

-- name: seals
-- Of live connections: of their match, and of who switched them on.
SELECT connection.id, NULL::uuid AS employee, organisation.name AS organisation, airflow_conn_id, of_switch, sealed.seal
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
  JOIN xero_sync.token ON token.id = connection.token_id
 CROSS JOIN LATERAL (SELECT false AS of_switch, connection.seal
                     UNION ALL
                     (SELECT true, seal FROM xero_sync.switching
                       WHERE switching.connection_id = connection.id AND xero_sync.is_on(connection.id)
                       ORDER BY switching.id DESC LIMIT 1)) AS sealed
 WHERE sealed.seal IS NOT NULL AND connection.state <> 'deleted'
 ORDER BY airflow_conn_id, connection.id, of_switch;

-- name: lock_seal(id)$
SELECT seal FROM xero_sync.connection WHERE id = :id FOR UPDATE;

-- name: store_seal(id, seal)!
UPDATE xero_sync.connection SET seal = :seal WHERE id = :id;

-- name: pay_seals
-- Of what is QicWorks' in the pay template of each employee; a connection that is deleted may be connected again.
SELECT DISTINCT owned.connection_id AS id, owned.employee_xero_id AS employee, organisation.name AS organisation,
       airflow_conn_id, false AS of_switch, owned.seal
  FROM xero_sync.owned_earnings_line AS owned
  JOIN xero_sync.connection ON connection.id = owned.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
  JOIN xero_sync.token ON token.id = connection.token_id
 WHERE owned.seal IS NOT NULL
 ORDER BY airflow_conn_id, owned.connection_id, owned.employee_xero_id;

-- name: lock_pay_seals(id, employee)
SELECT seal FROM xero_sync.owned_earnings_line
 WHERE connection_id = :id AND employee_xero_id = :employee AND seal IS NOT NULL
   FOR UPDATE;

-- name: store_pay_seal(id, employee, before, seal)!
UPDATE xero_sync.owned_earnings_line SET seal = :seal
 WHERE connection_id = :id AND employee_xero_id = :employee AND seal = :before;

-- name: wait_at_most(milliseconds)!
SELECT set_config('lock_timeout', :milliseconds::text, true);

-- name: lock(id)$
-- The lock that a renewal takes, too.
SELECT secret FROM xero_sync.token WHERE id = :id FOR UPDATE;

-- name: store(id, secret)!
UPDATE xero_sync.token SET secret = :secret WHERE id = :id;

-- name: links
-- Of the next documents, with the app that seals them.
SELECT document_id, connection_id, xero_id, version, document_link.seal, airflow_conn_id
  FROM xero_sync.document_link
  JOIN xero_sync.connection ON connection.id = connection_id
  JOIN xero_sync.token ON token.id = connection.token_id
 WHERE document_id IN (SELECT DISTINCT document_id FROM xero_sync.document_link
                        WHERE :after::uuid IS NULL OR document_id > :after ORDER BY document_id LIMIT :documents)
 ORDER BY document_id, xero_id, version;

-- name: add_links!
INSERT INTO xero_sync.document_link (document_id, connection_id, xero_id, version, seal)
SELECT document_id, connection_id, xero_id, version, seal
  FROM unnest(:document_ids::uuid[], :connection_ids::uuid[], :xero_ids::uuid[], :versions::integer[], :seals::bytea[])
    AS made (document_id, connection_id, xero_id, version, seal);

-- name: contents
-- Of the next documents: the seal of what was last pushed, with the app that seals it.
SELECT document_id, pushed_content.seal, airflow_conn_id
  FROM xero_sync.pushed_content
  JOIN xero_sync.connection ON connection.id = connection_id
  JOIN xero_sync.token ON token.id = connection.token_id
 WHERE :after::uuid IS NULL OR document_id > :after
 ORDER BY document_id
 LIMIT :documents;

-- name: store_contents(ids, befores, seals)!
UPDATE xero_sync.pushed_content
   SET seal = made.seal
  FROM unnest(:ids::uuid[], :befores::bytea[], :seals::bytea[]) AS made (document_id, before, seal)
 WHERE pushed_content.document_id = made.document_id AND pushed_content.seal = made.before;

-- name: requests
-- Of open requests: their seal, with the app that seals them.
SELECT push_request.id, push_request.seal, airflow_conn_id
  FROM xero_sync.push_request
  JOIN xero_sync.connection ON connection.id = connection_id
  JOIN xero_sync.token ON token.id = connection.token_id
 WHERE closed_at IS NULL AND push_request.seal IS NOT NULL;

-- name: store_requests(ids, befores, seals)!
UPDATE xero_sync.push_request
   SET seal = made.seal
  FROM unnest(:ids::uuid[], :befores::bytea[], :seals::bytea[]) AS made (id, before, seal)
 WHERE push_request.id = made.id AND push_request.seal = made.before AND closed_at IS NULL;
