SELECT contact_id::text AS contact_id, name, email FROM contact
