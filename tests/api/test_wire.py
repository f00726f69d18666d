"""From JSON to types: exact, or refused in words."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xero.api import wire

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)
MOMENTS = st.integers(-62_135_510_400_000, 253_402_127_999_999).map(lambda ms: EPOCH + ms * MS)  # years 1 to 9999
OFFSETS = st.tuples(st.sampled_from("+-"), st.integers(0, 14), st.sampled_from((0, 30, 45))).map(
    lambda parts: f"{parts[0]}{parts[1]:02d}{parts[2]:02d}"
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# What JSON may write of a number with a point or an exponent: all digits, trailing zeros, either e, any sign of it.
LITERALS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,19})((\.[0-9]{1,20})([eE][+-]?[0-9]{1,2})?|[eE][+-]?[0-9]{1,2})", fullmatch=True
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def written(value: object) -> str:
    """JSON text in which every Decimal stands with all its digits."""
    if isinstance(value, Decimal):
        return str(value) if "." in str(value) or "E" in str(value) else f"{value}.0"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def holds_a_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(holds_a_float, value.values()))
    return any(map(holds_a_float, value)) if isinstance(value, list) else isinstance(value, float)


@settings(max_examples=40)
@given(JSON)
def test_json_comes_back_exactly_and_without_floats(value: object) -> None:
    read = wire.loads(written(value).encode())
    assert read == value
    assert not holds_a_float(read)


def test_a_lone_surrogate_spoils_one_text_and_not_the_page() -> None:
    page = wire.loads(rb'{"Contacts": [{"Name": "\ud800", "Balance": 10.10}, {"Name": "Fine"}]}')
    assert page["Contacts"][0]["Balance"] == Decimal("10.10")
    assert not holds_a_float(page)
    with pytest.raises(ValueError, match=r"'\\ud800' cannot be read as text"):
        wire.text(page["Contacts"][0]["Name"])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": 1', b"NaN", b'{"a": Infinity}', b'"\xff"', b"[" * 100_000], ids=range(7)
)
def test_what_is_not_json_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"the answer is not JSON|nested too deeply"):
        wire.loads(body)


@given(MOMENTS, st.none() | OFFSETS)
def test_ms_dates_are_moments_whatever_their_offset_says(moment: datetime, offset: str | None) -> None:
    ms = (moment - EPOCH) // MS
    assert wire.instant(f"/Date({ms}{offset or ''})/") == moment
    assert wire.date(f"/Date({ms}{offset or ''})/") == moment.date()


@given(MOMENTS)
def test_iso_without_a_zone_is_utc(moment: datetime) -> None:
    assert wire.instant(moment.replace(tzinfo=None).isoformat()) == moment
    assert wire.instant(moment.isoformat()) == moment
    assert wire.date(moment.replace(tzinfo=None).isoformat()) == moment.date()


@given(MOMENTS, ZONES)
def test_iso_with_an_offset_is_the_moment_it_names(moment: datetime, zone: timezone) -> None:
    """Unlike `/Date(ms+hhmm)/` it counts in its zone; the date is the UTC day, which may be the one before or after."""
    local = moment.astimezone(zone)
    for said in (
        local.isoformat(),
        local.isoformat(" "),
        local.strftime("%Y").zfill(4) + local.strftime("-%m-%dT%T.%f%z"),
    ):
        read = wire.instant(said)
        assert read == moment
        assert read is not None
        assert read.utcoffset() == timedelta(0)
        assert wire.date(said) == moment.date()


@given(st.dates())
def test_a_date_comes_back_however_it_is_written(day: date) -> None:
    ms = (datetime(day.year, day.month, day.day, tzinfo=UTC) - EPOCH) // MS
    for said in (
        day.isoformat(),
        f"{day.isoformat()}T00:00:00",
        f"/Date({ms})/",
        f"/Date({ms}+1100)/",
        f"/Date({ms}-0330)/",
    ):
        assert wire.date(said) == day


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("/Date(-86400000-0330)/", datetime(1969, 12, 31, tzinfo=UTC)),
        ("/Date(1735650000000+1100)/", datetime(2024, 12, 31, 13, tzinfo=UTC)),
        ("2024-06-30T23:30:00-03:30", datetime(2024, 7, 1, 3, tzinfo=UTC)),
        ("2020-08-24T20:16:14.6198711", datetime(2020, 8, 24, 20, 16, 14, 619871, UTC)),
        ("2024-01-31T00:00:00+10:30", datetime(2024, 1, 30, 13, 30, tzinfo=UTC)),
        ("2024-01-31T00:00:00Z", datetime(2024, 1, 31, tzinfo=UTC)),
        ("2024-01-31", datetime(2024, 1, 31, tzinfo=UTC)),
        ("/Date(-62135596800000)/", datetime(1, 1, 1, tzinfo=UTC)),
        ("/Date(-1)/", datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)),
    ],
)
def test_instants_by_example(said: str, meant: datetime) -> None:
    read = wire.instant(said)
    assert read == meant
    assert read is not None
    assert read.utcoffset() == timedelta(0)


def test_a_date_is_the_day_it_names() -> None:
    assert wire.date("2024-02-29") == date(2024, 2, 29)


@pytest.mark.parametrize(
    "said",
    ["/Date(9999999999999999)/", "/Date(x)/", "/Date(1) /", "2024-13-01", "2023-02-29", "20240131", "2024-W05-1",
     "yesterday", 5, True, "٢٠٢٤-٠١-٠١", "0001-01-01T00:00:00+14:00", "2024-01-31T25:00:00"],
)  # fmt: skip
def test_undecodable_dates_say_so(said: object) -> None:
    for reader in (wire.instant, wire.date):
        with pytest.raises(ValueError, match="cannot be read as a date"):
            reader(said)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e20"), max_value=Decimal("1e20"), places=4)
)
def test_numbers_are_exact_from_numbers_and_from_text(exact: Decimal) -> None:
    assert wire.number(exact) == exact
    assert wire.number(str(exact)) == exact


@given(LITERALS)
def test_a_number_keeps_every_digit_on_its_way_from_the_json(literal: str) -> None:
    """As a number and as text, with its trailing zeros, and nothing rounded to what a float could hold."""
    from_number, from_text = wire.loads(f'[{literal}, "{literal}"]'.encode())
    exact = Decimal(literal)
    if abs(exact.adjusted()) > 40 or exact.as_tuple().exponent < -40:  # type: ignore[operator]
        for said in (from_number, from_text):
            with pytest.raises(ValueError, match="cannot be read as a number"):
                wire.number(said)
        return
    for said in (from_number, from_text):
        read = wire.number(said)
        assert read is not None
        assert read.as_tuple() == exact.as_tuple()
        assert wire.number(str(read)) == read


@given(st.integers(-(2**128) + 1, 2**128 - 1))
def test_whole_numbers_of_any_length_are_exact(whole: int) -> None:
    [from_number, from_text] = wire.loads(f'[{whole}, "{whole}"]'.encode())
    assert wire.number(from_number) == wire.number(from_text) == Decimal(whole)


@pytest.mark.parametrize(
    "said",
    ["NaN", "Infinity", "-inf", "1_000", "1,000.00", " 1", "1e999999999", "٣", "0x10", True, False, 1.5, [], {},
     Decimal("NaN"), Decimal("Infinity"), Decimal("1e99999"), Decimal("1e-99999"), 10**200],
)  # fmt: skip
def test_what_is_no_amount_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="cannot be read as a number"):
        wire.number(said)


@given(st.uuids())
def test_ids(id: UUID) -> None:
    assert wire.uuid(str(id)) == wire.uuid(str(id).upper()) == id


@pytest.mark.parametrize("said", ["{00000000-0000-0000-0000-000000000000}", "abc", 7, "0" * 32])
def test_what_is_no_id_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="cannot be read as an id"):
        wire.uuid(said)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_text_arrives_unchanged(said: str) -> None:
    assert wire.text(said) == said


@pytest.mark.parametrize("said", ["a\x00b", "\udfff", 5, True, []])
def test_what_postgres_cannot_hold_is_no_text(said: object) -> None:
    with pytest.raises(ValueError, match="cannot be read as text"):
        wire.text(said)


def test_true_and_false_and_nothing_else() -> None:
    assert [wire.boolean(said) for said in (True, False, "true", "FALSE")] == [True, False, True, False]
    for said in (0, 1, "yes"):
        with pytest.raises(ValueError, match="cannot be read as true or false"):
            wire.boolean(said)


def test_nothing_is_none_everywhere() -> None:
    for reader in (wire.text, wire.uuid, wire.boolean, wire.number, wire.date, wire.instant):
        assert reader(None) is None
    for reader in (wire.uuid, wire.boolean, wire.number, wire.date, wire.instant):
        assert reader("") is None
    assert wire.text("") == ""


def test_a_refusal_stays_short() -> None:
    with pytest.raises(ValueError, match="cannot be read as a number") as refusal:
        wire.number("9" * 10_000)
    assert len(str(refusal.value)) < 130


@pytest.mark.parametrize(
    ("came", "usual"),
    [
        ({"Status": "Deleted"}, {"Status": "DELETED"}),
        ({"Status": " voided "}, {"Status": "VOIDED"}),
        ({"Status": "AUTHORISED", "Type": "AccRec"}, {"Status": "AUTHORISED", "Type": "ACCREC"}),
        ({"ContactStatus": "Active"}, {"ContactStatus": "ACTIVE"}),
        (
            {"LeavePeriods": [{"LeavePeriodStatus": "Scheduled"}]},
            {"LeavePeriods": [{"LeavePeriodStatus": "SCHEDULED"}]},
        ),
        ({"LineAmountTypes": "EXCLUSIVE"}, {"LineAmountTypes": "Exclusive"}),
        ({"LineAmountTypes": "notax"}, {"LineAmountTypes": "NoTax"}),
        ({"LineAmountTypes": "else"}, {"LineAmountTypes": "else"}),
        ({"Payments": [{"Invoice": {"Type": "accpay"}}]}, {"Payments": [{"Invoice": {"Type": "ACCPAY"}}]}),
        ({"Status": None, "Type": 1, "Class": []}, {"Status": None, "Type": 1, "Class": []}),
        ({"Name": "Deleted", "Description": "voided"}, {"Name": "Deleted", "Description": "voided"}),
        ([[{"Status": "paid"}], "paid"], [[{"Status": "PAID"}], "paid"]),
        ("paid", "paid"),
    ],
)
def test_enums_are_spelled_as_usual_wherever_they_are(came: object, usual: object) -> None:
    assert wire.may_be_unusual(written(came).encode()) or came == usual
    assert wire.with_usual_enums(came) == usual


@settings(max_examples=40)
@given(JSON)
def test_all_but_enums_stays_as_it_came(value: object) -> None:
    text = written(value)
    assert wire.with_usual_enums(wire.loads(text.encode())) == wire.with_usual_enums(value) == wire.loads(text.encode())
