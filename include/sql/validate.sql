-- What the rules look at. Templates: {stage} is the staging table, {held} the pulled table, {key} the column that identifies a
-- record.

-- name: frame
-- The next rows that are not held as they are: those were checked when they were loaded.
SELECT seq, {columns}
  FROM {stage} AS staged
 WHERE staging_id = :staging_id AND seq > :after
   AND NOT EXISTS (SELECT FROM {held} AS held
                    WHERE held.connection_id = :connection_id
                      AND held.{key} = staged.{key} AND held.row_hash = staged.row_hash)
 ORDER BY seq LIMIT :limit;

-- name: problems!
-- What makes a row unfit, as a JSON array of sentences; null if nothing does. Measured here, because to read all those columns
-- back would take longer than everything else. Fields are named, never values: reasons are read in logs.
array_to_json(nullif(array_remove(ARRAY[{each}], NULL), '{{}}'))::text;

-- name: unreadable!
-- Fields whose value could not be read, each with the reason where that is known.
CASE WHEN undecodable IS NOT NULL THEN (
    SELECT concat_ws('; ', string_agg(field, ', ') FILTER (WHERE about -> 'why' IS NULL) || ' cannot be read',
                     string_agg(field || ' ' || (about ->> 'why'), '; '))
      FROM jsonb_each(undecodable) AS unreadable (field, about)) END;

-- name: missing!
CASE WHEN {column} IS NULL THEN {problem} END;

-- name: too_long!
CASE WHEN length({column}) > {longest} THEN {problem} END;
