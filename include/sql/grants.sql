-- What is known of a role before rights are granted to it.

-- name: role(role)^
-- `bypasses_grants`: it is a superuser, or a member of the role that owns the tables.
SELECT rolsuper OR pg_has_role(rolname, (SELECT nspowner FROM pg_namespace WHERE nspname = 'xero_sync'), 'member') AS bypasses_grants
  FROM pg_roles WHERE rolname = :role;

-- name: settings(role)
-- The settings that the role brings into its sessions, wherever they were set.
SELECT DISTINCT unnest(setconfig) AS setting, setdatabase <> 0 AS of_database
  FROM pg_db_role_setting
 WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = :role)
   AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
 ORDER BY 1;

-- name: plumbing
-- The tables and views of xero_sync; what the migrations keep for themselves, and models that tables were made after, apart.
-- `filled`: the columns that the database does not fill itself, where it fills any: a number that is taken stops all runs.
SELECT relname AS name, relkind = 'v' AS is_view,
       ARRAY(SELECT attname::text FROM pg_attribute
              WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = ''
                AND EXISTS (SELECT FROM pg_attribute AS number WHERE number.attrelid = pg_class.oid AND number.attidentity <> '')
              ORDER BY attnum) AS filled
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

-- name: tables
-- Of both schemas, with their columns.
SELECT relnamespace::regnamespace::text AS schema, relname AS name, array_agg(attname::text ORDER BY attnum) AS columns
  FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
 WHERE relnamespace IN ('qicworks'::regnamespace, 'xero_sync'::regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'f')
 GROUP BY relnamespace, relname
 ORDER BY 1, 2;

-- name: might(role)
-- What makes grants pointless: attributes of the role, and of every role that it is a member of and can turn into.
SELECT CASE WHEN rolname = :role THEN 'it is ' ELSE 'it is a member of ' || rolname || ', which is ' END || what AS description,
       what = 'a superuser' AS is_superuser
  FROM pg_roles
 CROSS JOIN LATERAL (VALUES
       (rolsuper, 'a superuser'), (rolcreaterole, 'CREATEROLE'), (rolreplication, 'REPLICATION'), (rolbypassrls, 'BYPASSRLS'),
       (rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'), 'at the server''s files')
     ) AS attribute (has, what)
 WHERE has AND pg_has_role(:role, oid, 'MEMBER')
 ORDER BY rolname, what;

-- name: owned(role)
-- Owners keep their rights, whatever is granted.
SELECT kind || ' ' || name || ' belongs to ' || CASE WHEN owner::regrole::text = quote_ident(:role) THEN 'it' ELSE owner::regrole || ', which it is a member of' END AS description
  FROM (SELECT 'the table' AS kind, oid::regclass::text AS name, relowner AS owner FROM pg_class
         WHERE relnamespace IN ('qicworks'::regnamespace, 'xero_sync'::regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        UNION ALL
        SELECT 'the function', oid::regproc::text, proowner FROM pg_proc
         WHERE pronamespace IN ('qicworks'::regnamespace, 'xero_sync'::regnamespace)
        UNION ALL
        SELECT 'the schema', nspname, nspowner FROM pg_namespace WHERE nspname IN ('qicworks', 'xero_sync')
        UNION ALL
        SELECT 'the database', datname, datdba FROM pg_database WHERE datname = current_database()) AS thing
 WHERE pg_has_role(:role, owner, 'MEMBER')
 ORDER BY 1;

-- name: to_come(role)
-- What it would get on tables that are made later.
SELECT DISTINCT privilege_type || ' on tables that ' || defaclrole::regrole || ' makes later, '
       || CASE WHEN grantee = 0 THEN 'as everyone may (PUBLIC)'
               WHEN grantee::regrole::text = quote_ident(:role) THEN 'granted to itself'
               ELSE 'through ' || grantee::regrole END || ': ALTER DEFAULT PRIVILEGES … REVOKE' AS description
  FROM pg_default_acl CROSS JOIN LATERAL aclexplode(defaclacl)
 WHERE defaclobjtype IN ('r', 'S') AND defaclnamespace IN (0, 'qicworks'::regnamespace, 'xero_sync'::regnamespace)
   AND (grantee = 0 OR pg_has_role(:role, grantee, 'MEMBER'))
 ORDER BY 1;

-- name: effective(role)
-- Every right in both schemas, and who has it: everybody, roles that the role is a member of, then the role itself. Rights
-- that can be given by column are by column; CREATE is of the schema, and has no table.
WITH holder AS (
    SELECT 'public'::name AS name, 0 AS place
    UNION ALL
    SELECT rolname, CASE WHEN rolname = :role THEN 2 ELSE 1 END FROM pg_roles WHERE pg_has_role(:role, oid, 'MEMBER')
), held AS (
    SELECT oid, relnamespace::regnamespace::text AS schema, relname::text AS name, relkind FROM pg_class
     WHERE relnamespace IN ('qicworks'::regnamespace, 'xero_sync'::regnamespace) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
)
SELECT holder.name AS holder, place, schema, held.name, attname::text AS column, privilege AS right
  FROM holder CROSS JOIN held JOIN pg_attribute ON attrelid = held.oid AND attnum > 0 AND NOT attisdropped
 CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES')) AS by_column (privilege)
 WHERE relkind <> 'S' AND has_column_privilege(holder.name, held.oid, attnum, privilege)
UNION ALL
SELECT holder.name, place, schema, held.name, '', privilege
  FROM holder CROSS JOIN held CROSS JOIN (VALUES ('DELETE'), ('TRUNCATE'), ('TRIGGER')) AS whole (privilege)
 WHERE relkind <> 'S' AND has_table_privilege(holder.name, held.oid, privilege)
UNION ALL
SELECT holder.name, place, schema, held.name, '', privilege
  FROM holder CROSS JOIN held CROSS JOIN (VALUES ('USAGE'), ('UPDATE')) AS counting (privilege)
 WHERE relkind = 'S' AND has_sequence_privilege(holder.name, held.oid, privilege)
UNION ALL
SELECT holder.name, place, schema, '', '', 'CREATE'
  FROM holder CROSS JOIN (VALUES ('qicworks'), ('xero_sync')) AS namespace (schema)
 WHERE has_schema_privilege(holder.name, schema, 'CREATE')
 ORDER BY place, holder, schema, name, "right", "column";

-- name: rights_elsewhere(role)
-- Before version 15, PostgreSQL lets every role create tables in the schema public.
SELECT 'everyone may make tables in the schema public of this database:'
       ' REVOKE CREATE ON SCHEMA public FROM PUBLIC takes that away' AS description
 WHERE has_schema_privilege('public', to_regnamespace('public'), 'CREATE')
UNION ALL
SELECT DISTINCT 'it may make schemas in this database, through ' || holder || ': REVOKE CREATE ON DATABASE … takes that away'
  FROM (SELECT 'public'::name AS holder UNION ALL SELECT rolname FROM pg_roles WHERE pg_has_role(:role, oid, 'MEMBER')) AS who
 WHERE has_database_privilege(holder, current_database(), 'CREATE')
UNION ALL
SELECT 'it has rights in the schema ' || relnamespace::regnamespace || ', too: ' || string_agg(DISTINCT relname, ', ')
  FROM pg_class CROSS JOIN (SELECT 'public'::name AS holder UNION ALL
                            SELECT rolname FROM pg_roles WHERE pg_has_role(:role, oid, 'MEMBER')) AS who
 WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relpersistence <> 't'
   AND relnamespace NOT IN ('qicworks'::regnamespace, 'xero_sync'::regnamespace, 'pg_catalog'::regnamespace,
                            'information_schema'::regnamespace, 'pg_toast'::regnamespace)
   AND has_schema_privilege(holder, relnamespace, 'USAGE')
   AND (has_table_privilege(holder, pg_class.oid, 'DELETE, TRUNCATE')
        OR has_any_column_privilege(holder, pg_class.oid, 'SELECT, INSERT, UPDATE'))
 GROUP BY relnamespace;

-- name: database_name$
SELECT current_database();

-- name: reset_settings!
-- A template: takes away what the role has set for itself.
ALTER ROLE {role} RESET ALL; ALTER ROLE {role} IN DATABASE {database} RESET ALL;
