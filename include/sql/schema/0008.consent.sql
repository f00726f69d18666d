-- depends: 0007.documents
-- Consent: a user is sent to Xero with a state, and comes back with it once.

CREATE TABLE xero_sync.oauth_state (
    state_hash      bytea PRIMARY KEY,    -- sha256; the state itself is nowhere but in the user's browser
    user_id         text NOT NULL,        -- Airflow's, who began and alone may finish
    airflow_conn_id text NOT NULL,        -- the Xero app that is to be authorised
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at      timestamptz NOT NULL DEFAULT clock_timestamp() + interval '10 minutes',
    used_at         timestamptz
);

-- Who consented, as Xero knows them: revoking one of their authorisations ends them all. Null: not known, or the app itself.
ALTER TABLE xero_sync.token ADD COLUMN xero_user_id text;
