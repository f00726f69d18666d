-- depends: 0025.differences
-- The currencies of organisations, and the rates of documents in another currency than the organisation's own.

CREATE TABLE xero_sync.stage_currency (
    LIKE xero_sync.stage_row INCLUDING ALL,
    code text, description text
);
CREATE TABLE qicworks.currency (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    code        varchar(3) NOT NULL,
    description varchar(100),
    UNIQUE (connection_id, code),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
