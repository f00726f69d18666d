"""What becomes of each value of a record: read as its column's type, or kept aside with what came, and no other way."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from xero.datasets.declaration import Column, ColumnType, Part, Table
from xero.qicworks.pull.rejections import Rejection
from xero.sync.pull.rows import Rows, as_received, describe, format_instant, version

ID = "11111111-2222-3333-4444-555555555555"
found_parts: list[object] = []


def first_address(record: Any) -> Any:
    found_parts.append(record["ID"])
    return next(iter(record["Addresses"]), None)


TABLE = Table(
    "thing",
    (
        Column("xero_id", "ID", ColumnType.UUID),
        Column("name", "Name"),
        Column("day", "Terms.Sales.Day", ColumnType.NUMBER),
        Column("kind", "Details.ColumnType"),
        Column("both", lambda record: record["A"] + record["B"]),
        Column("city", Part(first_address, "City")),
        Column("country", Part(first_address, "Country")),
        Column("active", "Active", ColumnType.BOOLEAN),
        Column("price", "Price", ColumnType.NUMBER, digits=(4, 2)),
        Column("since", "Since", ColumnType.DATE),
        Column("updated", "UpdatedDateUTC", ColumnType.INSTANT),
    ),
    active=lambda record: record["Status"] == "ACTIVE",
)
NAMES = [column.name for column in TABLE.columns]
GOOD: dict[str, Any] = {
    "ID": ID.upper(), "Name": " Fence ", "Terms": {"Sales": {"Day": 7}}, "A": "a", "B": "b",
    "Details": {"ColumnType": "post"},
    "Addresses": [{"City": "Perth", "Country": "Australia"}], "Active": True, "Price": Decimal("9999.99"),
    "Since": "2026-11-02", "UpdatedDateUTC": "/Date(1793577600000+0000)/", "Status": "ACTIVE",
}  # fmt: skip
READ = {
    "xero_id": UUID(ID), "name": " Fence ", "day": 7, "kind": "post", "both": "ab", "city": "Perth",
    "country": "Australia", "active": True, "price": Decimal("9999.99"), "since": date(2026, 11, 2),
    "updated": datetime(2026, 11, 2, tzinfo=UTC),
}  # fmt: skip
MADE_OF = {"shown": "what it is made of"}


def read(*records: object, table: Table = TABLE, id: str | None = None) -> list[tuple[dict[str, Any], Any, bool]]:
    """Of each row the values that are there, what could not be read, and whether it is in use."""
    found_parts.clear()
    rows, without = Rows(table).of_page(records, id)
    assert without == []
    made = []
    for row_hash, active, retried, undecodable, *values in rows:
        assert (type(row_hash), len(row_hash), retried) == (bytes, 16, False)
        there = {name: value for name, value in zip(NAMES, values, strict=True) if value is not None}
        made.append((there, undecodable and undecodable.obj, active))
    return made


def test_every_value_is_read_as_its_column_s_type() -> None:
    assert read(GOOD, GOOD) == [(READ, None, True)] * 2
    assert found_parts == [GOOD["ID"]] * 2, "a part of a record is looked for once"
    assert read({**GOOD, "Odd": 1}, {**GOOD, "Price": "x"})[0] == (READ, None, True), "an odd neighbour changes nothing"


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"ID": "00000000-0000-0000-0000-000000000000"}, ["xero_id"]),  # so .NET says that there is none
        ({"ID": None}, ["xero_id"]),
        ({"Name": " \t "}, ["name"]),
        ({"Name": ""}, ["name"]),
        ({"Terms": None}, ["day"]),
        ({"Terms": {"Sales": None}}, ["day"]),
        ({"Terms": {}}, ["day"]),
        ({"Addresses": []}, ["city", "country"]),
        ({"Addresses": [{"City": "Perth"}]}, ["country"]),
        ({"Price": None}, ["price"]),
    ],
)
def test_what_xero_does_not_say_is_nothing(fields: dict[str, Any], missing: list[str]) -> None:
    there = {name: value for name, value in READ.items() if name not in missing}
    record = {**GOOD, **fields}
    assert read(record) == [(there, None, True)]
    assert read(record, {**GOOD, "Name": 7})[0] == (there, None, True), "also where each is looked at by itself"
    del record["Name"]
    assert read(record) == [({name: value for name, value in there.items() if name != "name"}, None, True)]


@pytest.mark.parametrize(
    ("fields", "missing", "kept"),
    [
        ({"Name": 7}, ["name"], {"Name": {"sent": 7}}),
        ({"Name": "a\0b"}, ["name"], {"Name": {"shown": "a\\x00b"}}),
        ({"ID": "7"}, ["xero_id"], {"ID": {"sent": "7"}}),
        ({"Active": "perhaps"}, ["active"], {"Active": {"sent": "perhaps"}}),
        ({"Since": "soon"}, ["since"], {"Since": {"sent": "soon"}}),
        ({"Terms": {"Sales": {"Day": "x"}}}, ["day"], {"Terms.Sales.Day": {"sent": "x"}}),
        ({"Terms": {"Sales": 7}}, ["day"], {"Terms.Sales.Day": {"shown": "{'Sales': 7}"}}),
        ({"Terms": "x"}, ["day"], {"Terms.Sales.Day": {"shown": "x"}}),
        ({"Addresses": 7}, ["city", "country"], {"city": MADE_OF, "country": MADE_OF}),
        ({"A": 7}, ["both"], {"both": MADE_OF}),
        ({"A": "\0"}, ["both"], {"both": {"shown": "\\x00b"}}),
    ],
)
def test_what_cannot_be_read_is_kept_and_takes_nothing_else_along(
    fields: dict[str, Any], missing: list[str], kept: dict[str, Any]
) -> None:
    there = {name: value for name, value in READ.items() if name not in missing}
    good, odd, other = read(GOOD, {**GOOD, **fields}, GOOD)
    assert odd == (there, kept, True)
    assert good == other == (READ, None, True)


@pytest.mark.parametrize(
    ("price", "kept"),
    [
        (9999, "9999"), (-9999, "-9999"), (0, "0"), (Decimal("9999.99"), "9999.99"), (Decimal("-9999.99"), "-9999.99"),
        (Decimal("0.01"), "0.01"), (Decimal("1.500"), "1.500"), ("12.50", "12.50"),
        (Decimal("0.005"), "0.00"), (Decimal("0.015"), "0.02"), ("12.506", "12.51"), (Decimal("9999.994"), "9999.99"),
    ],
)  # fmt: skip
def test_a_number_is_kept_with_as_many_decimals_as_its_column_has(price: Any, kept: str) -> None:
    rows = Rows(TABLE)
    [row] = rows.of({**GOOD, "Price": price})
    assert (row[3], str(row[NAMES.index("price") + 4])) == (None, kept)
    said = "thing: 1 values of price have more decimals than QicWorks stores, and were rounded"
    assert rows.warnings == ([] if Decimal(price) == Decimal(kept) else [said])


@pytest.mark.parametrize("odd", [None, True, 10**9])
def test_each_value_that_was_rounded_is_counted_once(odd: Any) -> None:
    """Also on a page on which something does not fit, which is read record by record."""
    rows = Rows(TABLE)
    prices = [Decimal("0.005"), odd, Decimal("0.015"), Decimal("1")]
    for _ in range(2):
        rows.of_page([{**GOOD, "Price": price} for price in prices])
    assert rows.warnings == ["thing: 4 values of price have more decimals than QicWorks stores, and were rounded"]


@pytest.mark.parametrize(
    "price",
    [
        10000,
        -10000,
        10**30,
        Decimal(10) ** 40,
        Decimal("-1e40"),
        Decimal("10000.00"),
        Decimal("-10000"),
        Decimal("9999.995"),
        True,
        1.5,
    ],
)
def test_a_number_that_does_not_fit_its_column_is_none(price: Any) -> None:
    """However large it is: it takes no other row along."""
    (good, *_), (values, kept, _) = read(GOOD, {**GOOD, "Price": price})
    assert good == READ
    assert "price" not in values
    too_large = not isinstance(price, bool | float)
    assert kept["Price"].get("why") == ("has more than 4 digits before the point" if too_large else None)


@pytest.mark.parametrize("record", [None, 7, "x", [GOOD]])
def test_what_is_no_record_is_a_row_that_says_so(record: Any) -> None:
    assert read(record, GOOD) == [({}, {"the record": {"shown": describe(record)}}, False), (READ, None, True)]
    part = replace(TABLE, parent_key="xero_id")
    assert read(record, table=part, id=ID) == [
        ({"xero_id": UUID(ID)}, {"the record": {"shown": describe(record)}}, False)
    ], "asked for by its id, it is known by it"
    assert read(record, id=ID)[0][0] == {}
    [row] = Rows(part).of(record, ID)
    assert row[NAMES.index("xero_id") + 4] == UUID(ID)


@pytest.mark.parametrize("record", [{}, {"Status": None}, {"Status": "ARCHIVED"}])
def test_what_does_not_say_that_it_is_in_use_is_not(record: dict[str, Any]) -> None:
    kept = {name: value for name, value in GOOD.items() if name != "Status"}
    assert read({**kept, **record}) == [(READ, None, False)]
    odd = replace(TABLE, active=lambda record: record["Name"].strip)  # any truth is one
    assert read(GOOD, table=odd)[0][2] is True
    for raising in (lambda record: record.nothing, lambda record: record["Name"] + 1, lambda record: record["?"]):
        assert read(GOOD, table=replace(TABLE, active=raising))[0][2] is False


def test_rows_in_a_record_stand_in_their_order() -> None:
    nested = replace(TABLE, rows=lambda record: record["Parts"])
    first, second = {**GOOD, "Name": "1"}, {**GOOD, "Name": "2"}
    nothing: dict[str, Any] = {"Parts": []}
    rows, without = Rows(nested).of_page([{"Parts": [first, "odd", second]}, nothing, {}, {"Parts": [first]}, 7])
    assert [row[NAMES.index("name") + 4] for row in rows] == ["1", None, "2", None, "1", None]
    assert [row[3] and row[3].obj["the record"]["shown"] for row in rows] == [None, "odd", None, "{}", None, "7"]
    assert without == [nothing]
    rows, without = Rows(nested).of_page([{"Parts": [first]}, {"Parts": [second]}])
    assert ([row[NAMES.index("name") + 4] for row in rows], without) == (["1", "2"], [])


def hash_of(record: object, table: Table = TABLE) -> bytes:
    [row] = Rows(table).of(record)
    return row[0]


def test_a_row_has_changed_when_something_that_is_kept_of_it_has() -> None:
    same = hash_of(GOOD)
    assert hash_of({**GOOD, "Unknown": 1, "ID": ID}) == same
    for fields in ({"Name": "Gate"}, {"Status": "ARCHIVED"}, {"Price": Decimal("1")}, {"Name": 7}, {"Name": None}):
        assert hash_of({**GOOD, **fields}) != same
    assert hash_of({**GOOD, "Name": 7}) != hash_of({**GOOD, "Name": 8}), "of what cannot be read, too"
    beside = [hash_of({**GOOD, "Name": 7, **fields}) for fields in ({}, {"Price": 1}, {"Status": ""}, {"Active": None})]
    assert len(set(beside)) == 4, "and of what can be read beside it"
    assert hash_of({**GOOD, "Price": 5}) == hash_of({**GOOD, "Price": "5"}), "the same, however it came"
    assert len(hash_of({**GOOD, "Name": "\ud800"})) == 16


def test_of_a_person_nothing_is_kept_but_plain_values() -> None:
    person = replace(TABLE, keep_no_raw_values=True)
    said = "not kept, since it may be personal: "
    for fields, kept in (
        ({"Name": 7}, {"Name": {"sent": 7}}),
        ({"Since": "soon"}, {"Since": {"sent": "soon"}}),
        ({"Since": Decimal("1.5")}, {"Since": {"shown": "Decimal('1.5')"}}),
        ({"Name": ["secret"]}, {"Name": {"shown": f"{said}list"}}),
        ({"Terms": {"Sales": "secret"}}, {"Terms.Sales.Day": {"shown": f"{said}dict"}}),
        ({"A": "secret\0"}, {"both": {"shown": f"{said}str"}}),
    ):
        assert read({**GOOD, **fields}, table=person)[0][1] == kept
    assert read(["secret"], table=person)[0][1] == {"the record": {"shown": f"{said}list"}}


def again(record: dict[str, Any], undecodable: dict[str, Any]) -> tuple[dict[str, Any], Any, bool]:
    row_hash, active, retried, still, *values = Rows(TABLE).retry(Rejection(record, undecodable))
    assert (len(row_hash), retried) == (16, True)
    there = {name: value for name, value in zip(NAMES, values, strict=True) if value is not None}
    return there, still and still.obj, active


def test_a_rejection_is_read_once_more_as_it_was_kept() -> None:
    record = {"xero_id": ID, "name": "Fence", "price": "1.50", "is_active": True}
    there = {"xero_id": UUID(ID), "name": "Fence", "price": Decimal("1.50")}
    assert again(record, {}) == (there, None, True)
    assert again({**record, "is_active": False}, {}) == (there, None, False)
    assert again({"xero_id": ID}, {}) == ({"xero_id": UUID(ID)}, None, False)
    read_now = {"Terms.Sales.Day": {"sent": "7"}, "Since": {"sent": "2026-11-02"}}
    assert again(record, read_now) == ({**there, "day": 7, "since": date(2026, 11, 2)}, None, True)
    for kept in ({"Since": {"sent": "soon"}}, {"Since": {"shown": "2026-11-02"}}, {"both": {"shown": "x"}}):
        assert again(record, kept) == (there, kept, True)
    unreadable = {"the record": {"shown": "7"}}
    assert again(record, unreadable) == (there, unreadable, True)
    assert again({**record, "price": "x"}, {}) == (
        {"xero_id": UUID(ID), "name": "Fence"}, {"Price": {"sent": "x"}}, True,
    )  # fmt: skip


def test_what_is_kept_of_a_value_fits_the_database() -> None:
    for value in (None, True, 7, "x", "é", "x" * 1000):
        assert as_received(value) == {"sent": value}
    for value, description in (
        ("x" * 1001, "x" * 1000), ("a\0", "a\\x00"), ("\ud800", "\\ud800"), ([1], "[1]"), (1.5, "1.5"),
    ):  # fmt: skip
        assert as_received(value) == {"shown": description}
    assert describe([1] * 1000) == repr([1] * 1000)[:1000]


def test_when_a_record_was_changed() -> None:
    assert version(GOOD) == datetime(2026, 11, 2, tzinfo=UTC)
    for odd in ({**GOOD, "UpdatedDateUTC": "soon"}, {}, None, "x", {"UpdatedDateUTC": "1752-12-31T23:59:59"}):
        assert version(odd) is None
    assert version({"UpdatedDateUTC": "1753-01-01T00:00:00"}) == datetime(1753, 1, 1, tzinfo=UTC)
    brisbane = timezone(timedelta(hours=10))
    assert format_instant(datetime(2026, 11, 2, 10, 0, 5, tzinfo=brisbane)) == "2026-11-02 00:00:05 UTC"
    assert format_instant(None) == "the beginning"
