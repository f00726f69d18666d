-- depends: 0001.connections-and-events
-- Contacts, accounts, tax codes and tracking, and the tables they are staged in.

-- What every staged row carries; the staged columns themselves are loose: any length, nothing required.
CREATE TABLE xero_sync.stage_row (
    staging_id      uuid NOT NULL,
    seq             bigint GENERATED ALWAYS AS IDENTITY,
    row_hash        bytea NOT NULL,
    is_active       boolean NOT NULL,
    retried         boolean NOT NULL, -- an open rejection, tried again
    undecodable     jsonb,            -- wire field -> what Xero sent, where that could not be read
    problems        text[],           -- why it is rejected; null = good
    xero_updated_at timestamptz,      -- the version, where Xero has one
    PRIMARY KEY (staging_id, seq)
);

-- What every pulled row carries.
CREATE TABLE xero_sync.pulled_row (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organisation_id uuid NOT NULL,
    connection_id   uuid NOT NULL,
    is_active       boolean NOT NULL,
    xero_updated_at timestamptz,
    missing_since   timestamptz,    -- gone from Xero, as a whole reading found
    row_hash        bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    synced_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE xero_sync.stage_contact (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, name text, first_name text, last_name text, email text, phone text, contact_number text, account_number text,
    company_number text, tax_number text, is_customer boolean, is_supplier boolean, address_line1 text, address_line2 text, city text,
    region text, postal_code text, country text, currency text, sales_account_code text, purchases_account_code text,
    sales_tax_type text, purchases_tax_type text, sales_terms_day numeric, sales_terms_type text, purchases_terms_day numeric,
    purchases_terms_type text, merged_to_xero_id uuid, status text
);
CREATE TABLE qicworks.contact (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id                uuid NOT NULL,
    name                   varchar(255) NOT NULL,
    first_name             varchar(255),
    last_name              varchar(255),
    email                  varchar(255),
    phone                  varchar(100),
    contact_number         varchar(50),
    account_number         varchar(50),
    company_number         varchar(50),
    tax_number             varchar(50),
    is_customer            boolean,
    is_supplier            boolean,
    address_line1          varchar(500),
    address_line2          varchar(500),
    city                   varchar(255),
    region                 varchar(255),
    postal_code            varchar(50),
    country                varchar(50),
    currency               varchar(3),
    sales_account_code     varchar(50),
    purchases_account_code varchar(50),
    sales_tax_type         varchar(50),
    purchases_tax_type     varchar(50),
    sales_terms_day        numeric(4, 0),
    sales_terms_type       varchar(50),
    purchases_terms_day    numeric(4, 0),
    purchases_terms_type   varchar(50),
    merged_to_xero_id      uuid,
    status                 varchar(50),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE INDEX contact_name ON qicworks.contact (organisation_id, lower(name));
CREATE INDEX contact_email ON qicworks.contact (organisation_id, lower(email));

CREATE TABLE xero_sync.stage_account (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, code text, name text, type text, class text, description text, default_tax_type text, system_account text,
    bank_account_type text, currency text, enable_payments boolean, show_in_expense_claims boolean, status text
);
CREATE TABLE qicworks.account (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id                uuid NOT NULL,
    code                   varchar(10),
    name                   varchar(150) NOT NULL,
    type                   varchar(50),
    class                  varchar(50),
    description            varchar(4000),
    default_tax_type       varchar(50),
    system_account         varchar(50),
    bank_account_type      varchar(50),
    currency               varchar(3),
    enable_payments        boolean,
    show_in_expense_claims boolean,
    status                 varchar(50),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE INDEX account_code ON qicworks.account (organisation_id, code);

CREATE TABLE xero_sync.stage_tax_code (
    LIKE xero_sync.stage_row INCLUDING ALL,
    tax_type text, name text, rate numeric, display_rate numeric, report_tax_type text, applies_assets boolean, applies_equity boolean,
    applies_expenses boolean, applies_liabilities boolean, applies_revenue boolean, status text
);
CREATE TABLE qicworks.tax_code (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    tax_type            varchar(50) NOT NULL,
    name                varchar(255) NOT NULL,
    rate                numeric(14, 4),
    display_rate        numeric(14, 4),
    report_tax_type     varchar(50),
    applies_assets      boolean,
    applies_equity      boolean,
    applies_expenses    boolean,
    applies_liabilities boolean,
    applies_revenue     boolean,
    status              varchar(50),
    UNIQUE (connection_id, tax_type),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);

CREATE TABLE xero_sync.stage_tracking_category (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, name text, status text
);
CREATE TABLE qicworks.tracking_category (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id uuid NOT NULL,
    name    varchar(100) NOT NULL,
    status  varchar(50),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);

CREATE TABLE xero_sync.stage_tracking_option (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, category_xero_id uuid, name text, status text
);
CREATE TABLE qicworks.tracking_option (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id              uuid NOT NULL,
    category_xero_id     uuid NOT NULL,
    tracking_category_id uuid REFERENCES qicworks.tracking_category,
    name                 varchar(100) NOT NULL,
    status               varchar(50),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
