-- What every flow stands on: organisations, authorisations, connections, progress, rejections and events.
CREATE SCHEMA IF NOT EXISTS qicworks;

CREATE TABLE qicworks.organisation (
    id                    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                  text NOT NULL UNIQUE,
    legal_name            text,
    tax_number            text,
    country_code          text,
    base_currency         text,
    time_zone             text,           -- IANA name; Xero's own name is translated at connect
    pay_frequency         text,
    next_pay_date         date,
    period_lock_date      date,
    end_of_year_lock_date date,
    status                text NOT NULL DEFAULT 'ACTIVE',
    created_at            timestamptz NOT NULL DEFAULT now(),
    updated_at            timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE xero_sync.token (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    airflow_conn_id text NOT NULL,        -- the Xero app this authorisation was given to
    state         text NOT NULL DEFAULT 'ok' CHECK (state IN ('ok', 'broken')),
    broken_reason text,
    secret        bytea NOT NULL,         -- Fernet
    expires_at    timestamptz NOT NULL,
    scope         text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    renewed_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE xero_sync.connection (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organisation_id      uuid NOT NULL REFERENCES qicworks.organisation,
    token_id             uuid NOT NULL REFERENCES xero_sync.token,
    tenant_id            text NOT NULL,
    tenant_name          text NOT NULL,
    tenant_type          text,
    xero_connection_id   text,            -- what DELETE /connections/{id} wants; not the tenant's id
    enabled              boolean NOT NULL DEFAULT true,
    state                text NOT NULL DEFAULT 'connected' CHECK (state IN ('connected', 'needs_reconnect', 'deleted')),
    state_reason         text,
    connected_at         timestamptz NOT NULL DEFAULT now(),
    organisation_read_at timestamptz,
    deleted_at           timestamptz
);
-- A deleted connection keeps its history, and gives its place free.
CREATE UNIQUE INDEX connection_tenant ON xero_sync.connection (tenant_id) WHERE state <> 'deleted';
CREATE UNIQUE INDEX connection_organisation ON xero_sync.connection (organisation_id) WHERE state <> 'deleted';

CREATE TABLE xero_sync.cursor (
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    data_set      text NOT NULL,
    high_water    timestamptz,            -- the newest version that was loaded; null where the endpoint has none
    completed_at  timestamptz NOT NULL,
    full_at       timestamptz,            -- when everything was last read
    PRIMARY KEY (connection_id, data_set)
);

-- One unfinished read; a killed task's successor goes on from `position`.
CREATE TABLE xero_sync.staging (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    data_set      text NOT NULL,
    declaration   text NOT NULL,          -- fingerprint of the columns it was staged under
    whole         boolean NOT NULL,       -- everything is read, not only what changed
    since         timestamptz,
    started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    position      jsonb,
    complete      boolean NOT NULL DEFAULT false,
    UNIQUE (connection_id, data_set)
);

CREATE TABLE xero_sync.connection_event (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at       timestamptz,
    connection_id  uuid REFERENCES xero_sync.connection,
    direction      text NOT NULL CHECK (direction IN ('pull', 'push', 'connect')),
    data_set       text NOT NULL,
    status         text NOT NULL CHECK (status IN ('running', 'success', 'warning', 'error')),
    read           integer NOT NULL DEFAULT 0,
    inserted       integer NOT NULL DEFAULT 0,
    updated        integer NOT NULL DEFAULT 0,
    unchanged      integer NOT NULL DEFAULT 0,
    deactivated    integer NOT NULL DEFAULT 0,
    rejected       integer NOT NULL DEFAULT 0,
    pushed         integer NOT NULL DEFAULT 0,
    failed         integer NOT NULL DEFAULT 0,
    calls          integer NOT NULL DEFAULT 0,
    bytes_received bigint NOT NULL DEFAULT 0,
    message        text,
    correction     text,
    document       text,
    dag_id         text,
    run_id         text,
    task_id        text,
    map_index      integer,
    try_number     integer,
    log_url        text
);
CREATE INDEX connection_event_connection ON xero_sync.connection_event (connection_id, started_at DESC);
CREATE INDEX connection_event_started ON xero_sync.connection_event (started_at DESC);
CREATE INDEX connection_event_running ON xero_sync.connection_event (connection_id, direction, data_set) WHERE status = 'running';

CREATE TABLE xero_sync.rejection (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    data_set      text NOT NULL,
    table_name    text NOT NULL,
    key           text NOT NULL,          -- the record's id at Xero, or 'row <hash>' where it has none
    reasons       text[] NOT NULL,        -- 'rule: what is wrong', one each
    record        jsonb NOT NULL,         -- the values that could be read
    undecodable   jsonb,                  -- wire field -> what Xero sent, where that could not be read
    event_id      bigint NOT NULL REFERENCES xero_sync.connection_event,
    rejected_at   timestamptz NOT NULL DEFAULT now(),
    last_tried_at timestamptz NOT NULL DEFAULT now(),
    held_back     boolean NOT NULL,       -- came with so many others that nothing at all was loaded
    closed_at     timestamptz,
    closed_by     bigint REFERENCES xero_sync.connection_event
);
CREATE UNIQUE INDEX rejection_open ON xero_sync.rejection (connection_id, data_set, table_name, key) WHERE closed_at IS NULL;
