"""What a data set owes in the database, and that a pull fills it. Each message names what is missing, and where."""

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.support.following import own_leave
from tests.support.world import World
from xero.datasets.declaration import Column, ColumnType, Dataset, Table
from xero.datasets.registry import DATASETS

TYPES = {
    ColumnType.TEXT: "text",
    ColumnType.UUID: "uuid",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.NUMBER: "numeric",
    ColumnType.DATE: "date",
    ColumnType.INSTANT: "timestamp with time zone",
}
TABLES = [(dataset, table) for dataset in DATASETS.values() for table in dataset.tables]
WHERE = "put it into a migration of include/sql/schema"

COLUMNS = """
    SELECT attrelid::regclass::text AS table, attname AS name, format_type(atttypid, atttypmod) AS type,
           attnotnull AS required, atthasdef OR attidentity <> '' AS filled
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relnamespace IN ('qicworks'::regnamespace, 'xero_sync'::regnamespace)
       AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
"""
UNIQUE = """
    SELECT indrelid::regclass::text AS table, array_agg(attname::text) AS columns
      FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
     WHERE indisunique AND indpred IS NULL
     GROUP BY indexrelid, indrelid
"""


@dataclass(frozen=True)
class Held:
    """A column as the database has it."""

    type: str
    required: bool
    filled: bool  # by the database, when nothing is given


@dataclass(frozen=True)
class Catalog:
    columns: dict[str, dict[str, Held]]  # by table
    unique: set[tuple[str, frozenset[str]]]

    def types(self, table: str) -> dict[str, str]:
        return {name: column.type for name, column in self.columns.get(table, {}).items()}


@pytest.fixture(scope="module")
def catalog(postgres_url: str, template: str) -> Catalog:
    """Read once. Nobody may stay connected to the template."""
    columns: dict[str, dict[str, Held]] = {}
    with psycopg.connect(postgres_url.rpartition("/")[0] + "/" + template) as connection:
        for table, name, *held in connection.execute(COLUMNS):
            columns.setdefault(table, {})[name] = Held(*held)
        unique = {(table, frozenset(names)) for table, names in connection.execute(UNIQUE)}
    return Catalog(columns, unique)


def strict(column: Column) -> str:
    """The type that holds all that passes, and nothing else."""
    if column.type is ColumnType.TEXT and column.max_length:
        return f"character varying({column.max_length})"
    if column.digits:
        before, after = column.digits
        return f"numeric({before + after},{after})"
    return TYPES[column.type]


def differences(name: str, wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    lacking = [f"{name} lacks {column} {type}" for column, type in wanted.items() if column not in found]
    other = [
        f"{name}.{column} is {found[column]}, not {type}"
        for column, type in wanted.items()
        if found.get(column, type) != type
    ]
    return lacking + other


@pytest.mark.parametrize(
    ("dataset", "table"), TABLES, ids=[f"{dataset.name}-{table.name}" for dataset, table in TABLES]
)
def test_its_tables_are_as_declared(catalog: Catalog, dataset: Dataset, table: Table) -> None:
    held, stage = f"qicworks.{table.name}", f"xero_sync.stage_{table.name}"
    missing = [name for name in (held, stage) if name not in catalog.columns]
    assert not missing, f"there is no table {' and no '.join(missing)}: {WHERE}"

    carried = catalog.types("xero_sync.pulled_row")
    declared = {column.name for column in table.columns}
    wrong = differences(held, carried | {column.name: strict(column) for column in table.columns}, catalog.types(held))
    optional = {column.name for column in table.columns if not column.required}
    for name, column in catalog.columns[held].items():
        if column.required and not column.filled:
            if name in optional:
                wrong.append(f"{held}.{name} is NOT NULL, but its column is not required")
            elif name not in carried and name not in declared:
                wrong.append(f"{held}.{name} is NOT NULL, but no column is declared that would fill it")
    if (held, frozenset({"connection_id", table.key})) not in catalog.unique:
        wrong.append(f"{held} lacks UNIQUE (connection_id, {table.key})")

    loose = catalog.types("xero_sync.stage_row") | {column.name: TYPES[column.type] for column in table.columns}
    wrong += differences(stage, loose, catalog.types(stage))
    for name, column in catalog.columns[stage].items():
        if name not in loose:
            wrong.append(f"{stage}.{name} is staged for nothing")
        elif name in declared and column.required:
            wrong.append(f"{stage}.{name} is NOT NULL: what is staged may be anything")
    assert not wrong, f"{'; '.join(wrong)}: mend {dataset.name}'s migration or declaration"


def push_all(world: World, organisation: int) -> None:
    """All documents of Xero are QicWorks' own, and all leave: then what becomes of them is its business."""
    truth = {name: world.sandbox.truth(name, organisation) for name in ("Invoices", "CreditNotes", "PurchaseOrders")}
    invoices = [row for row in truth["Invoices"] if row["Type"] == "ACCREC"]
    for table, side, keys in (
        ("invoice", "", [row["InvoiceID"] for row in invoices]),
        ("credit_note", "customer", [row["CreditNoteID"] for row in truth["CreditNotes"]]),
        ("purchase_order", "", [row["PurchaseOrderID"] for row in truth["PurchaseOrders"]]),
    ):
        world.query(
            f"INSERT INTO qicworks.{table}"
            f"       (organisation_id, number, push_state, xero_id, pushed_at{', side' if side else ''})"
            f" SELECT organisation_id, key, 'pushed', key::uuid, '2020-01-01'{f', $${side}$$' if side else ''}"
            "   FROM xero_sync.connection, unnest(%s::text[]) AS key WHERE id = %s",
            keys,
            world.connection_id(organisation),
        )
    own_leave(world, organisation)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_a_pull_fills_its_tables_once(world: World, dataset: Dataset) -> None:
    empty = {table.name for table in dataset.tables}
    for organisation in range(len(world.names())):
        push_all(world, organisation)
        first = world.pull(dataset.name, organisation)
        assert first.counts.rejected == 0, f"the sandbox's own {dataset.title.lower()} are rejected: {first.message}"
        again = world.pull(dataset.name, organisation)
        assert not again.changed, f"pulled twice, {dataset.name} changes what nobody changed: {again.counts}"
        empty -= {name for name in empty if rows(world, name)}
        if not empty:
            break
    assert not empty, f"no organisation of the sandbox has rows for qicworks.{', qicworks.'.join(sorted(empty))}"


def rows(world: World, table: str) -> list[dict[str, Any]]:
    return world.query(f"SELECT 1 FROM qicworks.{table} LIMIT 1")
