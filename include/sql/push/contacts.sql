-- QicWorks' own contacts, and what is known of Xero's.

-- name: contacts
-- What is sent of them, oldest first.
SELECT contact.id, contact.push_version, contact.xero_id, contact.name, contact.first_name, contact.last_name, contact.email,
       contact.phone, contact.contact_number, contact.account_number, contact.company_number, contact.tax_number, contact.currency,
       contact.address_line1, contact.address_line2, contact.city, contact.region, contact.postal_code, contact.country,
       contact.po_address_line1, contact.po_address_line2, contact.po_city, contact.po_region, contact.po_postal_code, contact.po_country,
       contact.contact_persons, contact.is_active, contact.is_ours, contact.before_edit, contact.kept_columns,
       decision.contact_id IS NOT NULL AS decided, decision.xero_id AS chosen_xero_id
  FROM qicworks.contact
  LEFT JOIN xero_sync.contact_decision AS decision ON decision.contact_id = contact.id AND decision.version = contact.push_version
 WHERE contact.id = ANY(:ids) AND contact.organisation_id = :organisation_id
 ORDER BY contact.created_at, contact.id;

-- name: new_of_documents
-- Contacts that Xero does not have, of documents that are to be pushed. failed_too: also of documents that failed.
SELECT DISTINCT contact.id
  FROM qicworks.{table} AS document
  JOIN qicworks.contact ON contact.id = document.contact_id
 WHERE document.organisation_id = :organisation_id AND contact.organisation_id = :organisation_id
   AND (document.push_state = 'ready' OR :failed_too AND document.push_state = 'failed')
   AND (:wanted::uuid[] IS NULL OR document.id = ANY(:wanted))
   AND contact.xero_id IS NULL AND contact.push_state IN ('ready', 'in_flight', 'failed');

-- name: waiting_for_contacts
-- Documents that are ready, and whose contact is on its way to Xero.
SELECT document.id
  FROM qicworks.{table} AS document
  JOIN qicworks.contact ON contact.id = document.contact_id
 WHERE document.organisation_id = :organisation_id AND document.push_state = 'ready'
   AND (:wanted::uuid[] IS NULL OR document.id = ANY(:wanted))
   AND contact.organisation_id = :organisation_id AND contact.xero_id IS NULL AND contact.push_state IN ('ready', 'in_flight');

-- name: pulled
-- All that were pulled, for the search: as Xero said last, without QicWorks' edits.
SELECT xero_id, merged_to_xero_id, said.name, said.email, said.tax_number, said.contact_number, said.city,
       said.is_active AND missing_since IS NULL AS is_active
  FROM qicworks.contact
 CROSS JOIN LATERAL jsonb_to_record(coalesce(in_xero, to_jsonb(contact)))
       AS said (name text, email text, tax_number text, contact_number text, city text, is_active boolean)
 WHERE connection_id = :connection_id AND xero_id IS NOT NULL;

-- name: not_as_in_xero
-- Records of which no row says what Xero has: erased, or rejected by a pull.
SELECT xero_id::text AS key FROM qicworks.contact
 WHERE organisation_id = :organisation_id AND xero_id IS NOT NULL
   AND (before_edit IS NOT NULL AND in_xero IS NULL OR row_hash = '' AND connection_id = :connection_id)
UNION
SELECT key FROM xero_sync.rejection WHERE connection_id = :connection_id AND table_name = 'contact' AND closed_at IS NULL;

-- name: erased
-- Records of persons who were erased, of all connections that the same organisation in Xero has had.
SELECT DISTINCT erasure.xero_id
  FROM xero_sync.connection AS own
  JOIN xero_sync.connection AS any_of_it ON any_of_it.tenant_id = own.tenant_id
  JOIN xero_sync.erasure ON erasure.connection_id = any_of_it.id AND erasure.table_name = 'contact'
 WHERE own.id = :connection_id;

-- name: pulled_of
-- The same of these alone.
SELECT xero_id, merged_to_xero_id, said.name, said.email, said.tax_number, said.contact_number, said.city,
       said.is_active AND missing_since IS NULL AS is_active
  FROM qicworks.contact
 CROSS JOIN LATERAL jsonb_to_record(coalesce(in_xero, to_jsonb(contact)))
       AS said (name text, email text, tax_number text, contact_number text, city text, is_active boolean)
 WHERE connection_id = :connection_id AND xero_id = ANY(:xero_ids);

-- name: pulled_until$
-- What has changed since then may not have been pulled. No row: nothing was ever pulled.
SELECT least(high_water, clock_timestamp()) - interval '2 minutes' FROM xero_sync.cursor
 WHERE connection_id = :connection_id AND data_set = 'contacts' AND isfinite(high_water);

-- name: link$
SELECT xero_sync.link_contact(:id, :connection_id, :xero_id);

-- name: are_ours!
-- QicWorks created these in Xero.
UPDATE qicworks.contact SET is_ours = true WHERE id = ANY(:ids) AND NOT is_ours;

-- name: answered!
-- What Xero has of it now; of one that was sent, also what was sent, which `before_edit` has last.
UPDATE qicworks.contact
   SET last_pushed = known.now, in_xero = :theirs || :state || jsonb_build_object('read_at', clock_timestamp()),
       before_edit = CASE WHEN before_edit IS NOT NULL THEN known.now END,
       xero_updated_at = coalesce(:updated_at, xero_updated_at), synced_at = clock_timestamp()   -- later than what a pull has read before
  FROM (SELECT CASE WHEN :sent AND before_edit IS NOT NULL THEN jsonb_build_array(before_edit -> -1, :theirs::jsonb)
                    ELSE jsonb_build_array(:theirs::jsonb) END AS now
          FROM qicworks.contact WHERE id = :id) AS known
 WHERE id = :id;

-- name: taken
-- Of these records of Xero's those that own contacts are linked to.
SELECT xero_id, id FROM qicworks.contact
 WHERE organisation_id = :organisation_id AND push_state IS NOT NULL AND xero_id = ANY(:xero_ids);

-- name: others_of
-- Other own contacts that are in use and linked to that record.
SELECT name FROM qicworks.contact
 WHERE organisation_id = :organisation_id AND push_state IS NOT NULL AND xero_id = :xero_id AND is_active AND id <> :id
 ORDER BY name;

-- name: left_by_setting
-- Contacts that were left because of the setting that the organisation had then, and about which there is nothing else to decide.
SELECT contact.id, contact.organisation_id
  FROM xero_sync.contact_question AS question
  JOIN qicworks.contact ON contact.id = question.contact_id AND contact.push_version = question.version
  LEFT JOIN xero_sync.setting ON setting.connection_id = question.connection_id AND setting.name = 'new_contacts'
 WHERE (:connection_id::uuid IS NULL OR question.connection_id = :connection_id)
   AND contact.push_state = 'failed' AND contact.xero_id IS NULL
   AND coalesce(setting.value, 'ask') <> question.setting AND coalesce(setting.value, 'ask') <> 'off'
   AND NOT EXISTS (SELECT FROM xero_sync.contact_candidate AS candidate WHERE candidate.contact_id = contact.id)
 LIMIT 10000;

-- name: release!
UPDATE qicworks.contact SET push_state = 'ready' WHERE id = ANY(:ids) AND push_state = 'failed';

-- name: waiting
-- Contacts about which a person has to decide, and those that they may be in Xero, as the search found them.
SELECT contact.id, contact.name, contact.email, contact.tax_number, contact.push_version AS version, contact.push_error AS error,
       contact.push_correction AS correction, organisation.name AS organisation, connection.id AS connection_id,
       (SELECT jsonb_agg(jsonb_build_object('xero_id', xero_id, 'alike', alike, 'name', candidate.name, 'email', candidate.email,
                                            'tax_number', candidate.tax_number, 'is_active', candidate.is_active)
                         ORDER BY candidate.is_active DESC, candidate.name, xero_id)
          FROM xero_sync.contact_candidate AS candidate
         WHERE candidate.contact_id = contact.id AND candidate.connection_id = connection.id) AS candidates
  FROM qicworks.contact
  JOIN qicworks.organisation ON organisation.id = contact.organisation_id
  JOIN xero_sync.connection ON connection.organisation_id = contact.organisation_id AND connection.state <> 'deleted'
  JOIN xero_sync.contact_question AS question
    ON question.contact_id = contact.id AND question.connection_id = connection.id AND question.version = contact.push_version
       AND question.setting <> 'off'
 WHERE contact.push_state = 'failed' AND contact.xero_id IS NULL
   AND (:connection_id::uuid IS NULL OR connection.id = :connection_id) AND (:id::uuid IS NULL OR contact.id = :id)
 ORDER BY organisation.name, contact.name, contact.id
 LIMIT :limit;

-- name: undecided^
-- A contact of QicWorks' own that is not linked, locked until it is decided.
SELECT contact.id, contact.name, contact.push_version AS version, contact.push_state AS state, connection.id AS connection_id,
       EXISTS (SELECT FROM xero_sync.contact_question AS question
                WHERE question.contact_id = contact.id AND question.connection_id = connection.id
                  AND question.version = contact.push_version AND question.setting <> 'off') AS is_asked
  FROM qicworks.contact
  JOIN xero_sync.connection ON connection.organisation_id = contact.organisation_id AND connection.state <> 'deleted'
 WHERE contact.id = :id AND contact.push_state IS NOT NULL AND contact.xero_id IS NULL
   FOR UPDATE OF contact;

-- name: decide!
INSERT INTO xero_sync.contact_decision (contact_id, version, xero_id, decided_by)
VALUES (:id, :version, :xero_id, :who)
    ON CONFLICT (contact_id) DO UPDATE SET version = excluded.version, xero_id = excluded.xero_id, decided_by = excluded.decided_by,
       decided_at = clock_timestamp();

-- name: keep_xeros!
-- Xero's side was kept: these columns are as they are there. `theirs`: all that Xero has.
UPDATE qicworks.contact
   SET before_edit = jsonb_build_array(:theirs::jsonb), synced_at = clock_timestamp(),
       in_xero = :theirs || :state || jsonb_build_object('read_at', clock_timestamp()){assignments}
 WHERE id = :id AND push_version = :version;

-- name: take!
-- It was linked to a record that was there before: these columns, which it lacked, are as they are there; of `kept` QicWorks has others.
UPDATE qicworks.contact
   SET kept_columns = nullif(:kept, '{{}}'::text[]), synced_at = clock_timestamp(),
       in_xero = :theirs || :state || jsonb_build_object('read_at', clock_timestamp()){assignments}
 WHERE id = :id;

-- name: keep_only!
UPDATE qicworks.contact SET kept_columns = nullif(:kept, '{}'::text[]) WHERE id = :id;

-- name: kept
-- Own contacts of which QicWorks keeps what Xero has otherwise, and all that have an open difference of that, also those that are not
-- linked or not there any more. `ids`: null, or only these.
WITH opened AS (
    SELECT document_id FROM xero_sync.difference
     WHERE connection_id = :connection_id AND document_kind = :kind AND reason = :reason AND settled_at IS NULL
)
SELECT coalesce(own.id, opened.document_id) AS id, coalesce(own.name, '') AS name, to_jsonb(own) AS ours, own.in_xero AS theirs,
       coalesce(own.kept_columns, '{}') AS columns, own.id IS NULL AS is_gone, own.xero_id IS NULL AS is_unlinked
  FROM (SELECT * FROM qicworks.contact
         WHERE organisation_id = :organisation_id AND push_state IS NOT NULL
           AND (kept_columns IS NOT NULL AND in_xero IS NOT NULL OR id IN (SELECT document_id FROM opened))) AS own
  FULL JOIN opened ON opened.document_id = own.id
 WHERE :ids::uuid[] IS NULL OR coalesce(own.id, opened.document_id) = ANY(:ids)
 ORDER BY 1;

-- name: drop_questions!
-- With their candidates.
WITH candidate AS (DELETE FROM xero_sync.contact_candidate WHERE contact_id = ANY(:ids))
DELETE FROM xero_sync.contact_question WHERE contact_id = ANY(:ids);

-- name: ask!
INSERT INTO xero_sync.contact_question (contact_id, connection_id, version, setting)
SELECT id, :connection_id, :version, :setting FROM qicworks.contact WHERE id = :id;

-- name: keep_candidates!
INSERT INTO xero_sync.contact_candidate (contact_id, connection_id, xero_id, alike, name, email, tax_number, is_active)
SELECT :id, :connection_id, found.*
  FROM jsonb_to_recordset(:found) AS found (xero_id uuid, alike text[], name text, email text, tax_number text, is_active boolean)
 WHERE EXISTS (SELECT FROM xero_sync.contact_question WHERE contact_id = :id);
