-- Moves rows from staging into a pulled table. Templates: {held} is the table, {stage} its staging table, {key} the column that
-- identifies a record. `snapshot_at`: when the reading began. `full`: whether it is a full one.

-- name: wait_for_others!
-- Loads of one organisation run one at a time: two data sets may write the same table.
SELECT pg_advisory_xact_lock(hashtextextended('xero load ' || :connection_id::text, 0));

-- name: merge
-- Conflict policy: the newest version wins; on a tie, the one that was read last. Unchanged rows are not written. A full reading
-- that began after a row was written always wins over it: otherwise a version that was once in the future would block every later
-- change. A row with a write time in the future was written before the clock was put back.
WITH staged AS (
    SELECT DISTINCT ON ({key}) *
      FROM {stage}
     WHERE staging_id = :staging_id AND problems IS NULL
     ORDER BY {key}, xero_updated_at DESC NULLS LAST, seq DESC
), changed AS (
    SELECT staged.*, held.is_active AS was_active, held.{key} IS NULL AS is_new
      FROM staged
      LEFT JOIN {held} AS held ON held.connection_id = :connection_id AND held.{key} = staged.{key}
     WHERE held.{key} IS NULL
        OR ((held.row_hash IS DISTINCT FROM staged.row_hash OR held.missing_since IS NOT NULL {differs})
           AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL
                OR staged.xero_updated_at >= held.xero_updated_at
                OR (:full AND (held.synced_at < :snapshot_at OR held.synced_at > clock_timestamp()))))
), written AS (
    INSERT INTO {held} (connection_id, organisation_id, is_active, row_hash, {columns})
    SELECT :connection_id, :organisation_id, is_active, row_hash, {columns} FROM changed
        ON CONFLICT (connection_id, {key}) DO UPDATE SET
           is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
           organisation_id = excluded.organisation_id,
           {assignments}
)
SELECT (SELECT count(*) FROM staged) AS read,
       count(*) FILTER (WHERE is_new) AS inserted,
       count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
       count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
  FROM changed;

-- name: types_of
-- How the columns of a table store numbers: a price with six decimals is stored with four.
SELECT attname AS name, format_type(atttypid, atttypmod) AS type
  FROM pg_attribute WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped;

-- name: differs!
-- The part of `merge` that a full reading adds: rows that differ from Xero's are written, even if the hash is the same. A record
-- within another one has no version, so only its hash decides.
OR ({versionless} OR staged.xero_updated_at IS NOT NULL OR held.xero_updated_at IS NULL)
   AND (held.organisation_id, {held_columns}) IS DISTINCT FROM (:organisation_id::uuid, {staged_columns});

-- name: known
-- Rows that a reading from `since` on should meet: those not known to be missing from Xero.
SELECT count(*)
  FROM {held}
 WHERE connection_id = :connection_id AND missing_since IS NULL
   AND (:since::timestamptz IS NULL OR xero_updated_at >= :since);

-- name: known_parents
-- Records that have active parts in this table.
SELECT count(DISTINCT {parent_key}) FROM {held} WHERE connection_id = :connection_id AND is_active;

-- name: in_use_and_missing!
-- Rows that are in use are not missing, unless the full reading that follows does not meet them.
UPDATE {held} SET missing_since = NULL
 WHERE connection_id = :connection_id AND is_active AND missing_since IS NOT NULL;

-- name: missing_groups
-- Groups of which a full reading brought nothing at all, though rows of them are held.
SELECT DISTINCT held.{group}::text AS name
  FROM {held} AS held
 WHERE held.connection_id = :connection_id AND held.missing_since IS NULL
   AND NOT EXISTS (SELECT FROM {stage} AS staged
                    WHERE staged.staging_id = :staging_id AND staged.{group} = held.{group})
 ORDER BY name;

-- name: deactivate
-- Rows that a full reading did not meet. Spares rows written since the reading was begun, and rows last changed before the
-- time from which it started. `by_id`: a list may be short, so only those that Xero does not have by their ids either; what is
-- part of a record that was read by id is dealt with by `deactivate_parts`. Returns how many of them were active, and how many
-- are left because Xero was not asked.
WITH asked AS (
    SELECT lower(key) AS key, bool_or(is_active) AS is_there
      FROM xero_sync.stage_seen
     WHERE staging_id = :staging_id AND read_at IS NOT NULL
     GROUP BY lower(key)
), unmet AS (
    SELECT held.id, held.is_active, NOT :by_id OR NOT coalesce(asked.is_there, parent.is_there, true) AS is_gone,
           coalesce(asked.key, parent.key) IS NOT NULL AS is_asked
      FROM {held} AS held
      LEFT JOIN asked ON asked.key = held.{key}::text
      LEFT JOIN asked AS parent ON parent.key = held.{parent_key}::text
     WHERE held.connection_id = :connection_id
       AND held.missing_since IS NULL
       AND (held.synced_at < :snapshot_at OR held.synced_at > clock_timestamp())
       AND (:since::timestamptz IS NULL OR held.xero_updated_at >= :since)
       AND NOT held.{group}::text = ANY (:missing_groups)
       AND NOT EXISTS (SELECT FROM {stage} AS staged
                        WHERE staged.staging_id = :staging_id AND staged.{key} = held.{key})
       AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS seen
                        WHERE seen.staging_id = :staging_id AND seen.read_at IS NULL
                          AND lower(seen.key) = held.{key}::text)
), updated AS (
    UPDATE {held} AS held
       SET is_active = false, missing_since = now(), synced_at = now()
      FROM unmet
     WHERE held.connection_id = :connection_id AND held.id = unmet.id AND unmet.is_gone
)
SELECT count(*) FILTER (WHERE is_gone AND is_active) AS deactivated, count(*) FILTER (WHERE NOT is_gone AND NOT is_asked) AS not_asked FROM unmet;

-- name: deactivate_parts
-- Parts that the record they belong to, read by its id, no longer has. Where a part could not be read, all are spared; that
-- Xero had no record of that id counts only where it is no longer listed either.
WITH gone AS (
    SELECT held.id, held.is_active
      FROM {held} AS held
      JOIN xero_sync.stage_seen AS whole ON lower(whole.key) = held.{parent_key}::text
     WHERE held.connection_id = :connection_id
       AND held.missing_since IS NULL
       AND (held.synced_at < :snapshot_at OR held.synced_at > clock_timestamp())
       AND whole.staging_id = :staging_id AND whole.read_at IS NOT NULL
       AND (whole.is_active OR whole.key = ANY (:gone))
       AND NOT EXISTS (SELECT FROM {stage} AS staged
                        WHERE staged.staging_id = :staging_id AND staged.{parent_key} = held.{parent_key}
                          AND (staged.{key} = held.{key} OR staged.{key} IS NULL))
), updated AS (
    UPDATE {held} AS held
       SET is_active = false, missing_since = now(), synced_at = now()
      FROM gone
     WHERE held.connection_id = :connection_id AND held.id = gone.id
)
SELECT count(*) FILTER (WHERE is_active) AS deactivated FROM gone;

-- name: unlisted
-- Records that are not in a full list, and not in Xero by their ids.
SELECT key FROM xero_sync.stage_seen AS asked
 WHERE asked.staging_id = :staging_id AND asked.read_at IS NOT NULL AND NOT asked.is_active AND :full
   AND EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL)
   AND NOT EXISTS (SELECT FROM xero_sync.stage_seen AS listed
                    WHERE listed.staging_id = :staging_id AND listed.read_at IS NULL
                      AND lower(listed.key) = lower(asked.key));
