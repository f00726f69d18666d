-- What a session of the database is set to, and the locks that end with it.

-- name: configure
-- `search_path` is the database's own if it has one. With a backend only if this is it: PostgreSQL says at the start of a
-- connection which one it is, and a pooler makes up a number.
SELECT set_config(name, CASE name WHEN 'search_path' THEN coalesce(
           (SELECT substr(entry, length('search_path=') + 1) FROM pg_db_role_setting, unnest(setconfig) AS entry
             WHERE setrole = 0 AND starts_with(entry, 'search_path=')
               AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())), value)
       ELSE value END, false)
  FROM unnest(:names::text[], :values::text[]) AS setting (name, value)
 WHERE :backend::integer IS NULL OR pg_backend_pid() = :backend;

-- name: backend
SELECT pg_backend_pid();

-- name: listen!
LISTEN {channel};

-- name: notify!
NOTIFY {channel};

-- name: unlisten!
UNLISTEN {channel};

-- name: avoid_nested_loops!
SET enable_nestloop = off;

-- name: acquire_lease$
SELECT pg_try_advisory_lock(hashtextextended(:key, 0));

-- name: release_leases$
SELECT pg_advisory_unlock_all();
