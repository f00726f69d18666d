-- depends: 0003.accounting-set-up
-- Staff, pay codes, pay templates, leave balances and payroll calendars, and what was listed of records read by id.

-- What a source listed (read_at null), or read by id, of a staging.
CREATE TABLE xero_sync.stage_seen (
    staging_id uuid NOT NULL,
    source     text NOT NULL,
    key        text NOT NULL,
    version    timestamptz,
    is_active  boolean NOT NULL,
    read_at    timestamptz,
    PRIMARY KEY (staging_id, source, key)
);

CREATE TABLE xero_sync.stage_staff (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, first_name text, last_name text, email text, title text, job_title text, classification text, phone text, mobile text,
    employee_group text, employment_basis text, start_date date, termination_date date, payroll_calendar_xero_id uuid,
    ordinary_earnings_rate_xero_id uuid, approves_leave boolean, approves_timesheets boolean, status text
);
-- QicWorks' staff. Who is not linked to an employee of Xero yet has no connection and no xero_id.
CREATE TABLE qicworks.staff (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id                        uuid,
    account_email                  varchar(255),   -- QicWorks' own: the login, and with the names the key of the first link
    match_state                    text NOT NULL DEFAULT 'created' CHECK (match_state IN ('none', 'linked', 'created')),
    first_name                     varchar(255) NOT NULL,
    last_name                      varchar(255) NOT NULL,
    email                          varchar(255),
    title                          varchar(255),
    job_title                      varchar(255),
    classification                 varchar(255),
    phone                          varchar(100),
    mobile                         varchar(100),
    employee_group                 varchar(255),
    employment_basis               varchar(50),
    start_date                     date,
    termination_date               date,
    payroll_calendar_xero_id       uuid,
    ordinary_earnings_rate_xero_id uuid,
    approves_leave                 boolean,
    approves_timesheets            boolean,
    status                         varchar(50),
    balances_read_at               timestamptz,
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
ALTER TABLE qicworks.staff ALTER COLUMN connection_id DROP NOT NULL, ALTER COLUMN row_hash DROP NOT NULL,
                           ALTER COLUMN is_active SET DEFAULT true;
-- Not unique: doubles exist.
CREATE INDEX staff_match ON qicworks.staff (organisation_id, lower(last_name), lower(first_name), lower(account_email));

CREATE TABLE xero_sync.stage_pay_template_line (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id text, employee_xero_id uuid, kind text, pay_code_xero_id uuid, line_number numeric, calculation_type text, number_of_units numeric,
    annual_units numeric, units_per_week numeric, rate_per_unit numeric, annual_salary numeric, amount numeric, percentage numeric, contribution_type text,
    description text
);
CREATE TABLE qicworks.pay_template_line (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id           varchar(200) NOT NULL,       -- Xero has none: employee, kind, pay item, and which of several
    employee_xero_id  uuid NOT NULL,
    staff_id          uuid REFERENCES qicworks.staff,
    kind              varchar(20) NOT NULL,
    pay_code_xero_id  uuid,
    pay_code_id       uuid,
    line_number       numeric(6, 0) NOT NULL,
    calculation_type  varchar(50),
    number_of_units   numeric(18, 4),
    annual_units      numeric(18, 4),
    units_per_week    numeric(18, 4),
    rate_per_unit     numeric(18, 4),
    annual_salary     numeric(18, 4),
    amount            numeric(18, 4),
    percentage        numeric(18, 4),
    contribution_type varchar(50),
    description       varchar(255),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE INDEX pay_template_line_staff ON qicworks.pay_template_line (staff_id);

CREATE TABLE xero_sync.stage_leave_balance (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id text, employee_xero_id uuid, leave_type_xero_id uuid, as_at date, leave_name text, number_of_units numeric,
    type_of_units text
);
-- History: one row for each employee, leave type and day on which it was read. The latest ones are active.
CREATE TABLE qicworks.leave_balance (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id            varchar(200) NOT NULL,      -- Xero has none: employee, leave type, day
    employee_xero_id   uuid NOT NULL,
    leave_type_xero_id uuid NOT NULL,
    as_at              date NOT NULL,              -- in the organisation's time zone
    staff_id           uuid REFERENCES qicworks.staff,
    leave_name         varchar(255),
    number_of_units    numeric(18, 4),
    type_of_units      varchar(50),
    UNIQUE (connection_id, xero_id),
    UNIQUE (connection_id, employee_xero_id, leave_type_xero_id, as_at),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE INDEX leave_balance_now ON qicworks.leave_balance (connection_id, employee_xero_id) WHERE is_active;

CREATE TABLE xero_sync.stage_pay_code (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, kind text, name text, account_code text, type_of_units text, earnings_type text, rate_type text, rate_per_unit numeric,
    multiplier numeric, amount numeric, allowance_type text, allowance_category text, accrues_leave boolean, deduction_category text,
    is_paid_leave boolean, show_on_payslip boolean, normal_entitlement numeric, leave_loading_rate numeric, leave_category text,
    is_exempt_from_tax boolean, is_exempt_from_super boolean, current_record boolean
);
CREATE TABLE qicworks.pay_code (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id              uuid NOT NULL,
    kind                 varchar(20) NOT NULL CHECK (kind IN ('EARNINGS', 'ALLOWANCE', 'DEDUCTION', 'LEAVE', 'REIMBURSEMENT')),
    name                 varchar(100) NOT NULL,
    account_code         varchar(50),
    type_of_units        varchar(50),
    earnings_type        varchar(50),
    rate_type            varchar(50),
    rate_per_unit        numeric(18, 4),
    multiplier           numeric(18, 4),
    amount               numeric(18, 4),
    allowance_type       varchar(50),
    allowance_category   varchar(50),
    accrues_leave        boolean,
    deduction_category   varchar(50),
    is_paid_leave        boolean,
    show_on_payslip      boolean,
    normal_entitlement   numeric(18, 4),
    leave_loading_rate   numeric(18, 4),
    leave_category       varchar(50),
    is_exempt_from_tax   boolean,
    is_exempt_from_super boolean,
    current_record       boolean,
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
-- Not unique: Xero keeps inactive namesakes.
CREATE INDEX pay_code_name ON qicworks.pay_code (organisation_id, kind, lower(name));
ALTER TABLE qicworks.pay_template_line ADD FOREIGN KEY (pay_code_id) REFERENCES qicworks.pay_code;

CREATE TABLE xero_sync.stage_payroll_calendar (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, name text, calendar_type text, start_date date, payment_date date, reference_date date
);
CREATE TABLE qicworks.payroll_calendar (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id        uuid NOT NULL,
    name           varchar(255) NOT NULL,
    calendar_type  varchar(50),
    start_date     date,
    payment_date   date,
    reference_date date,
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);

-- What no calendar has would stop whoever reads it.
ALTER TABLE qicworks.organisation ADD CONSTRAINT next_pay_date_is_a_date
      CHECK (next_pay_date BETWEEN '1990-01-01' AND '2199-12-31');

-- What full_refresh asked for: anybody goes on with such a reading, a full refresh with no other.
ALTER TABLE xero_sync.staging ADD COLUMN everything boolean NOT NULL DEFAULT false;

-- Connecting again renews connected_at; what was missed since the first time is caught up all the same.
ALTER TABLE xero_sync.connection ADD COLUMN first_connected_at timestamptz NOT NULL DEFAULT now();
UPDATE xero_sync.connection SET first_connected_at = connected_at;
