-- Calls to Xero and their results, by day (UTC).

-- name: by_day
-- The last days including today, also those without traffic.
SELECT day::date AS day, coalesce(sum(calls), 0)::bigint AS calls, coalesce(sum(bytes_received), 0)::bigint AS bytes_received,
       coalesce(sum(runs), 0)::bigint AS runs, coalesce(sum(failed_runs), 0)::bigint AS failed_runs
  FROM generate_series((now() AT TIME ZONE 'UTC')::date - :days::integer + 1, (now() AT TIME ZONE 'UTC')::date, interval '1 day') AS day
  LEFT JOIN (SELECT * FROM xero_sync.traffic
              WHERE traffic.day > (now() AT TIME ZONE 'UTC')::date - :days::integer
                AND (:connection_id::uuid IS NULL OR connection_id = :connection_id)
                AND (:directions::text[] IS NULL
                     OR (direction, data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
            ) AS traffic USING (day)
 GROUP BY day
 ORDER BY day;

-- name: by_data_set
SELECT direction, data_set, sum(runs)::bigint AS runs, sum(failed_runs)::bigint AS failed_runs, sum(read)::bigint AS read,
       sum(written)::bigint AS written, sum(pushed)::bigint AS pushed, sum(calls)::bigint AS calls,
       sum(bytes_received)::bigint AS bytes_received
  FROM xero_sync.traffic
 WHERE day > (now() AT TIME ZONE 'UTC')::date - :days::integer
   AND (:connection_id::uuid IS NULL OR connection_id = :connection_id)
   AND (:directions::text[] IS NULL
        OR (direction, data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
 GROUP BY direction, data_set
 ORDER BY calls DESC, direction, data_set;

-- name: by_organisation
SELECT traffic.connection_id, organisation.name AS organisation, connection.state, traffic.runs, traffic.failed_runs, traffic.read,
       traffic.written, traffic.pushed, traffic.calls, traffic.bytes_received
  FROM (SELECT connection_id, sum(runs)::bigint AS runs, sum(failed_runs)::bigint AS failed_runs, sum(read)::bigint AS read,
               sum(written)::bigint AS written, sum(pushed)::bigint AS pushed, sum(calls)::bigint AS calls,
               sum(bytes_received)::bigint AS bytes_received
          FROM xero_sync.traffic
         WHERE day > (now() AT TIME ZONE 'UTC')::date - :days::integer
           AND (:directions::text[] IS NULL
                OR (direction, data_set) IN (SELECT * FROM unnest(:directions::text[], :data_sets::text[])))
         GROUP BY connection_id) AS traffic
  JOIN xero_sync.connection ON connection.id = traffic.connection_id
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
 ORDER BY traffic.calls DESC, organisation.name
 LIMIT :limit;
