SELECT lower(contact_id) AS contact_id, name, coalesce(email_address, '') AS email FROM xero.contacts
