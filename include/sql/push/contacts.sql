-- QicWorks' own contacts, and what is known of Xero's.

-- name: contacts
-- What is sent of them, oldest first.
SELECT contact.id, contact.push_version, contact.xero_id, contact.name, contact.first_name, contact.last_name, contact.email,
       contact.phone, contact.contact_number, contact.account_number, contact.company_number, contact.tax_number, contact.currency,
       contact.address_line1, contact.address_line2, contact.city, contact.region, contact.postal_code, contact.country,
       contact.po_address_line1, contact.po_address_line2, contact.po_city, contact.po_region, contact.po_postal_code, contact.po_country,
       contact.contact_persons,
       contact.before_edit,
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
   AND contact.xero_id IS NULL AND contact.push_state IN ('ready', 'in_flight');

-- name: pulled
-- All that were pulled, for the search.
SELECT xero_id, name, email, tax_number, contact_number, is_active AND missing_since IS NULL AS is_active, merged_to_xero_id
  FROM qicworks.contact
 WHERE connection_id = :connection_id AND xero_id IS NOT NULL;

-- name: pulled_until$
-- What has changed since then may not have been pulled. No row: nothing was ever pulled.
SELECT least(high_water, clock_timestamp()) - interval '2 minutes' FROM xero_sync.cursor
 WHERE connection_id = :connection_id AND data_set = 'contacts' AND isfinite(high_water);

-- name: link$
SELECT xero_sync.link_contact(:id, :connection_id, :xero_id);

-- name: free_documents!
-- Documents that failed while their contact was not in Xero: none of them was sent.
UPDATE qicworks.{table} SET push_state = 'ready'
 WHERE contact_id = :id AND organisation_id = :organisation_id AND push_state = 'failed' AND xero_id IS NULL;

-- name: waiting
-- Contacts about which a person has to decide, and those that they may be in Xero, as the last pull has them.
SELECT contact.id, contact.name, contact.email, contact.tax_number, contact.push_version AS version, contact.push_error AS error,
       contact.push_correction AS correction, organisation.name AS organisation, connection.id AS connection_id,
       (SELECT jsonb_agg(jsonb_build_object('xero_id', candidate.xero_id, 'alike', candidate.alike, 'name', pulled.name,
                                            'email', pulled.email, 'tax_number', pulled.tax_number, 'is_active', pulled.is_active)
                         ORDER BY pulled.is_active DESC NULLS LAST, pulled.name, candidate.xero_id)
          FROM xero_sync.contact_candidate AS candidate
          LEFT JOIN qicworks.contact AS pulled
            ON pulled.connection_id = candidate.connection_id AND pulled.xero_id = candidate.xero_id
         WHERE candidate.contact_id = contact.id AND candidate.connection_id = connection.id) AS candidates
  FROM qicworks.contact
  JOIN qicworks.organisation ON organisation.id = contact.organisation_id
  JOIN xero_sync.connection ON connection.organisation_id = contact.organisation_id AND connection.state <> 'deleted'
  JOIN xero_sync.contact_question AS question
    ON question.contact_id = contact.id AND question.connection_id = connection.id AND question.version = contact.push_version
 WHERE contact.push_state = 'failed' AND contact.xero_id IS NULL
   AND (:connection_id::uuid IS NULL OR connection.id = :connection_id) AND (:id::uuid IS NULL OR contact.id = :id)
 ORDER BY organisation.name, contact.name, contact.id
 LIMIT :limit;

-- name: undecided^
-- A contact of QicWorks' own that is not linked, locked until it is decided.
SELECT contact.id, contact.name, contact.push_version AS version, contact.push_state AS state, connection.id AS connection_id
  FROM qicworks.contact
  JOIN xero_sync.connection ON connection.organisation_id = contact.organisation_id AND connection.state <> 'deleted'
 WHERE contact.id = :id AND contact.push_state IS NOT NULL AND contact.xero_id IS NULL
   FOR UPDATE OF contact;

-- name: decide!
INSERT INTO xero_sync.contact_decision (contact_id, version, xero_id, decided_by)
VALUES (:id, :version, :xero_id, :who)
    ON CONFLICT (contact_id) DO UPDATE SET version = excluded.version, xero_id = excluded.xero_id, decided_by = excluded.decided_by,
       decided_at = clock_timestamp();

-- name: ready_again!
UPDATE qicworks.contact SET push_state = 'ready' WHERE id = :id AND push_state = 'failed';

-- name: keep_xeros!
-- Xero's side was kept: these columns are as they are there.
UPDATE qicworks.contact
   SET {assignments}, before_edit = NULL, synced_at = clock_timestamp()
 WHERE id = :id AND push_version = :version AND before_edit IS NOT NULL;

-- name: drop_questions!
-- With their candidates.
WITH candidate AS (DELETE FROM xero_sync.contact_candidate WHERE contact_id = ANY(:ids))
DELETE FROM xero_sync.contact_question WHERE contact_id = ANY(:ids);

-- name: ask!
INSERT INTO xero_sync.contact_question (contact_id, connection_id, version)
SELECT id, :connection_id, :version FROM qicworks.contact WHERE id = :id;

-- name: keep_candidates!
INSERT INTO xero_sync.contact_candidate (contact_id, connection_id, xero_id, alike)
SELECT :id, :connection_id, found.xero_id, string_to_array(found.alike, ',')
  FROM unnest(:xero_ids::uuid[], :alike::text[]) AS found (xero_id, alike)
 WHERE EXISTS (SELECT FROM xero_sync.contact_question WHERE contact_id = :id);
