-- How many calls Xero may still be sent, shared by all processes.
-- Unlogged: it remembers a minute, is written twice a call, and may be forgotten in a crash of the database.
CREATE UNLOGGED TABLE xero_sync.call_budget (
    app           text NOT NULL,            -- client id
    tenant_id     text NOT NULL,            -- an organisation; '' the app, over all of them
    calls         timestamptz[] NOT NULL DEFAULT '{}', -- the last calls: when each was answered (in flight: see grant_call)
    next_at       timestamptz,              -- the app: when its next call would be due, were they evenly spaced
    not_before    timestamptz,              -- Xero said 429: until then no one calls
    closed_by     text,                     -- which limit that was: minute, day, app, concurrent
    day_remaining integer,
    day_limit     integer,
    day_seen_at   timestamptz,              -- when Xero last told what remains of the day
    PRIMARY KEY (app, tenant_id)
) WITH (fillfactor = 50);

-- Asks to send one call now. Either grants it: `slot` (1 to p_concurrent) is locked for this session until settle_call,
-- or the session's end; or says for how many seconds (`wait`) which limit (`closed`) forbids it.
--
-- Never more than p_minute calls in any p_seconds of Xero's clock, whatever the network does: Xero counts a call somewhere
-- between its grant and its answer, so an old call gives its place free only p_seconds after its *answer*. One that is in
-- flight, or whose process died, counts as answered half of p_seconds after its grant. The app's limit is spread evenly, at
-- nine tenths of it with a twentieth at once. Rows are locked in one order: the organisation's, then the app's.
CREATE FUNCTION xero_sync.grant_call(
    p_app text, p_tenant text, p_minute integer, p_seconds float8, p_concurrent integer, p_app_limit integer, p_manual boolean,
    OUT slot integer, OUT entry integer, OUT stamp timestamptz, OUT wait float8, OUT closed text
) LANGUAGE plpgsql AS $$
DECLARE
    margin    CONSTANT interval := interval '50 milliseconds';
    probe     CONSTANT interval := interval '1 hour';
    spacing   CONSTANT float8 := p_seconds / (0.9 * p_app_limit);
    tolerance CONSTANT interval := make_interval(secs => spacing * (greatest(1, p_app_limit / 20) - 1));
    own       xero_sync.call_budget;
    whole     xero_sync.call_budget;
    free_at   timestamptz := '-infinity';
    moment    timestamptz;
BEGIN
    FOR candidate IN 1 .. p_concurrent LOOP
        IF pg_try_advisory_lock(xero_sync.call_slot(p_app, p_tenant, candidate)) THEN
            slot := candidate;
            EXIT;
        END IF;
    END LOOP;
    IF slot IS NULL THEN
        wait := 0.015 + 0.015 * random();
        closed := 'concurrent';
        RETURN;
    END IF;

    own := xero_sync.locked_budget(p_app, p_tenant);
    moment := clock_timestamp();
    IF cardinality(own.calls) <> p_minute THEN
        own.calls := ARRAY(SELECT at FROM (SELECT unnest(own.calls) AS at
                                           UNION ALL SELECT '-infinity' FROM generate_series(1, p_minute)) AS call
                            ORDER BY at DESC LIMIT p_minute);
    END IF;
    SELECT place INTO entry FROM generate_subscripts(own.calls, 1) AS place ORDER BY own.calls[place] LIMIT 1;

    IF own.not_before > moment THEN
        free_at := own.not_before;
        closed := own.closed_by;
    ELSIF NOT p_manual AND own.day_remaining <= own.day_limit / 10 AND own.day_seen_at + probe > moment THEN
        free_at := own.day_seen_at + probe;  -- then one call may look whether a new day has begun
        closed := 'day';
    ELSIF own.calls[entry] + make_interval(secs => p_seconds) + margin > moment THEN
        free_at := own.calls[entry] + make_interval(secs => p_seconds) + margin;
        closed := 'minute';
    ELSE
        whole := xero_sync.locked_budget(p_app, '');
        moment := clock_timestamp();
        IF whole.not_before > moment OR whole.next_at - tolerance > moment THEN
            free_at := greatest(whole.not_before, whole.next_at - tolerance);
            closed := 'app';
        END IF;
    END IF;
    IF closed IS NOT NULL THEN
        PERFORM pg_advisory_unlock(xero_sync.call_slot(p_app, p_tenant, slot));
        slot := NULL;
        wait := extract(epoch FROM free_at - moment);
        RETURN;
    END IF;

    stamp := moment + make_interval(secs => p_seconds / 2);
    own.calls[entry] := stamp;
    UPDATE xero_sync.call_budget
       SET calls = own.calls,
           day_seen_at = CASE WHEN day_remaining <= day_limit / 10 AND NOT p_manual THEN moment ELSE day_seen_at END
     WHERE app = p_app AND tenant_id = p_tenant;
    UPDATE xero_sync.call_budget
       SET next_at = greatest(next_at, moment) + make_interval(secs => spacing)
     WHERE app = p_app AND tenant_id = '';
END $$;

-- The call is over: frees its slot, and keeps what its answer said. `p_problem`: the limit that a 429 named; `p_pause`: the
-- seconds it asks for; `p_day_remaining`: null where the answer did not say; `p_day_limit`: null where it is not known.
CREATE FUNCTION xero_sync.settle_call(
    p_app text, p_tenant text, p_slot integer, p_entry integer, p_stamp timestamptz,
    p_day_remaining integer, p_day_limit integer, p_problem text, p_pause float8
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own    xero_sync.call_budget := xero_sync.locked_budget(p_app, p_tenant);
    moment CONSTANT timestamptz := clock_timestamp();
    opens  CONSTANT timestamptz := moment + make_interval(secs => p_pause);
BEGIN
    IF own.calls[p_entry] = p_stamp THEN  -- else it took so long that another call has its place
        own.calls[p_entry] := moment;
    END IF;
    IF p_day_remaining IS NOT NULL THEN
        own.day_remaining := p_day_remaining;
        own.day_limit := coalesce(p_day_limit, greatest(own.day_limit, CASE WHEN p_day_remaining > 1000 THEN 5000 ELSE 1000 END));
        own.day_seen_at := moment;
    END IF;
    IF p_problem <> 'app' AND opens > coalesce(own.not_before, '-infinity') THEN
        own.not_before := opens;
        own.closed_by := p_problem;
    END IF;
    UPDATE xero_sync.call_budget
       SET calls = own.calls, day_remaining = own.day_remaining, day_limit = own.day_limit, day_seen_at = own.day_seen_at,
           not_before = own.not_before, closed_by = own.closed_by
     WHERE app = p_app AND tenant_id = p_tenant;
    IF p_problem = 'app' THEN
        PERFORM xero_sync.locked_budget(p_app, '');
        UPDATE xero_sync.call_budget
           SET not_before = greatest(not_before, opens), closed_by = 'app'
         WHERE app = p_app AND tenant_id = '';
    END IF;
    PERFORM pg_advisory_unlock(xero_sync.call_slot(p_app, p_tenant, p_slot));
END $$;

-- The row of an organisation, or of the app, locked; made where there is none.
CREATE FUNCTION xero_sync.locked_budget(p_app text, p_tenant text) RETURNS xero_sync.call_budget LANGUAGE plpgsql AS $$
DECLARE
    budget xero_sync.call_budget;
BEGIN
    LOOP
        SELECT * INTO budget FROM xero_sync.call_budget WHERE app = p_app AND tenant_id = p_tenant FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO xero_sync.call_budget (app, tenant_id) VALUES (p_app, p_tenant) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN budget;
END $$;

-- The advisory lock that stands for one call in flight. A killed process's session ends, and with it its locks.
CREATE FUNCTION xero_sync.call_slot(p_app text, p_tenant text, p_slot integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended('xero call ' || p_app || ' ' || p_tenant || ' ' || p_slot, 0)
$$;
