SELECT lower("ContactID") AS contact_id, "Name" AS name, coalesce("EmailAddress", '') AS email FROM xero.contacts
