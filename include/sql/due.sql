-- Data sets that are due by the organisation's own clock: which moment was served last, and when a failed one is retried.

-- name: get_state^
-- What decides whether it is due. Without a row in `due` it was never tried.
SELECT organisation.time_zone, organisation.pay_frequency, organisation.next_pay_date, connection.first_connected_at,
       due.served_at, coalesce(due.attempts, 0) AS attempts, due.not_before,
       coalesce((SELECT value::integer FROM xero_sync.setting WHERE setting.connection_id = connection.id AND name = 'night_hour'), 2) AS night_hour
  FROM xero_sync.connection
  JOIN qicworks.organisation ON organisation.id = connection.organisation_id
  LEFT JOIN xero_sync.due ON due.connection_id = connection.id AND due.data_set = :data_set
 WHERE connection.id = :connection_id;

-- name: claim$
-- Returns true to exactly one concurrent caller. Backoff: 30 minutes, doubling, at most 6 hours.
INSERT INTO xero_sync.due AS held (connection_id, data_set, attempts, not_before)
VALUES (:connection_id, :data_set, 1, :now::timestamptz + interval '30 minutes')
    ON CONFLICT (connection_id, data_set) DO UPDATE SET
       attempts = held.attempts + 1,
       not_before = :now + least(interval '30 minutes' * 2 ^ least(held.attempts, 10), interval '6 hours')
 WHERE (held.not_before IS NULL OR held.not_before <= :now OR held.not_before > :now::timestamptz + interval '1 day')
   AND (held.served_at IS NULL OR held.served_at < :moment OR held.served_at > :now)
RETURNING true;

-- name: serve!
-- Moves forward only, also if pulls end in another order; no pull lasts a month.
INSERT INTO xero_sync.due AS held (connection_id, data_set, served_at)
VALUES (:connection_id, :data_set, :moment)
    ON CONFLICT (connection_id, data_set) DO UPDATE SET
       served_at = CASE WHEN held.served_at > :started_at::timestamptz + interval '32 days' THEN excluded.served_at
                        ELSE greatest(held.served_at, excluded.served_at) END,
       attempts = 0, not_before = NULL;
