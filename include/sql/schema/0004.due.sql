-- depends: 0001.connections-and-events
-- Which local midnight was last answered by a pull, and how often the one after it was tried.
CREATE TABLE xero_sync.due (
    connection_id uuid NOT NULL REFERENCES xero_sync.connection,
    data_set      text NOT NULL,
    served_at     timestamptz,                -- the moment that was served last; null: none yet
    attempts      integer NOT NULL DEFAULT 0, -- runs started since then
    not_before    timestamptz,                -- no further run before that
    PRIMARY KEY (connection_id, data_set)
);
