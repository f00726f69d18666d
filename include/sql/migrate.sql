-- What is done before migrations are applied.

-- name: wait_without_limit!
-- A migration may take long, and other processes should wait until it is done.
SET lock_timeout = 0;

-- name: lock_schema!
-- One process at a time. A lock of the session, because yoyo's own would outlive a process that is killed.
SELECT pg_advisory_lock(hashtextextended('xero_sync schema', 0));

-- name: create_schema!
CREATE SCHEMA IF NOT EXISTS xero_sync;
