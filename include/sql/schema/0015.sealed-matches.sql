-- depends: 0014.sealed-requests
-- Who may write to this table is not who decides whose books go where: an organisation is synchronised only under a seal,
-- made with the app's token keys when it was matched.
ALTER TABLE xero_sync.connection ADD COLUMN seal bytea;

-- Those that were matched before there were seals, as they were then. Nobody but the owner writes here.
CREATE TABLE xero_sync.match_before_seals (
    connection_id uuid PRIMARY KEY REFERENCES xero_sync.connection,
    organisation_id uuid NOT NULL,
    tenant_id text NOT NULL,
    token_id uuid NOT NULL,
    airflow_conn_id text NOT NULL
);
INSERT INTO xero_sync.match_before_seals
SELECT connection.id, organisation_id, tenant_id, token_id, airflow_conn_id
  FROM xero_sync.connection JOIN xero_sync.token ON token.id = connection.token_id;
