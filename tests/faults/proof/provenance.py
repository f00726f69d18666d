"""Whether every row says where it comes from, and nothing is left lying about."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from tests.faults.proof.facts import Facts, Result, Row, Side
from tests.support.expected_accounting import instant
from xero.datasets.registry import DATASETS

TABLES = {table.name: table.key for dataset in DATASETS.values() for table in dataset.tables}
OVER = timedelta(seconds=1)  # a cursor is of whole seconds
UNAVAILABLE = "data set not available"


def check(facts: Facts) -> Result:
    wrong: list[str] = []
    rows: Counter[str] = Counter()
    for side in facts.sides:
        wrong += [f"{side.name}, {says}" for says in rootless(side, rows)]
        wrong += [f"{side.name}, {says}" for says in ahead(side, facts)]
    left = [(one, reason(one, facts)) for one in facts.staging]
    for one, why in left:
        if not why:
            wrong.append(
                f"the staging of {one['data_set']}, begun {one['started_at']}, is left and nothing explains it"
            )
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
        f" tables, {len(left)} stagings left ({', '.join(sorted({why or 'no reason' for _, why in left}))}),"
        f" {len(facts.rejections)} rejections ({still} of them open)",
        wrong,
    )


def reason(staging: Row, facts: Facts) -> str | None:
    """Why it is left, as the last event of its data set and connection says: Xero does not give it there."""
    pair = (staging["connection_id"], staging["data_set"])
    told = [
        one for one in facts.events if (one["connection_id"], one["data_set"]) == pair and one["direction"] == "pull"
    ]
    return UNAVAILABLE if told and (told[-1]["message"] or "").startswith(UNAVAILABLE) else None


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
    """Cursors that are past all that is here, and all that Xero has: what changes then would never be read."""
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
        versions += [
            instant(record["UpdatedDateUTC"])
            for source in data_set.sources
            for record in side.truth.get(source.envelope, ())
            if record.get("UpdatedDateUTC")
        ]
        newest = max(versions, default=cursor["high_water"])
        if cursor["high_water"] > newest + OVER:
            yield f"the cursor of {cursor['data_set']} is at {cursor['high_water']}, the newest change is of {newest}"
