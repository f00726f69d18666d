"""A page of records becomes rows as each record by itself would: an odd neighbour changes nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from xero.datasets.declaration import ColumnType
from xero.datasets.registry import DATASETS
from xero.qicworks.pull.staging import StagedRow
from xero.sync.pull.rows import READERS, Rows, source

CONTACT = DATASETS["contacts"].tables[0]
OPTIONS = DATASETS["tracking_categories"].tables[1]

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.integers(2**62, 2**70), st.text(max_size=4),
    st.just("a\x00b"), st.just("\ud800"),
    st.lists(st.integers(), max_size=1), st.dictionaries(st.just("Sales"), st.none(), max_size=1),
)  # fmt: skip
USUAL = st.fixed_dictionaries({
    "ContactID": st.uuids().map(str),
    "Name": st.text(min_size=1, max_size=8).filter(lambda text: "\x00" not in text),
    "UpdatedDateUTC": st.integers(0, 2_000_000_000_000).map(lambda ms: f"/Date({ms}+0000)/"),
    "ContactStatus": st.sampled_from(["ACTIVE", "ARCHIVED"]),
})  # fmt: skip
FIELDS = ["Name", "EmailAddress", "ContactID", "IsSupplier", "UpdatedDateUTC", "Phones", "Addresses", "PaymentTerms"]
RECORDS = st.lists(st.one_of(
    USUAL,
    st.builds(lambda usual, odd: {**usual, **odd}, USUAL, st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3)),
    ODD,
), max_size=6)  # fmt: skip


def plain(row: StagedRow) -> tuple[Any, ...]:
    """With what could not be read as data that compares."""
    return (*row[:3], row[3] and row[3].obj, *row[4:])


@given(RECORDS)
def test_as_each_by_itself(records: list[Any]) -> None:
    rows = Rows(CONTACT)
    page, without = rows.of_page(records)
    assert list(map(plain, page)) == [plain(row) for record in records for row in rows.of(record)]
    assert without == []


@given(st.lists(USUAL | st.builds(lambda usual, odd: {**usual, "EmailAddress": odd}, USUAL, ODD), max_size=4))
def test_each_value_is_what_its_reader_says(records: list[dict[str, Any]]) -> None:
    page, _ = Rows(CONTACT).of_page(records)
    assert len(page) == len(records)
    for record, (_, _, _, undecodable, *values) in zip(records, page, strict=True):
        for column, value in zip(CONTACT.columns, values, strict=True):
            try:
                expected = READERS[column.type](source(column)(record))
            except ValueError:
                assert value is None
                assert str(column.source) in undecodable.obj
            else:
                assert value == expected
                assert column.type is not ColumnType.TEXT or value is None or value.strip()


def test_what_has_no_rows_is_told() -> None:
    category = {"TrackingCategoryID": "e2f2f732-e92a-4f3a-9c4d-ee4da0182a13", "Options": []}
    option = {"TrackingOptionID": "a2f2f732-e92a-4f3a-9c4d-ee4da0182a13", "Name": "North", "Status": "ACTIVE"}
    full, broken = {**category, "Options": [option]}, {**category, "Options": [option, 7]}
    page, without = Rows(OPTIONS).of_page([category, full, broken, "no record", full])
    assert without == [category]
    assert [row[3] is None for row in page] == [True, False, False, True]
