-- A document of QicWorks' takes over what was changed in Xero.

-- name: contact$
SELECT id FROM qicworks.contact WHERE connection_id = :connection_id AND xero_id = :xero_id AND is_active;

-- name: contact_names
-- Of these contacts of Xero, as QicWorks has them.
SELECT xero_id::text AS xero_id, name FROM qicworks.contact
 WHERE connection_id = :connection_id AND xero_id::text = ANY(:xero_ids::text[]);

-- name: account$
SELECT id FROM qicworks.account WHERE connection_id = :connection_id AND xero_id = :xero_id AND is_active;

-- name: tax_code$
SELECT id FROM qicworks.tax_code WHERE connection_id = :connection_id AND tax_type = :tax_type AND is_active;

-- name: tracking_option$
SELECT id FROM qicworks.tracking_option WHERE connection_id = :connection_id AND xero_id = :xero_id AND is_active;

-- name: take_over$
-- The function is in schema/0029. False: the document was edited since, or nobody wants Xero's side.
SELECT xero_sync.take_over(:table, :id, :version, :header, :lines, :removed);
