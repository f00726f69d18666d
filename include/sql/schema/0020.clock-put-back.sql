-- depends: 0019.what-the-role-writes
-- Calls were noted by a clock that was put back since, or they by one that was ahead: nobody waits until it is there again.

-- How far ahead of the clock a budget is, beyond what its own rules can put there; null where nothing is noted yet. A call in
-- flight is noted half of p_seconds ahead, the app's next one as many places ahead as it may have at once.
CREATE OR REPLACE FUNCTION xero_sync.budget_ahead(budget xero_sync.call_budget, p_seconds float8, p_app_limit integer) RETURNS interval
LANGUAGE sql AS $$
    SELECT greatest(
               (SELECT max(at) FROM unnest(budget.calls) AS at WHERE isfinite(at)) - make_interval(secs => p_seconds / 2),
               budget.next_at - make_interval(secs => p_seconds * greatest(1, p_app_limit / 20) / (0.9 * p_app_limit)),
               budget.day_seen_at
           ) - clock_timestamp()
$$;

-- As grant_call. `put_back`: the clock was put back by at least so many seconds, and what was noted before has been moved
-- back by as much: the newest of it to now, so that no call is sent too early. Null, unless this very call has found it.
CREATE OR REPLACE FUNCTION xero_sync.grant_call_by_clock(
    p_app text, p_tenant text, p_minute integer, p_seconds float8, p_concurrent integer, p_app_limit integer, p_manual boolean,
    OUT slot integer, OUT entry integer, OUT stamp timestamptz, OUT wait float8, OUT closed text, OUT put_back float8
) LANGUAGE plpgsql AS $$
DECLARE
    unnoticed CONSTANT interval := interval '1 second';
    place     text;
    ahead     interval;
BEGIN
    IF EXISTS (SELECT FROM xero_sync.call_budget AS budget
                WHERE app = p_app AND tenant_id IN (p_tenant, '')
                  AND xero_sync.budget_ahead(budget, p_seconds, p_app_limit) > unnoticed) THEN
        FOREACH place IN ARRAY ARRAY[p_tenant, ''] LOOP  -- locked in the same order as everywhere
            ahead := xero_sync.budget_ahead(xero_sync.locked_budget(p_app, place), p_seconds, p_app_limit);
            IF ahead > unnoticed THEN
                UPDATE xero_sync.call_budget
                   SET calls = ARRAY(SELECT at - ahead FROM unnest(calls) WITH ORDINALITY AS call (at, nth) ORDER BY nth),
                       next_at = next_at - ahead, not_before = not_before - ahead, day_seen_at = day_seen_at - ahead
                 WHERE app = p_app AND tenant_id = place;
                put_back := greatest(put_back, extract(epoch FROM ahead));
            END IF;
        END LOOP;
    END IF;
    SELECT granted.slot, granted.entry, granted.stamp, granted.wait, granted.closed
      INTO slot, entry, stamp, wait, closed
      FROM xero_sync.grant_call(p_app, p_tenant, p_minute, p_seconds, p_concurrent, p_app_limit, p_manual) AS granted;
END $$;
