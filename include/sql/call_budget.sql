-- The right to call Xero, shared by all processes. See schema/0002 and 0020 for the functions.

-- name: grant_call(app, tenant, minute_limit, seconds, concurrent_limit, app_limit, manual)^
SELECT slot, entry, stamp, wait, closed, put_back
  FROM xero_sync.grant_call_by_clock(:app, :tenant, :minute_limit, :seconds, :concurrent_limit, :app_limit, :manual);

-- name: settle_call(app, tenant, slot, entry, stamp, day_remaining, day_limit, problem, pause)$
SELECT xero_sync.settle_call(:app, :tenant, :slot, :entry, :stamp, :day_remaining::integer, :day_limit::integer,
                             :problem::text, :pause::float8);
