SELECT lower(contact_id) AS contact_id, name, coalesce(email, '') AS email FROM contacts
