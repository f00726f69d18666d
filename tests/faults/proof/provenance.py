"""Whether every row says where it comes from, and nothing is left lying about."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from tests.faults.proof.facts import Facts, Result, Side
from xero.datasets.registry import DATASETS

TABLES = {table.name: table.key for dataset in DATASETS.values() for table in dataset.tables}
OVER = timedelta(seconds=1)  # a cursor is of whole seconds


def check(facts: Facts) -> Result:
    wrong: list[str] = []
    rows: Counter[str] = Counter()
    for side in facts.sides:
        wrong += [f"{side.name}, {says}" for says in rootless(side, rows)]
        wrong += [f"{side.name}, {says}" for says in ahead(side, facts)]
    for one in facts.staging:
        wrong.append(f"the staging of {one['data_set']}, begun {one['started_at']}, is left and nothing explains it")
    wrong += [f"{count} rows are left in {table}" for table, count in facts.staged.items() if count]
    for one in facts.rejections:
        if not one["reasons"] or not all(one["reasons"]) or one["event_id"] is None:
            wrong.append(f"the rejection of {one['table_name']} {one['key']} says no reason, or is of no event")
    if not sum(rows.values()) or not facts.cursors:
        wrong.append("no rows, or no cursors: this proves nothing")
    still = sum(one["closed_at"] is None for one in facts.rejections)
    return Result(
        "every row has its provenance",
        f"{sum(rows.values())} rows of {len(rows)} tables, {len(facts.cursors)} cursors, {len(facts.staged)} staging"
        f" tables, {len(facts.rejections)} rejections ({still} of them open)",
        wrong,
    )


def rootless(side: Side, rows: Counter[str]) -> Iterator[str]:
    for table, held in side.held.items():
        rows[table] += len(held)
        for row in held:
            name = f"{table} {row['id']}"
            if row["connection_id"] != side.connection["id"]:
                yield f"{name}: it is of the connection {row['connection_id']}"
            if row["organisation_id"] != side.connection["organisation_id"]:
                yield f"{name}: it is of another organisation"
            if row["synced_at"] is None or not row["row_hash"]:
                yield f"{name}: it does not say when or from what it was loaded"
            if not row[TABLES[table]]:
                yield f"{name}: it does not say which record of Xero's it is"


def ahead(side: Side, facts: Facts) -> Iterator[str]:
    """Cursors that are past what was loaded, or rejected: what changed in between would never be read."""
    for cursor in facts.cursors:
        data_set = DATASETS.get(cursor["data_set"].partition("/")[0].partition(":")[0])
        if cursor["connection_id"] != side.connection["id"] or cursor["high_water"] is None or data_set is None:
            continue
        versions = [
            row["xero_updated_at"]
            for table in data_set.tables
            for row in side.held.get(table.name, ())
            if row["xero_updated_at"]
        ]
        versions += [one["version"] for one in facts.rejections if one.get("version")]
        newest = max(versions, default=cursor["high_water"])
        if cursor["high_water"] > newest + OVER:
            yield f"the cursor of {cursor['data_set']} is at {cursor['high_water']}, what was loaded ends {newest}"
