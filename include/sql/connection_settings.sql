-- How an organisation works.

-- name: settings
SELECT conflicts FROM xero_sync.connection_setting WHERE connection_id = :connection_id;
