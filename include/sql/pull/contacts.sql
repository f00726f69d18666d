-- Contacts: from staging into the QicWorks tables.

-- name: merge_contact^
-- Conflict policy: the newest version wins; a row that says what is held already is not written.
WITH staged AS (
    SELECT DISTINCT ON (xero_id) *
      FROM xero_sync.stage_contact
     WHERE staging_id = :staging_id AND problems IS NULL
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
), changed AS (
    SELECT staged.*, held.is_active AS was_active, held.xero_id IS NULL AS is_new
      FROM staged
      LEFT JOIN qicworks.contact AS held ON held.connection_id = :connection_id AND held.xero_id = staged.xero_id
     WHERE held.xero_id IS NULL
        OR ((held.row_hash <> staged.row_hash OR held.missing_since IS NOT NULL)
           AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL OR staged.xero_updated_at >= held.xero_updated_at))
), written AS (
    INSERT INTO qicworks.contact (
        connection_id, organisation_id, is_active, row_hash,
        xero_id, name, first_name, last_name, email, phone, contact_number, account_number, company_number, tax_number,
        is_customer, is_supplier, address_line1, address_line2, city, region, postal_code, country, currency,
        sales_account_code, purchases_account_code, sales_tax_type, purchases_tax_type, sales_terms_day,
        sales_terms_type, purchases_terms_day, purchases_terms_type, merged_to_xero_id, status, xero_updated_at
    )
    SELECT :connection_id, :organisation_id, is_active, row_hash,
           xero_id, name, first_name, last_name, email, phone, contact_number, account_number, company_number, tax_number,
           is_customer, is_supplier, address_line1, address_line2, city, region, postal_code, country, currency,
           sales_account_code, purchases_account_code, sales_tax_type, purchases_tax_type, sales_terms_day,
           sales_terms_type, purchases_terms_day, purchases_terms_type, merged_to_xero_id, status, xero_updated_at
    FROM changed
        ON CONFLICT (connection_id, xero_id) DO UPDATE SET
           is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
           name = excluded.name, first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email,
           phone = excluded.phone, contact_number = excluded.contact_number, account_number = excluded.account_number,
           company_number = excluded.company_number, tax_number = excluded.tax_number, is_customer = excluded.is_customer,
           is_supplier = excluded.is_supplier, address_line1 = excluded.address_line1,
           address_line2 = excluded.address_line2, city = excluded.city, region = excluded.region,
           postal_code = excluded.postal_code, country = excluded.country, currency = excluded.currency,
           sales_account_code = excluded.sales_account_code, purchases_account_code = excluded.purchases_account_code,
           sales_tax_type = excluded.sales_tax_type, purchases_tax_type = excluded.purchases_tax_type,
           sales_terms_day = excluded.sales_terms_day, sales_terms_type = excluded.sales_terms_type,
           purchases_terms_day = excluded.purchases_terms_day, purchases_terms_type = excluded.purchases_terms_type,
           merged_to_xero_id = excluded.merged_to_xero_id, status = excluded.status,
           xero_updated_at = excluded.xero_updated_at
)
SELECT (SELECT count(*) FROM staged) AS read,
       count(*) FILTER (WHERE is_new) AS inserted,
       count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
       count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
  FROM changed;
