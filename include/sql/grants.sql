-- What is to be known before rights are given.

-- name: role(role)^
-- `mighty`: it may do everything anyhow, as a superuser or as a member of the role that owns the tables.
SELECT rolsuper OR pg_has_role(rolname, (SELECT nspowner FROM pg_namespace WHERE nspname = 'xero_sync'), 'member') AS mighty
  FROM pg_roles WHERE rolname = :role;

-- name: plumbing
-- The tables and views of xero_sync; what the migrations keep for themselves, and models that tables were made after, apart.
SELECT relname AS name, relkind = 'v' AS is_view
  FROM pg_class
 WHERE relnamespace = 'xero_sync'::regnamespace AND relkind IN ('r', 'v') AND position('yoyo' IN relname) = 0
   AND relname NOT IN ('stage_row', 'pulled_row', 'pushed_row', 'priced_document')
 ORDER BY relname;

-- name: settled_columns
-- Of every table whose rows are pushed, what a push writes.
SELECT relname AS name, array_agg(attname::text ORDER BY attnum) AS columns
  FROM pg_class
  JOIN pg_attribute ON attrelid = pg_class.oid
 WHERE relnamespace = 'qicworks'::regnamespace AND relkind = 'r'
   AND attname IN ('push_state', 'xero_id', 'xero_status', 'pushed_at', 'push_error', 'push_correction')
 GROUP BY relname
HAVING bool_or(attname = 'push_state')
 ORDER BY relname;

-- name: public_may_create$
-- Before version 15 PostgreSQL lets everybody make tables in the schema public.
SELECT coalesce(has_schema_privilege(:role, to_regnamespace('public'), 'CREATE'), false);
