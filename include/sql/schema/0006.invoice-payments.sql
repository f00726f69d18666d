-- depends: 0003.accounting-set-up
-- QicWorks' invoices, their payments, and what Xero says of their amounts.

CREATE TABLE qicworks.invoice (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organisation_id uuid NOT NULL REFERENCES qicworks.organisation,
    number          varchar(255) NOT NULL,
    reference       varchar(255),
    contact_id      uuid REFERENCES qicworks.contact,
    issue_date      date,
    due_date        date,
    currency        varchar(3) NOT NULL DEFAULT 'AUD',
    sub_total       numeric(18, 2) NOT NULL DEFAULT 0,
    total_tax       numeric(18, 2) NOT NULL DEFAULT 0,
    total           numeric(18, 2) NOT NULL DEFAULT 0,
    paid_to_date    numeric(18, 2) NOT NULL DEFAULT 0,   -- payments
    credited        numeric(18, 2) NOT NULL DEFAULT 0,   -- credit notes, prepayments and overpayments allocated to it
    balance         numeric(18, 2) NOT NULL DEFAULT 0,
    fully_paid_on   date,
    status          text NOT NULL DEFAULT 'Draft' CHECK (status IN ('Draft', 'Un-paid', 'Paid')),
    push_state      text NOT NULL DEFAULT 'draft' CHECK (push_state IN ('draft', 'ready', 'in_flight', 'pushed', 'failed', 'skipped')),
    push_version    integer NOT NULL DEFAULT 1,
    xero_id         uuid,
    xero_status     text,
    pushed_at       timestamptz,
    push_error      text,
    push_correction text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, number),
    UNIQUE (organisation_id, xero_id)
);

CREATE TABLE xero_sync.stage_invoice_payment (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, invoice_xero_id uuid, invoice_number text, paid_on date, amount numeric, currency_rate numeric, reference text,
    payment_type text, batch_payment_xero_id uuid, account_xero_id uuid, is_reconciled boolean, status text
);
CREATE TABLE qicworks.invoice_payment (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id               uuid NOT NULL,
    invoice_xero_id       uuid NOT NULL,
    invoice_id            uuid REFERENCES qicworks.invoice,   -- null: not an invoice of QicWorks
    invoice_number        varchar(255),
    paid_on               date NOT NULL,
    amount                numeric(18, 4) NOT NULL,            -- in the invoice's currency
    currency_rate         numeric(24, 6),
    reference             varchar(255),
    payment_type          varchar(50),
    batch_payment_xero_id uuid,
    account_xero_id       uuid,
    is_reconciled         boolean,
    status                varchar(50),
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
CREATE INDEX invoice_payment_invoice ON qicworks.invoice_payment (connection_id, invoice_xero_id);

CREATE TABLE xero_sync.stage_invoice_balance (
    LIKE xero_sync.stage_row INCLUDING ALL,
    xero_id uuid, number text, status text, total numeric, amount_paid numeric, amount_credited numeric, amount_due numeric,
    fully_paid_on date
);
-- What Xero last said of the amounts of an invoice that QicWorks pushed.
CREATE TABLE qicworks.invoice_balance (
    LIKE xero_sync.pulled_row INCLUDING ALL,
    xero_id         uuid NOT NULL,
    number          varchar(255),
    status          varchar(50),
    total           numeric(18, 4),
    amount_paid     numeric(18, 4) NOT NULL,
    amount_credited numeric(18, 4) NOT NULL,
    amount_due      numeric(18, 4) NOT NULL,
    fully_paid_on   date,
    disagreement    numeric(18, 4),   -- amount_paid less the payments that Xero tells of, found to be so by a look at the invoice
    UNIQUE (connection_id, xero_id),
    FOREIGN KEY (connection_id) REFERENCES xero_sync.connection,
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
