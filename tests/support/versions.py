"""Earlier versions of the schema: `migrate` as it was when there were fewer migrations."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from xero.qicworks import sql

#: `0001.connections-and-events`, …, in their order.
MIGRATIONS = sorted(file.stem for file in (sql.folder() / "schema").glob("*.sql"))


@contextmanager
def as_of(last: str) -> Iterator[None]:
    """As if the migration `last` were the newest one."""
    assert last in MIGRATIONS
    schema = sql.folder() / "schema"
    with tempfile.TemporaryDirectory() as folder:
        for other in sql.folder().iterdir():
            if other != schema:
                (Path(folder) / other.name).symlink_to(other)
        (Path(folder) / "schema").mkdir()
        for name in MIGRATIONS[: MIGRATIONS.index(last) + 1]:
            (Path(folder) / "schema" / f"{name}.sql").symlink_to(schema / f"{name}.sql")
        with mock.patch.object(sql, "folder", return_value=Path(folder)):
            yield
