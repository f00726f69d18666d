-- Data about a person, in whatever tables: these are found in PostgreSQL's catalogue.

-- name: columns(name)
-- The columns of a pulled table, without those that every pulled row has. `refers`: it points to another table.
SELECT attname AS name, attnotnull AS required, atthasdef AS has_default, typcategory = 'S' AS is_text,
       EXISTS (SELECT FROM pg_constraint WHERE conrelid = attrelid AND contype = 'f' AND attnum = ANY(conkey)) AS refers
  FROM pg_attribute
  JOIN pg_type ON pg_type.oid = atttypid
 WHERE attrelid = to_regclass('qicworks.' || quote_ident(:name)) AND attnum > 0 AND NOT attisdropped
   AND attname NOT IN (SELECT common.attname FROM pg_attribute AS common
                        WHERE common.attrelid = 'xero_sync.pulled_row'::regclass AND common.attnum > 0)
 ORDER BY attnum;

-- name: tables_with_column(column)
-- QicWorks' tables that have a column of that name.
SELECT relname AS name
  FROM pg_class
  JOIN pg_attribute ON attrelid = pg_class.oid AND NOT attisdropped
 WHERE relnamespace = 'qicworks'::regnamespace AND relkind = 'r' AND attname = :column
 ORDER BY relname;

-- name: tables_pointing_to(name)
-- QicWorks' tables that point to this one, and by which column.
SELECT relname AS name, attname AS column
  FROM pg_constraint
  JOIN pg_class ON pg_class.oid = conrelid
  JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
 WHERE contype = 'f' AND confrelid = to_regclass('qicworks.' || quote_ident(:name)) AND cardinality(conkey) = 1
   AND relnamespace = 'qicworks'::regnamespace
 ORDER BY relname, attname;

-- name: rejected(table_name, id, email)
-- Records with that id or email that could not be loaded.
SELECT rejection.connection_id, connection.organisation_id, organisation.name AS organisation, rejection.key, rejection.record
  FROM xero_sync.rejection
  JOIN xero_sync.connection ON connection.id = rejection.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE rejection.table_name = :table_name
   AND (lower(rejection.key) = lower(:id)
        OR EXISTS (SELECT FROM jsonb_each_text(CASE WHEN jsonb_typeof(rejection.record) = 'object' THEN rejection.record END) AS each (name, value)
                    WHERE right(each.name, 5) = 'email' AND lower(trim(each.value)) = :email));

-- name: rejections(connection_id, table_name, keys, parent_key, xero_id)
-- All rejections of a person, open and closed; of parts, by the record they are a part of.
SELECT id, data_set, table_name, key, reasons, record, undecodable, rejected_at, closed_at
  FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND table_name = :table_name
   AND (lower(key) = ANY(:keys) OR lower(record ->> :parent_key) = :xero_id)
 ORDER BY id;

-- name: drop_rejections(ids)!
DELETE FROM xero_sync.rejection WHERE id = ANY(:ids);

-- name: events_mentioning(connection_id, search_terms, emails)
-- Events that may mention a person: with one of these words, or one of these emails, in lower case.
SELECT id, started_at, direction, data_set, document, message, correction
  FROM xero_sync.connection_event
 WHERE connection_id = :connection_id
   AND EXISTS (SELECT FROM unnest(:search_terms::text[], :emails::text[]) AS each (term, email)
                WHERE strpos(concat_ws(' ', document, message, correction), term) > 0
                   OR strpos(lower(concat_ws(' ', document, message, correction)), email) > 0)
 ORDER BY id;

-- name: statuses_mentioning(connection_id, search_terms, emails)
-- Statuses of data sets that may mention a person, likewise.
SELECT connection_id, direction, data_set, last_message, last_correction
  FROM xero_sync.standing
 WHERE connection_id = :connection_id
   AND EXISTS (SELECT FROM unnest(:search_terms::text[], :emails::text[]) AS each (term, email)
                WHERE strpos(concat_ws(' ', last_message, last_correction), term) > 0
                   OR strpos(lower(concat_ws(' ', last_message, last_correction)), email) > 0)
 ORDER BY direction, data_set;

-- name: differences_mentioning(connection_id, search_terms, emails)
-- Differences that may mention a person, likewise.
SELECT id, since, document_kind, label, ours::text AS ours, theirs::text AS theirs, document_id
  FROM xero_sync.difference
 WHERE connection_id = :connection_id
   AND EXISTS (SELECT FROM unnest(:search_terms::text[], :emails::text[]) AS each (term, email)
                WHERE strpos(concat_ws(' ', label, ours, theirs), term) > 0
                   OR strpos(lower(concat_ws(' ', label, ours, theirs)), email) > 0)
 ORDER BY id;

-- name: empty_differences(id)!
-- Of persons who are pushed themselves: what differs is their data.
UPDATE xero_sync.difference
   SET ours = '{}', theirs = '{}', settled_at = coalesce(settled_at, clock_timestamp()), settled_how = coalesce(settled_how, 'skipped')
 WHERE document_id = :id AND (ours, theirs) <> ('{}', '{}');

-- name: candidates(connection_id, xero_id)
-- Where a new contact may be this person.
SELECT contact_id, xero_id, alike, name, email, tax_number FROM xero_sync.contact_candidate
 WHERE connection_id = :connection_id AND xero_id::text = :xero_id
 ORDER BY contact_id;

-- name: empty_candidates(connection_id, xero_id)!
UPDATE xero_sync.contact_candidate SET name = NULL, email = NULL, tax_number = NULL
 WHERE connection_id = :connection_id AND xero_id::text = :xero_id AND num_nonnulls(name, email, tax_number) > 0;

-- name: connections_of(organisation_id, connection_id)
-- Where events may mention a person: their connection; of a person who is not linked, all of the organisation.
SELECT id FROM xero_sync.connection WHERE organisation_id = :organisation_id AND (:connection_id::uuid IS NULL OR id = :connection_id);

-- name: organisations(organisation_id)
-- The names of the organisation, in QicWorks and in Xero.
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

-- name: add_tombstone(connection_id, table_name, xero_id)!
INSERT INTO xero_sync.erasure (connection_id, table_name, xero_id) VALUES (:connection_id, :table_name, :xero_id)
    ON CONFLICT DO NOTHING;

-- name: link_decisions(id, connection_id, xero_id)
-- What users have decided about whom in Xero a person is, and what a link replaced.
SELECT id, what, own_id, xero_id, decision, decided_by, decided_at, before FROM xero_sync.link_decision
 WHERE own_id = :id OR connection_id = :connection_id AND xero_id::text = :xero_id
 ORDER BY id;

-- name: forget_links(id, connection_id, xero_id)!
-- That two are not the same stays known, without a name.
WITH candidate AS (
    DELETE FROM xero_sync.link_candidate WHERE own_id = :id OR connection_id = :connection_id AND xero_id::text = :xero_id
)
UPDATE xero_sync.link_decision SET before = NULL
 WHERE (own_id = :id OR connection_id = :connection_id AND xero_id::text = :xero_id) AND before IS NOT NULL;

-- name: alerts_of(organisation_id)
-- The email addresses that are alerted about an organisation, as one text.
SELECT setting.connection_id, setting.value
  FROM xero_sync.setting JOIN xero_sync.connection ON connection.id = setting.connection_id
 WHERE connection.organisation_id = :organisation_id AND setting.name = 'alerts'
   FOR UPDATE OF setting;

-- name: set_alerts(connection_id, value)!
UPDATE xero_sync.setting SET value = :value WHERE connection_id = :connection_id AND name = 'alerts';

-- name: begin_erasing!
-- For this transaction: changes of documents do not count as edits.
SELECT set_config('xero_sync.erasing', 'on', true);

-- name: erased(connection_id)
-- The ids of erased persons, of all connections that the same organisation in Xero has had.
SELECT DISTINCT erasure.xero_id
  FROM xero_sync.connection AS own
  JOIN xero_sync.connection AS any_of_it ON any_of_it.tenant_id = own.tenant_id
  JOIN xero_sync.erasure ON erasure.connection_id = any_of_it.id
 WHERE own.id = :connection_id;

-- name: erasures(connection_id, xero_id)
SELECT table_name, xero_id, erased_at FROM xero_sync.erasure
 WHERE connection_id = :connection_id AND xero_id = :xero_id;

-- name: contact_persons(email, name)
-- Persons of contacts with that email or name, wherever a contact, or what is kept of it, has them.
WITH held AS (
    SELECT organisation_id, connection_id, id AS contact_id, lower(xero_id::text) AS xero_id, to_jsonb(contact) AS record
      FROM qicworks.contact WHERE contact_persons IS NOT NULL OR push_state IS NOT NULL
     UNION ALL
    SELECT NULL, staging.connection_id, NULL, lower(xero_id::text), to_jsonb(staged)
      FROM xero_sync.stage_contact AS staged JOIN xero_sync.staging ON staging.id = staged.staging_id WHERE contact_persons IS NOT NULL
     UNION ALL
    SELECT NULL, connection_id, NULL, lower(key), record FROM xero_sync.rejection WHERE table_name = 'contact'
     UNION ALL
    SELECT NULL, connection_id, own_id, lower(xero_id::text), before FROM xero_sync.link_decision WHERE what = 'contact'
     UNION ALL
    SELECT own.organisation_id, difference.connection_id, own.id, lower(own.xero_id::text), jsonb_build_array(ours, theirs)
      FROM xero_sync.difference JOIN qicworks.contact AS own ON own.id = document_id
)
SELECT organisation.id AS organisation_id, organisation.name AS organisation, held.connection_id, contact_id, xero_id, person
  FROM held
 CROSS JOIN LATERAL xero_sync.persons_in(record) AS person
  LEFT JOIN xero_sync.connection ON connection.id = held.connection_id
  JOIN qicworks.organisation ON organisation.id = coalesce(held.organisation_id, connection.organisation_id)
 WHERE :email <> '' AND lower(btrim(person ->> 'email')) = :email
    OR :name <> '' AND lower(btrim(regexp_replace(concat_ws(' ', person ->> 'first_name', person ->> 'last_name'), '\s+', ' ', 'g'))) = :name
 ORDER BY held.connection_id NULLS LAST;

-- name: contacts_to_be_pushed$
SELECT count(*) FROM qicworks.contact WHERE id = ANY(:contact_ids) AND push_state IN ('ready', 'in_flight');

-- name: person_keys$
SELECT xero_sync.person_keys(:record_id, :person);

-- name: contacts_with(contact_ids, record_id, keys)
-- What contacts have of one of their persons.
SELECT id, connection_id, xero_id, name AS contact, person
  FROM qicworks.contact
 CROSS JOIN LATERAL xero_sync.persons_in(to_jsonb(contact)) AS person
 WHERE id = ANY(:contact_ids) AND xero_sync.person_keys(:record_id, person) && :keys::text[];

-- name: drop_from_contacts(contact_ids, record_id, keys)!
UPDATE qicworks.contact
   SET contact_persons = without.contact_persons, last_pushed = without.last_pushed, before_edit = without.before_edit, in_xero = without.in_xero
  FROM (SELECT id AS of_id, (jsonb_populate_record(contact, xero_sync.without_persons(to_jsonb(contact), :record_id, :keys))).*
          FROM qicworks.contact WHERE id = ANY(:contact_ids)) AS without
 WHERE contact.id = without.of_id AND to_jsonb(contact) <> xero_sync.without_persons(to_jsonb(contact), :record_id, :keys);

-- name: drop_from_staged_contacts(connection_id, record_id, keys)!
UPDATE xero_sync.stage_contact AS staged
   SET contact_persons = xero_sync.without_persons(to_jsonb(staged), :record_id, :keys) ->> 'contact_persons'
  FROM xero_sync.staging
 WHERE staging.id = staged.staging_id AND staging.connection_id = :connection_id AND lower(staged.xero_id::text) = :record_id
   AND to_jsonb(staged) <> xero_sync.without_persons(to_jsonb(staged), :record_id, :keys);

-- name: drop_from_rejected_contacts(connection_id, record_id, keys)!
UPDATE xero_sync.rejection SET record = xero_sync.without_persons(record, :record_id, :keys)
 WHERE connection_id = :connection_id AND table_name = 'contact' AND lower(key) = :record_id
   AND record <> xero_sync.without_persons(record, :record_id, :keys);

-- name: drop_from_link_decisions(contact_ids, record_id, keys)!
UPDATE xero_sync.link_decision SET before = xero_sync.without_persons(before, :record_id, :keys)
 WHERE what = 'contact' AND own_id = ANY(:contact_ids) AND before <> xero_sync.without_persons(before, :record_id, :keys);

-- name: drop_from_contact_differences(contact_ids, record_id, keys)!
UPDATE xero_sync.difference
   SET ours = xero_sync.without_persons(ours, :record_id, :keys), theirs = xero_sync.without_persons(theirs, :record_id, :keys)
 WHERE document_id = ANY(:contact_ids)
   AND (ours, theirs) <> (xero_sync.without_persons(ours, :record_id, :keys), xero_sync.without_persons(theirs, :record_id, :keys));

-- The statements below are templates: {held} is a pulled table, {stage} its staging table, {table} any of QicWorks' tables.

-- name: held_of
-- Rows with that id, QicWorks' or Xero's, or that email.
SELECT held.*, organisation.name AS organisation
  FROM {held} AS held
  JOIN qicworks.organisation ON organisation.id = held.organisation_id
 WHERE lower(held.id::text) = lower(:id) OR lower(held.{key}::text) = lower(:id)
    OR EXISTS (SELECT FROM jsonb_each_text(to_jsonb(held)) AS each (name, value)
                WHERE right(each.name, 5) = 'email' AND lower(trim(each.value)) = :email);

-- name: staged_of
SELECT staging.connection_id, connection.organisation_id, organisation.name AS organisation,
       staged.{key}::text AS key, to_jsonb(staged) AS record
  FROM {stage} AS staged
  JOIN xero_sync.staging ON staging.id = staged.staging_id
  JOIN xero_sync.connection ON connection.id = staging.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 WHERE lower(staged.{key}::text) = lower(:id)
    OR EXISTS (SELECT FROM jsonb_each_text(to_jsonb(staged)) AS each (name, value)
                WHERE right(each.name, 5) = 'email' AND lower(trim(each.value)) = :email);

-- name: held_by_key
SELECT * FROM {held} WHERE connection_id = :connection_id AND lower({key}::text) = :xero_id;

-- name: rows_of_record
SELECT held.*, organisation.name AS organisation
  FROM {held} AS held
  JOIN qicworks.organisation ON organisation.id = held.organisation_id
 WHERE held.organisation_id = :organisation_id AND lower(held.{key}::text) = :xero_id;

-- name: staged_by_key
SELECT staged.* FROM {stage} AS staged
  JOIN xero_sync.staging ON staging.id = staged.staging_id AND staging.connection_id = :connection_id
 WHERE lower(staged.{column}::text) = :xero_id;

-- name: parts_of
SELECT *
  FROM {held}
 WHERE connection_id = :connection_id AND lower({parent_key}::text) = :xero_id
 ORDER BY {key};

-- name: pointing_to
SELECT * FROM {table} WHERE {column} = ANY(:ids) ORDER BY id;

-- name: lines_of
SELECT * FROM qicworks.document_line WHERE parent_type = :table AND parent_id = ANY(:ids) ORDER BY id;

-- name: files_of
SELECT id, parent_type, parent_id, file_name, mime_type, octet_length(content) AS bytes, pushed_at
  FROM qicworks.attachment
 WHERE parent_type = :table AND parent_id = ANY(:ids)
 ORDER BY id;

-- name: document_ids
SELECT id FROM {table} WHERE {column} = :id;

-- name: labels
-- Labels of the person's documents in events, without those that documents of others have, too.
SELECT :word || ' ' || coalesce(nullif(to_jsonb(document) ->> 'number', ''), nullif(to_jsonb(document) ->> 'name', ''), id::text) AS label
  FROM {table} AS document
 WHERE organisation_id = :organisation_id
 GROUP BY 1
HAVING bool_and({column} IS NOT DISTINCT FROM :id);

-- name: similar_names
-- Other rows with one of these words in a name.
SELECT to_jsonb(held) AS record
  FROM {table} AS held
 WHERE organisation_id = :organisation_id AND id IS DISTINCT FROM :id
   AND EXISTS (SELECT FROM jsonb_each_text(to_jsonb(held)) AS each (name, value),
                        unnest(:search_terms::text[]) AS term
                WHERE right(each.name, 4) = 'name' AND strpos(each.value, term) > 0);

-- name: mentioned
-- Documents whose message may mention a person; {owner} is the column that says which document it is about.
SELECT id, push_error, push_correction, {owner} AS document_id
  FROM {table}
 WHERE organisation_id = :organisation_id
   AND EXISTS (SELECT FROM unnest(:search_terms::text[], :emails::text[]) AS each (term, email)
                WHERE strpos(concat_ws(' ', push_error, push_correction), term) > 0
                   OR strpos(lower(concat_ws(' ', push_error, push_correction)), email) > 0)
 ORDER BY id;

-- name: approved
SELECT * FROM {table} WHERE organisation_id = :organisation_id AND approved_by IS NOT NULL ORDER BY id;

-- name: to_be_pushed
SELECT count(*) FROM {table} WHERE {column} = :id AND push_state IN ('ready', 'in_flight');

-- name: empty!
UPDATE {held}
   SET is_active = false, missing_since = coalesce(missing_since, now()), synced_at = now(), {assignments}
 WHERE {condition} AND (is_active OR {full});

-- name: of_id!
id = :id;

-- name: of_parent!
connection_id = :connection_id AND lower({parent_key}::text) = :xero_id;

-- name: empty_words!
UPDATE {table} SET {assignments} WHERE {column} = :id AND num_nonnulls({private}) > 0;

-- name: replace_words!
UPDATE {table} SET {assignments} WHERE {key};

-- name: unstage!
DELETE FROM {stage} AS staged USING xero_sync.staging
 WHERE staging.id = staged.staging_id AND staging.connection_id = :connection_id AND lower(staged.{column}::text) = :xero_id;
