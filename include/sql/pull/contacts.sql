-- Contacts that QicWorks created in Xero.

-- name: before_merge_contact!
-- Xero has one under our number, and the push that created it does not know so yet: it is that contact, and no second row.
SELECT xero_sync.link_contact(own.id, :connection_id, staged.xero_id)
  FROM xero_sync.stage_contact AS staged
  JOIN qicworks.contact AS own ON own.id::text = lower(staged.contact_number)
 WHERE staged.staging_id = :staging_id AND staged.problems IS NULL
   AND own.organisation_id = :organisation_id AND own.connection_id IS NULL;
