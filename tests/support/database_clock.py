"""The clock of a test's own database, which stands still until the test moves it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg

# PostgreSQL looks for now() and clock_timestamp() along the search path, and in pg_catalog first only while the path
# does not name it. The defaults of columns are made anew, since they know the function itself and not its name; views
# and functions with a search path of their own keep the real clock.
STOP = """
    CREATE SCHEMA stopped;
    CREATE TABLE stopped.clock AS SELECT pg_catalog.clock_timestamp() AS at;
    CREATE FUNCTION stopped.now() RETURNS timestamptz LANGUAGE sql STABLE
        AS 'SELECT at FROM stopped.clock';
    CREATE FUNCTION stopped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS 'SELECT at FROM stopped.clock';
    CREATE TABLE stopped.defaults AS
        SELECT format('ALTER TABLE %I.%I ALTER %I SET DEFAULT %s',
                      table_schema, table_name, column_name, column_default) AS anew
          FROM information_schema.columns
         WHERE table_schema IN ('qicworks', 'xero_sync') AND column_default ~ '(now|clock_timestamp)[(]';
    DO $$ DECLARE
        path CONSTANT text := 'stopped, pg_catalog, public';
        made record;
    BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = %s', current_database(), path);
        PERFORM set_config('search_path', path, true);
        FOR made IN SELECT anew FROM stopped.defaults LOOP
            EXECUTE made.anew;
        END LOOP;
    END $$
"""


class DatabaseClock:
    """Every session that was opened since it was stopped reads it."""

    def __init__(self, session: "psycopg.Connection[tuple[datetime]]") -> None:
        self._session = session
        self._moving = threading.Lock()
        self.at = self.began = self._move(0.0)

    def advance(self, seconds: float) -> None:
        """May stand in for `time.sleep`."""
        with self._moving:
            self.at = self._move(seconds)

    def set(self, at: datetime) -> None:
        self.advance((at - self.at) / timedelta(seconds=1))

    def monotonic(self) -> float:
        """Seconds since it was stopped. May stand in for `time.monotonic`."""
        return (self.at - self.began) / timedelta(seconds=1)

    def _move(self, seconds: float) -> datetime:
        statement = "UPDATE stopped.clock SET at = at + make_interval(secs => %s) RETURNING at"
        row = self._session.execute(statement, (seconds,)).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def stopped(database_url: str) -> Iterator[DatabaseClock]:
    """Stops the clock of a database that is thrown away afterwards."""
    with psycopg.connect(database_url, autocommit=True) as session:
        session.execute(STOP.encode())
        yield DatabaseClock(session)
