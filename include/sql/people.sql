-- What is held on a person, whatever table it lies in: the catalogue tells which tables those are.

-- name: columns(name)
-- Of a pulled table, beside what every pulled row carries. `refers`: it points to another table.
SELECT attname AS name, attnotnull AS required, atthasdef AS has_default, typcategory = 'S' AS is_text,
       EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype = 'f' AND attnum = ANY(conkey)) AS refers
  FROM pg_attribute
  JOIN pg_type ON pg_type.oid = atttypid
 WHERE attrelid = to_regclass('qicworks.' || quote_ident(:name)) AND attnum > 0 AND NOT attisdropped
   AND attname NOT IN (SELECT common.attname FROM pg_attribute AS common
                        WHERE common.attrelid = 'xero_sync.pulled_row'::regclass AND common.attnum > 0)
 ORDER BY attnum;

-- name: having(column)
-- QicWorks' tables that have a column of that name.
SELECT relname AS name
  FROM pg_class
  JOIN pg_attribute ON attrelid = pg_class.oid AND NOT attisdropped
 WHERE relnamespace = 'qicworks'::regnamespace AND relkind = 'r' AND attname = :column
 ORDER BY relname;

-- name: referring(name)
-- QicWorks' tables that point to this one, and by which column.
SELECT relname AS name, attname AS column
  FROM pg_constraint
  JOIN pg_class ON pg_class.oid = conrelid
  JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
 WHERE contype = 'f' AND confrelid = to_regclass('qicworks.' || quote_ident(:name)) AND cardinality(conkey) = 1
   AND relnamespace = 'qicworks'::regnamespace
 ORDER BY relname, attname;

-- name: rejected(table_name, id, email)
-- Records of that id, or with that e-mail, that could not be loaded.
SELECT rejection.connection_id, connection.organisation_id, organisation.name AS organisation, rejection.key, rejection.record
  FROM xero_sync.rejection
  JOIN xero_sync.connection ON connection.id = rejection.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE rejection.table_name = :table_name
   AND (lower(rejection.key) = lower(:id)
        OR EXISTS (SELECT FROM jsonb_each_text(CASE WHEN jsonb_typeof(rejection.record) = 'object' THEN rejection.record END) AS each (name, value)
                    WHERE right(each.name, 5) = 'email' AND lower(trim(each.value)) = :email));

-- name: rejections(connection_id, table_name, keys, part_of, xero_id)
-- All of a person's, open and closed; of parts, by what they are parts of.
SELECT id, data_set, table_name, key, reasons, record, undecodable, rejected_at, closed_at
  FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND table_name = :table_name
   AND (lower(key) = ANY(:keys) OR lower(record ->> :part_of) = :xero_id)
 ORDER BY id;

-- name: drop_rejections(ids)!
DELETE FROM xero_sync.rejection WHERE id = ANY(:ids);

-- name: told(connection_id, needles, emails)
-- Events that may name somebody: one of these words is in them, or one of these e-mails, in lower case.
SELECT id, started_at, direction, data_set, document, message, correction
  FROM xero_sync.connection_event
 WHERE connection_id = :connection_id
   AND EXISTS (SELECT FROM unnest(:needles::text[], :emails::text[]) AS each (needle, email)
                WHERE strpos(concat_ws(' ', document, message, correction), needle) > 0
                   OR strpos(lower(concat_ws(' ', document, message, correction)), email) > 0)
 ORDER BY id;

-- name: standing(connection_id, needles, emails)
-- The same of what stands of each pair.
SELECT connection_id, direction, data_set, last_message, last_correction
  FROM xero_sync.standing
 WHERE connection_id = :connection_id
   AND EXISTS (SELECT FROM unnest(:needles::text[], :emails::text[]) AS each (needle, email)
                WHERE strpos(concat_ws(' ', last_message, last_correction), needle) > 0
                   OR strpos(lower(concat_ws(' ', last_message, last_correction)), email) > 0)
 ORDER BY direction, data_set;

-- name: organisations(organisation_id)
-- What the organisation is called, in QicWorks and in Xero.
SELECT name FROM qicworks.organisation WHERE id = :organisation_id
 UNION
SELECT tenant_name FROM xero_sync.connection WHERE organisation_id = :organisation_id;

-- name: owned_lines(connection_id, xero_id)
-- What QicWorks has set in an employee's pay template.
SELECT connection_id, employee_xero_id, earnings_rate_xero_id, pay_period_id, empty, rates, before, disclaimed, set_at
  FROM xero_sync.owned_earnings_line
 WHERE connection_id = :connection_id AND employee_xero_id::text = :xero_id
 ORDER BY earnings_rate_xero_id;

-- name: drop_owned_lines(connection_id, xero_id)!
DELETE FROM xero_sync.owned_earnings_line WHERE connection_id = :connection_id AND employee_xero_id::text = :xero_id;

-- name: bury(connection_id, table_name, xero_id)!
INSERT INTO xero_sync.erasure (connection_id, table_name, xero_id) VALUES (:connection_id, :table_name, :xero_id)
    ON CONFLICT DO NOTHING;

-- name: erasing!
-- For this transaction: what is written is no edit.
SELECT set_config('xero_sync.erasing', 'on', true);

-- name: wait_for_loads(connection_id)!
-- The lock of `Loading.wait_for_others`: what a pull loads after it, it has looked at the erasures for.
SELECT pg_advisory_xact_lock(hashtextextended('xero load ' || :connection_id::text, 0));

-- name: erased(connection_id)
-- The ids of who was erased, in whatever connection the same organisation of Xero had.
SELECT DISTINCT erasure.xero_id
  FROM xero_sync.connection AS own
  JOIN xero_sync.connection AS any_of_it ON any_of_it.tenant_id = own.tenant_id
  JOIN xero_sync.erasure ON erasure.connection_id = any_of_it.id
 WHERE own.id = :connection_id;

-- name: erasures(connection_id, xero_id)
SELECT table_name, xero_id, erased_at FROM xero_sync.erasure
 WHERE connection_id = :connection_id AND xero_id = :xero_id;
