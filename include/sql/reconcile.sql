-- What QicWorks knows of a data set, to be compared with what Xero says.

-- name: rejected
-- Known, but not loaded: reported already.
SELECT key FROM xero_sync.rejection
 WHERE connection_id = :connection_id AND table_name = :table_name AND closed_at IS NULL;
