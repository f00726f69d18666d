-- QicWorks' own contacts in Xero.

-- name: before_merge_contact!
-- Xero has one under our number, and the push that created it does not know so yet: it is that contact, and no second row.
SELECT xero_sync.link_contact(own.id, :connection_id, staged.xero_id)
  FROM xero_sync.stage_contact AS staged
  JOIN qicworks.contact AS own ON own.id::text = lower(staged.contact_number)
 WHERE staged.staging_id = :staging_id AND staged.problems IS NULL AND staged.is_active
   AND own.organisation_id = :organisation_id AND own.connection_id IS NULL;

-- name: after_merge_contact__1_twins!
-- Own contacts whose record has a row of its own follow it, as a pull would.
UPDATE qicworks.contact AS own
   SET name = pulled.name, first_name = pulled.first_name, last_name = pulled.last_name, email = pulled.email, phone = pulled.phone,
       contact_number = pulled.contact_number, account_number = pulled.account_number, company_number = pulled.company_number,
       tax_number = pulled.tax_number, is_customer = pulled.is_customer, is_supplier = pulled.is_supplier,
       address_line1 = pulled.address_line1, address_line2 = pulled.address_line2, city = pulled.city, region = pulled.region,
       postal_code = pulled.postal_code, country = pulled.country, po_address_line1 = pulled.po_address_line1,
       po_address_line2 = pulled.po_address_line2, po_city = pulled.po_city, po_region = pulled.po_region,
       po_postal_code = pulled.po_postal_code, po_country = pulled.po_country, contact_persons = pulled.contact_persons,
       currency = pulled.currency, sales_account_code = pulled.sales_account_code, purchases_account_code = pulled.purchases_account_code,
       sales_tax_type = pulled.sales_tax_type, purchases_tax_type = pulled.purchases_tax_type,
       sales_terms_day = pulled.sales_terms_day, sales_terms_type = pulled.sales_terms_type,
       purchases_terms_day = pulled.purchases_terms_day, purchases_terms_type = pulled.purchases_terms_type,
       merged_to_xero_id = pulled.merged_to_xero_id, status = pulled.status, xero_updated_at = pulled.xero_updated_at,
       is_active = pulled.is_active, row_hash = pulled.row_hash, missing_since = pulled.missing_since, synced_at = clock_timestamp()
  FROM qicworks.contact AS pulled
 WHERE pulled.connection_id = :connection_id AND pulled.xero_id = own.xero_id AND pulled.row_hash <> ''
   AND own.organisation_id = :organisation_id AND own.push_state IS NOT NULL AND own.connection_id IS NULL
   AND own.row_hash IS DISTINCT FROM '' AND (own.row_hash, own.missing_since) IS DISTINCT FROM (pulled.row_hash, pulled.missing_since);

-- name: after_merge_contact__2_asked!
-- Contacts about which a person was asked, and of whose name Xero has one now that the search did not find: it searches again.
UPDATE qicworks.contact AS own SET push_state = 'ready'
  FROM xero_sync.contact_question AS question
 WHERE question.contact_id = own.id AND question.connection_id = :connection_id AND question.version = own.push_version
   AND own.push_state = 'failed' AND own.xero_id IS NULL
   AND EXISTS (SELECT FROM xero_sync.stage_contact AS staged
                WHERE staged.staging_id = :staging_id AND staged.problems IS NULL AND staged.is_active
                  AND lower(regexp_replace(btrim(staged.name), '\s+', ' ', 'g')) = lower(regexp_replace(btrim(own.name), '\s+', ' ', 'g'))
                  AND NOT EXISTS (SELECT FROM xero_sync.contact_candidate AS candidate
                                   WHERE candidate.contact_id = own.id AND candidate.xero_id = staged.xero_id));
