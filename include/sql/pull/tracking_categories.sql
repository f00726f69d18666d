-- Tracking categories: from staging into the QicWorks tables.

-- name: merge_tracking_category^
-- Conflict policy: what was read last wins; a row that says what is held already is not written.
WITH staged AS (
    SELECT DISTINCT ON (xero_id) *
      FROM xero_sync.stage_tracking_category
     WHERE staging_id = :staging_id AND problems IS NULL
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
), changed AS (
    SELECT staged.*, held.is_active AS was_active, held.xero_id IS NULL AS is_new
      FROM staged
      LEFT JOIN qicworks.tracking_category AS held ON held.connection_id = :connection_id AND held.xero_id = staged.xero_id
     WHERE held.xero_id IS NULL
        OR ((held.row_hash <> staged.row_hash OR held.missing_since IS NOT NULL)
           AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL OR staged.xero_updated_at >= held.xero_updated_at))
), written AS (
    INSERT INTO qicworks.tracking_category (
        connection_id, organisation_id, is_active, row_hash,
        xero_id, name, status, xero_updated_at
    )
    SELECT :connection_id, :organisation_id, is_active, row_hash,
           xero_id, name, status, xero_updated_at
    FROM changed
        ON CONFLICT (connection_id, xero_id) DO UPDATE SET
           is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
           name = excluded.name, status = excluded.status, xero_updated_at = excluded.xero_updated_at
)
SELECT (SELECT count(*) FROM staged) AS read,
       count(*) FILTER (WHERE is_new) AS inserted,
       count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
       count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
  FROM changed;

-- name: merge_tracking_option^
-- Conflict policy: what was read last wins; a row that says what is held already is not written.
WITH staged AS (
    SELECT DISTINCT ON (xero_id) *
      FROM xero_sync.stage_tracking_option
     WHERE staging_id = :staging_id AND problems IS NULL
     ORDER BY xero_id, xero_updated_at DESC NULLS LAST, seq DESC
), changed AS (
    SELECT staged.*, category.id AS tracking_category_id, held.is_active AS was_active, held.xero_id IS NULL AS is_new
      FROM staged
      LEFT JOIN qicworks.tracking_category AS category
             ON category.connection_id = :connection_id AND category.xero_id = staged.category_xero_id
      LEFT JOIN qicworks.tracking_option AS held ON held.connection_id = :connection_id AND held.xero_id = staged.xero_id
     WHERE held.xero_id IS NULL
        OR ((held.row_hash <> staged.row_hash OR held.missing_since IS NOT NULL
             OR held.tracking_category_id IS DISTINCT FROM category.id)
           AND (held.xero_updated_at IS NULL OR staged.xero_updated_at IS NULL OR staged.xero_updated_at >= held.xero_updated_at))
), written AS (
    INSERT INTO qicworks.tracking_option (
        connection_id, organisation_id, is_active, row_hash, tracking_category_id,
        xero_id, category_xero_id, name, status, xero_updated_at
    )
    SELECT :connection_id, :organisation_id, is_active, row_hash, tracking_category_id,
           xero_id, category_xero_id, name, status, xero_updated_at
    FROM changed
        ON CONFLICT (connection_id, xero_id) DO UPDATE SET
           is_active = excluded.is_active, row_hash = excluded.row_hash, missing_since = NULL, synced_at = now(),
           tracking_category_id = excluded.tracking_category_id,
           category_xero_id = excluded.category_xero_id, name = excluded.name, status = excluded.status,
           xero_updated_at = excluded.xero_updated_at
)
SELECT (SELECT count(*) FROM staged) AS read,
       count(*) FILTER (WHERE is_new) AS inserted,
       count(*) FILTER (WHERE NOT is_new AND NOT (was_active AND NOT is_active)) AS updated,
       count(*) FILTER (WHERE NOT is_new AND was_active AND NOT is_active) AS deactivated
  FROM changed;
