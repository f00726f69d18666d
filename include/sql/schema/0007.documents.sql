-- depends: 0005.payroll 0006.invoice-payments
-- What QicWorks sends to Xero: documents with their lines and attachments, pay, leave, and the requests that carry them.

-- What every document that is pushed carries.
CREATE TABLE xero_sync.pushed_row (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organisation_id uuid NOT NULL,
    push_state      text NOT NULL DEFAULT 'draft' CHECK (push_state IN ('draft', 'ready', 'in_flight', 'pushed', 'failed', 'skipped')),
    push_version    integer NOT NULL DEFAULT 1,       -- raised by every edit
    xero_id         uuid,
    xero_status     text,
    pushed_at       timestamptz,                      -- when it first stood in Xero
    push_error      text,
    push_correction text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

-- What invoices, bills, expenses, credit notes and purchase orders have in common.
CREATE TABLE xero_sync.priced_document (
    LIKE xero_sync.pushed_row INCLUDING ALL,
    number            varchar(255),
    reference         varchar(255),
    job_number        varchar(50),
    job_name          varchar(255),
    contact_id        uuid,
    issue_date        date,
    due_date          date,
    currency          varchar(3) NOT NULL DEFAULT 'AUD',
    line_amount_types text NOT NULL DEFAULT 'Exclusive' CHECK (line_amount_types IN ('Exclusive', 'Inclusive', 'NoTax')),
    sub_total         numeric(18, 2) NOT NULL DEFAULT 0,
    total_tax         numeric(18, 2) NOT NULL DEFAULT 0,
    total             numeric(18, 2) NOT NULL DEFAULT 0
);

ALTER TABLE qicworks.invoice
    ADD COLUMN job_number varchar(50),
    ADD COLUMN job_name varchar(255),
    ADD COLUMN line_amount_types text NOT NULL DEFAULT 'Exclusive' CHECK (line_amount_types IN ('Exclusive', 'Inclusive', 'NoTax'));

CREATE TABLE qicworks.bill (
    LIKE xero_sync.priced_document INCLUDING ALL,   -- number: the supplier's own; Xero has no reference on bills
    purchase_order_id uuid,
    status            text NOT NULL DEFAULT 'Unpaid' CHECK (status IN ('Draft', 'Unpaid', 'Partially Paid', 'Paid', 'Cancelled')),
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation,
    FOREIGN KEY (contact_id) REFERENCES qicworks.contact,
    UNIQUE (organisation_id, xero_id)
);
CREATE TABLE qicworks.expense (
    LIKE xero_sync.priced_document INCLUDING ALL,   -- contact_id: who is paid
    expense_type varchar(100),                      -- information only: nothing is posted to a bank account
    status       text NOT NULL DEFAULT 'Unpaid' CHECK (status IN ('Draft', 'Unpaid', 'Partially Paid', 'Paid', 'Cancelled')),
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation,
    FOREIGN KEY (contact_id) REFERENCES qicworks.contact,
    UNIQUE (organisation_id, number),
    UNIQUE (organisation_id, xero_id)
);
CREATE TABLE qicworks.credit_note (
    LIKE xero_sync.priced_document INCLUDING ALL,
    side       text NOT NULL CHECK (side IN ('customer', 'supplier')),
    invoice_id uuid REFERENCES qicworks.invoice,
    bill_id    uuid REFERENCES qicworks.bill,
    status     text NOT NULL DEFAULT 'Issued',
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation,
    FOREIGN KEY (contact_id) REFERENCES qicworks.contact,
    UNIQUE (organisation_id, xero_id)
);
CREATE UNIQUE INDEX credit_note_number ON qicworks.credit_note (organisation_id, number) WHERE side = 'customer';
CREATE TABLE qicworks.purchase_order (
    LIKE xero_sync.priced_document INCLUDING ALL,
    delivery_date         date,
    delivery_address      text,
    attention_to          varchar(255),
    telephone             varchar(50),
    delivery_instructions text,
    status                text NOT NULL DEFAULT 'Issued'
        CHECK (status IN ('Draft', 'Issued', 'Expedite', 'Receipt', 'Receipted', 'Billed', 'Closed', 'Archived')),
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation,
    FOREIGN KEY (contact_id) REFERENCES qicworks.contact,
    UNIQUE (organisation_id, number),
    UNIQUE (organisation_id, xero_id)
);
ALTER TABLE qicworks.bill ADD FOREIGN KEY (purchase_order_id) REFERENCES qicworks.purchase_order;

CREATE TABLE qicworks.document_line (
    id                        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    parent_type               text NOT NULL CHECK (parent_type IN ('invoice', 'bill', 'expense', 'credit_note', 'purchase_order')),
    parent_id                 uuid NOT NULL,
    line_number               integer NOT NULL,
    code                      varchar(50),                  -- QicWorks' own; not an item of Xero's
    description               text,
    quantity                  numeric(18, 4) NOT NULL DEFAULT 1,
    unit                      varchar(20),
    unit_price                numeric(18, 4) NOT NULL,
    line_total                numeric(18, 4),               -- as QicWorks shows it; null: quantity times price, to the cent
    tax_amount                numeric(18, 2),
    account_id                uuid REFERENCES qicworks.account,
    tax_code_id               uuid REFERENCES qicworks.tax_code,
    tracking_option_id        uuid REFERENCES qicworks.tracking_option,   -- QicWorks' department
    second_tracking_option_id uuid REFERENCES qicworks.tracking_option,
    xero_line_id              uuid,
    UNIQUE (parent_type, parent_id, line_number)
);

CREATE TABLE qicworks.attachment (
    LIKE xero_sync.pushed_row INCLUDING ALL,
    parent_type    text NOT NULL CHECK (parent_type IN ('invoice', 'bill', 'expense', 'credit_note', 'purchase_order')),
    parent_id      uuid NOT NULL,
    file_name      varchar(255) NOT NULL,
    mime_type      varchar(100) NOT NULL DEFAULT 'application/octet-stream',
    content        bytea NOT NULL,
    include_online boolean NOT NULL DEFAULT false,          -- shown to the customer with the online invoice
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation
);
ALTER TABLE qicworks.attachment ALTER COLUMN push_state SET DEFAULT 'ready';   -- it waits for its document
-- Xero keeps one of a name.
CREATE UNIQUE INDEX attachment_name ON qicworks.attachment (parent_type, parent_id, lower(file_name));
CREATE INDEX attachment_ready ON qicworks.attachment (organisation_id, parent_type) WHERE push_state = 'ready';

CREATE TABLE qicworks.pay_period (
    id                       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organisation_id          uuid NOT NULL REFERENCES qicworks.organisation,
    payroll_calendar_xero_id uuid NOT NULL,
    start_date               date NOT NULL,
    end_date                 date NOT NULL,
    pay_date                 date,
    approved_at              timestamptz,                   -- by QicWorks' payroll; null: not yet
    approved_by              varchar(255),
    UNIQUE (organisation_id, payroll_calendar_xero_id, start_date),
    CHECK (end_date >= start_date)
);
-- One employee's pay of one period.
CREATE TABLE qicworks.payroll_push (
    LIKE xero_sync.pushed_row INCLUDING ALL,
    pay_period_id    uuid NOT NULL REFERENCES qicworks.pay_period,
    staff_id         uuid NOT NULL REFERENCES qicworks.staff,
    approved_version integer,                               -- the version that payroll approved: an edit undoes it
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation,
    UNIQUE (pay_period_id, staff_id)
);

CREATE TABLE qicworks.leave_request (
    LIKE xero_sync.pushed_row INCLUDING ALL,
    staff_id           uuid NOT NULL REFERENCES qicworks.staff,
    leave_type_id      uuid REFERENCES qicworks.pay_code,
    title              varchar(255),
    notes              text,
    start_date         date NOT NULL,
    end_date           date NOT NULL,                       -- inclusive
    hours              numeric(9, 4) NOT NULL,
    balance_at_request numeric(18, 4),
    status             text NOT NULL DEFAULT 'Requested' CHECK (status IN ('Requested', 'Approved', 'Rejected', 'Current', 'Taken')),
    approved_version   integer,                             -- the version that was approved: an edit undoes it
    approved_at        timestamptz,
    approved_by        varchar(255),
    FOREIGN KEY (organisation_id) REFERENCES qicworks.organisation,
    UNIQUE (organisation_id, xero_id)
);

-- What an employee worked, or is due, as approved time sorted it. What comes from leave is paid by Xero's leave.
CREATE TABLE qicworks.payroll_line (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    payroll_push_id  uuid NOT NULL REFERENCES qicworks.payroll_push,
    work_date        date,
    task_number      varchar(50),
    charge_rate      varchar(20),                           -- N, 1.5, 2.0, 2.5 or a custom one
    pay_code_id      uuid REFERENCES qicworks.pay_code,     -- null: Unknown
    units            numeric(18, 4),                        -- hours, or the pay code's own units
    rate             numeric(18, 4),                        -- null: as the pay code or the pay template has it
    amount           numeric(18, 4),                        -- of an allowance with a fixed amount
    source           text NOT NULL DEFAULT 'time' CHECK (source IN ('time', 'allowance', 'leave')),
    leave_request_id uuid REFERENCES qicworks.leave_request
);
CREATE INDEX payroll_line_push ON qicworks.payroll_line (payroll_push_id);

-- Which lines of an employee's pay template QicWorks has set, and for which period: the next one sets or empties them.
CREATE TABLE xero_sync.owned_earnings_line (
    connection_id          uuid NOT NULL REFERENCES xero_sync.connection,
    employee_xero_id       uuid NOT NULL,
    earnings_rate_xero_id  uuid NOT NULL,
    pay_period_id          uuid NOT NULL REFERENCES qicworks.pay_period,
    empty                  boolean NOT NULL,                -- it pays nothing
    rates                  numeric(18, 4)[] NOT NULL,       -- that QicWorks gave it, or tried to; none: it has its own
    before                 jsonb,                           -- what it was calculated by before QicWorks gave it a rate
    set_at                 timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connection_id, employee_xero_id, earnings_rate_xero_id)
);

-- The outbox. A request is committed before it is sent, and closed in the transaction that settles its documents.
CREATE TABLE xero_sync.push_request (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    connection_id   uuid NOT NULL REFERENCES xero_sync.connection,
    kind            text NOT NULL,
    idempotency_key text NOT NULL UNIQUE,
    method          text NOT NULL,
    path            text NOT NULL,
    query           jsonb NOT NULL DEFAULT '{}',
    body            text,                                   -- exactly what is sent; none of payroll; gone when it is closed
    documents       uuid[] NOT NULL,                        -- in the order of the request
    versions        integer[] NOT NULL,
    identities      jsonb NOT NULL DEFAULT '[]',            -- what each can be known by in Xero
    event_id        bigint REFERENCES xero_sync.connection_event,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    first_sent_at   timestamptz,                            -- null: it never left
    last_sent_at    timestamptz,
    server_failed   boolean NOT NULL DEFAULT false,         -- answered with 5xx: Xero keeps that answer for its key
    closed_at       timestamptz,
    outcome         text CHECK (outcome IN ('answered', 'looked up', 'not sent'))
);
CREATE INDEX push_request_trouble ON xero_sync.push_request (connection_id, kind) WHERE server_failed OR outcome = 'looked up';
CREATE INDEX push_request_open ON xero_sync.push_request (connection_id, kind, created_at) WHERE closed_at IS NULL;

-- An edit raises the version. What was pushed, failed or is on its way is to be pushed again; a draft stays a draft.
CREATE FUNCTION xero_sync.document_was_edited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Not an edit: what the push itself writes, approval, and what the pull of payments follows.
    apart CONSTANT text[] := ARRAY['push_state', 'push_version', 'xero_id', 'xero_status', 'pushed_at', 'push_error', 'push_correction',
        'created_at', 'updated_at', 'status', 'paid_to_date', 'credited', 'balance', 'fully_paid_on', 'balance_at_request',
        'approved_version', 'approved_at', 'approved_by'];
BEGIN
    IF to_jsonb(NEW) - apart IS DISTINCT FROM to_jsonb(OLD) - apart THEN
        NEW.push_version := OLD.push_version + 1;
        NEW.updated_at := now();
        IF NEW.push_state = OLD.push_state AND OLD.push_state IN ('in_flight', 'pushed', 'failed') THEN
            NEW.push_state := 'ready';
        END IF;
    END IF;
    IF NEW.push_state = 'ready' AND OLD.push_state <> 'ready' THEN
        NEW.push_error := NULL;
        NEW.push_correction := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION xero_sync.part_was_edited() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'xero_line_id' END;
    after  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - 'xero_line_id' END;
    part   jsonb;
BEGIN
    IF before = after THEN
        RETURN NULL;
    END IF;
    FOREACH part IN ARRAY ARRAY[before, after] LOOP
        CONTINUE WHEN part IS NULL;
        EXECUTE format(
            $update$UPDATE qicworks.%I
                       SET push_version = push_version + 1, updated_at = now(),
                           push_state = CASE WHEN push_state IN ('in_flight', 'pushed', 'failed') THEN 'ready' ELSE push_state END
                     WHERE id = $1$update$, coalesce(part ->> 'parent_type', 'payroll_push'))
          USING coalesce(part ->> 'parent_id', part ->> 'payroll_push_id')::uuid;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.invoice FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.bill FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.expense FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.credit_note FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.purchase_order FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.payroll_push FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited BEFORE UPDATE ON qicworks.leave_request FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
-- Only of these columns: comparing ten megabytes at each change of state would be slow.
CREATE TRIGGER was_edited BEFORE UPDATE OF file_name, mime_type, content, include_online ON qicworks.attachment
   FOR EACH ROW EXECUTE FUNCTION xero_sync.document_was_edited();
CREATE TRIGGER was_edited AFTER INSERT OR UPDATE OR DELETE ON qicworks.document_line FOR EACH ROW EXECUTE FUNCTION xero_sync.part_was_edited();
CREATE TRIGGER was_edited AFTER INSERT OR UPDATE OR DELETE ON qicworks.payroll_line FOR EACH ROW EXECUTE FUNCTION xero_sync.part_was_edited();

CREATE INDEX invoice_outgoing ON qicworks.invoice (organisation_id) WHERE push_state = 'ready';
CREATE INDEX bill_outgoing ON qicworks.bill (organisation_id) WHERE push_state = 'ready';
CREATE INDEX expense_outgoing ON qicworks.expense (organisation_id) WHERE push_state = 'ready';
CREATE INDEX credit_note_outgoing ON qicworks.credit_note (organisation_id) WHERE push_state = 'ready';
CREATE INDEX purchase_order_outgoing ON qicworks.purchase_order (organisation_id) WHERE push_state = 'ready';
CREATE INDEX payroll_push_outgoing ON qicworks.payroll_push (organisation_id) WHERE push_state = 'ready';
CREATE INDEX leave_request_outgoing ON qicworks.leave_request (organisation_id) WHERE push_state = 'ready';
