"""Pages, filters, order, If-Modified-Since, and rows that move while they are read."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

ALL = {"includeArchived": "true"}


def milliseconds(row: dict[str, Any]) -> int:
    match = re.fullmatch(r"/Date\((\d+)\+0000\)/", row["UpdatedDateUTC"])
    assert match, row["UpdatedDateUTC"]
    return int(match[1])


def second(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def keys(rows: list[dict[str, Any]]) -> list[str]:
    return [row["ContactID"] for row in rows]


def test_pages_add_up(sandbox: Any) -> None:
    seen: list[str] = []
    for page in (1, 2, 3, 4, 5):
        body = sandbox.get("Contacts", page=page, pageSize=7, **ALL).json()
        assert body["pagination"] == {"page": page, "pageSize": 7, "pageCount": 5, "itemCount": 30}
        assert body["Status"] == "OK"
        assert re.fullmatch(r"/Date\(\d+\)/", body["DateTimeUTC"])
        seen += keys(body["Contacts"])
    assert sorted(seen) == sorted(keys(sandbox.truth("Contacts")))
    assert sandbox.get("Contacts", page=6, pageSize=7).json()["Contacts"] == []


@pytest.mark.parametrize(("asked", "given"), [("0", 1), ("-3", 1), ("5000", 1000), ("12", 12), ("", 100)])
def test_page_size_is_clamped(sandbox: Any, asked: str, given: int) -> None:
    assert sandbox.get("Contacts", page=1, pageSize=asked).json()["pagination"]["pageSize"] == given


def test_nonsense_is_refused(sandbox: Any) -> None:
    for params in ({"page": "two"}, {"where": "Name=="}, {"where": 'Name>1 AND "x"'}, {"order": "Nothing ASC"}):
        answer = sandbox.get("Contacts", **params)
        assert (answer.status_code, answer.json()["Type"]) == (400, "QueryParseException"), params
    assert sandbox.get("Contacts", since="yesterday").status_code == 412


def test_archived_only_when_asked_for(sandbox: Any) -> None:
    archived = {row["ContactID"] for row in sandbox.truth("Contacts") if row["ContactStatus"] == "ARCHIVED"}
    assert archived
    assert archived <= set(keys(sandbox.contacts()))
    assert not archived & set(keys(sandbox.contacts(includeArchived="false")))
    assert sandbox.get(f"Contacts/{min(archived)}").json()["Contacts"][0]["ContactStatus"] == "ARCHIVED"
    assert keys(sandbox.get("Contacts", IDs=min(archived)).json()["Contacts"]) == [min(archived)]


def test_unpaged_and_summary_leave_fields_out(sandbox: Any) -> None:
    paged = sandbox.contacts()
    unpaged = sandbox.get("Contacts", **ALL).json()
    assert any("MergedToContactID" in row for row in paged)
    assert len(unpaged["Contacts"]) == len(paged)
    assert "pagination" not in unpaged
    assert not any({"MergedToContactID", "SalesDefaultLineAmountType"} & set(row) for row in unpaged["Contacts"])
    summary = sandbox.get("Contacts", summaryOnly="true", **ALL).json()
    assert summary["pagination"]["pageSize"] == 100
    assert len(summary["Contacts"]) == len(paged)
    assert all("Name" in row and "Phones" not in row and "HasAttachments" not in row for row in summary["Contacts"])


def test_order(sandbox: Any) -> None:
    up = sandbox.contacts(order="UpdatedDateUTC ASC")
    assert [milliseconds(row) for row in up] == sorted(milliseconds(row) for row in up)
    assert keys(sandbox.contacts(order="UpdatedDateUTC DESC")) == keys(up)[::-1]
    names = [row["Name"].casefold() for row in sandbox.contacts(order="Name")]
    assert names == sorted(names)
    unordered = keys(sandbox.contacts())
    assert unordered != keys(up)
    sandbox.settings(sorts=False)
    assert keys(sandbox.contacts(order="UpdatedDateUTC ASC")) == unordered


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('ContactStatus=="ARCHIVED"', lambda row: row["ContactStatus"] == "ARCHIVED"),
        (
            'ContactStatus=="ACTIVE" AND IsSupplier==true',
            lambda row: row["ContactStatus"] == "ACTIVE" and row["IsSupplier"],
        ),
        ('IsSupplier=true || Name.Contains("Pty")', lambda row: row["IsSupplier"] or "Pty" in row["Name"]),
        ('(Name="NULL" OR Name.StartsWith("Rob")) && FirstName!=null', lambda row: row["Name"][:3] in ("NUL", "Rob")),
        ("UpdatedDateUTC>=DateTime(2026, 1, 31)", lambda row: milliseconds(row) >= 1_769_817_600_000),
    ],
)
def test_where(sandbox: Any, where: str, expected: Any) -> None:
    found = sandbox.contacts(where=where)
    assert 0 < len(found) < 30
    assert sorted(keys(found)) == sorted(row["ContactID"] for row in sandbox.truth("Contacts") if expected(row))


def test_modified_since_both_bounds(sandbox: Any) -> None:
    """To the second: a change at 12:00:00.500 belongs to the second 12:00:00, which one bound includes."""
    rows = sandbox.contacts(order="UpdatedDateUTC ASC")
    middle = milliseconds(rows[15])
    assert middle % 1000
    after = [row["ContactID"] for row in rows[16:]]
    assert keys(sandbox.contacts(order="UpdatedDateUTC ASC", since=second(middle))) == [rows[15]["ContactID"], *after]
    sandbox.settings(ims_bound="exclusive")
    assert keys(sandbox.contacts(order="UpdatedDateUTC ASC", since=second(middle))) == after
    sandbox.settings(filters=False)
    assert len(sandbox.contacts(since=second(middle))) == 30


def test_modified_since_on_accounts_but_not_on_the_rest(sandbox: Any) -> None:
    assert len(sandbox.get("Accounts", since="2026-06-01T00:00:00").json()["Accounts"]) < len(sandbox.truth("Accounts"))
    for plural in ("TaxRates", "TrackingCategories"):
        rows = sandbox.get(plural, since="2090-01-01T00:00:00", includeArchived="true").json()[plural]
        assert len(rows) == len(sandbox.truth(plural)) > 0
        assert "UpdatedDateUTC" not in rows[0]


def test_changes_are_stamped_in_order(sandbox: Any) -> None:
    before = max(milliseconds(row) for row in sandbox.truth("Contacts"))
    changed = [
        sandbox.change("Contacts", row["ContactID"], Name=f"Name {n}") for n, row in enumerate(sandbox.contacts())
    ]
    stamps = [milliseconds(row) for row in changed]
    assert all(later > earlier for earlier, later in zip([before, *stamps], stamps, strict=False))
    assert len(stamps) == 30
    untouched = sandbox.change("Contacts", changed[0]["ContactID"], Website="x", _touch=False)
    assert milliseconds(untouched) == stamps[0]


def test_raw_values_pass(sandbox: Any) -> None:
    key = sandbox.truth("Contacts")[0]["ContactID"]
    sandbox.change("Contacts", key, Name=None, UpdatedDateUTC="/Date(never)/", Website="\ud83d")
    (row,) = sandbox.get(f"Contacts/{key}").json()["Contacts"]
    assert (row["Name"], row["UpdatedDateUTC"], row["Website"]) == (None, "/Date(never)/", "\ud83d")
    assert sandbox.contacts(order="UpdatedDateUTC ASC")


def test_drift_moves_rows_to_the_end(sandbox: Any) -> None:
    tenant = sandbox.tenant()
    sandbox.control("PUT", "drift", {"tenant": tenant, "collection": "Contacts", "changes_per_page": 3, "total": 5})
    first = sandbox.contacts(order="UpdatedDateUTC ASC", page=1, pageSize=10)
    (drift,) = sandbox.control("GET", "drift")
    assert (len(drift["changed"]), drift["left"]) == (3, 2)
    second_read = sandbox.contacts(order="UpdatedDateUTC ASC")
    assert keys(second_read)[-3:] == drift["changed"]
    assert set(keys(first)) <= set(keys(second_read))
    (drift,) = sandbox.control("GET", "drift")
    assert drift["left"] == 0
    sandbox.contacts()
    assert sandbox.control("GET", "drift") == [drift]


def test_touch_a_share(sandbox: Any) -> None:
    before = {row["ContactID"]: row for row in sandbox.truth("Contacts")}
    touched = sandbox.control("POST", f"organisations/{sandbox.tenant()}/Contacts/touch", {"share": 0.1})["touched"]
    after = {row["ContactID"]: row for row in sandbox.truth("Contacts")}
    assert len(touched) == 3
    assert {key for key in before if before[key] != after[key]} == set(touched)
    assert all(before[key]["Name"] != after[key]["Name"] for key in touched)


def test_touched_at_once_and_still_one_after_the_other(sandbox: Any) -> None:
    path = f"organisations/{sandbox.tenant()}/Contacts/touch"
    touched = sandbox.control("POST", path, {"share": 1, "rename": False})["touched"]
    rows = {row["ContactID"]: row for row in sandbox.truth("Contacts")}
    stamps = [milliseconds(rows[key]) for key in touched]
    assert len(stamps) == 30
    assert all(later > earlier for earlier, later in pairwise(stamps))
    assert keys(sandbox.contacts(order="UpdatedDateUTC ASC")) == touched


def test_records_come_and_go(sandbox: Any) -> None:
    path = f"organisations/{sandbox.tenant()}/Contacts"
    orders = ({}, {"order": "UpdatedDateUTC ASC"}, {"order": "Name DESC"})
    assert [len(sandbox.contacts(**order)) for order in orders] == [30, 30, 30]
    new = sandbox.control("POST", path, {"Name": "New", "ContactStatus": "ACTIVE"})
    assert keys(sandbox.contacts(order="UpdatedDateUTC ASC"))[-1] == new["ContactID"]
    assert [len(sandbox.contacts(**order)) for order in orders] == [31, 31, 31]
    sandbox.control("DELETE", f"{path}/{new['ContactID']}")
    assert [len(sandbox.contacts(**order)) for order in orders] == [30, 30, 30]


def test_one_second_for_many(sandbox: Any) -> None:
    name = sandbox.organisations[0]["name"]
    sandbox.reset(contacts={name: 300}, same_second=100)
    seconds = [milliseconds(row) // 1000 for row in sandbox.truth("Contacts")]
    assert len(seconds) == 300
    assert max(seconds.count(moment) for moment in set(seconds)) == 100
    sandbox.reset(contacts={name: 300}, same_second="all")
    assert len({milliseconds(row) // 1000 for row in sandbox.truth("Contacts")}) == 1


def test_the_same_seed_gives_the_same_data(sandbox: Any) -> None:
    first = [sandbox.truth(plural) for plural in ("Contacts", "Accounts", "TaxRates", "TrackingCategories")]
    sandbox.change("Contacts", first[0][0]["ContactID"], Name="Changed")
    sandbox.reset()
    assert [sandbox.truth(plural) for plural in ("Contacts", "Accounts", "TaxRates", "TrackingCategories")] == first
    sandbox.reset(seed=2)
    assert sandbox.truth("Contacts")[0]["ContactID"] != first[0][0]["ContactID"]


def test_demo_has_firms_of_different_sizes(sandbox: Any) -> None:
    sandbox.reset(profile="demo")
    sizes = [organisation["counts"]["Contacts"] for organisation in sandbox.organisations]
    assert sizes == [5412, 483, 61]
    active = [row["Name"] for row in sandbox.truth("Contacts") if row["ContactStatus"] == "ACTIVE"]
    assert len(set(active)) == len(active) > 5000  # Xero's names are unique among the active


def test_awkward_names_are_there(sandbox: Any) -> None:
    names = {row["Name"] for row in sandbox.contacts()}
    assert {"Robert'); DROP TABLE contact;--", "🔧 Spanner Monkeys 🐨", "株式会社大阪建設"} <= names
    assert max(map(len, names)) == 255


def test_unknown_fields_change_nothing_else(sandbox: Any) -> None:
    plain = sandbox.contacts()
    sandbox.settings(unknown_fields=True, pagination_object=False)
    answer = sandbox.get("Contacts", pageSize=1000, **ALL).json()
    assert "pagination" not in answer
    strange = {row["ContactID"]: row for row in answer["Contacts"]}
    assert any(address["AddressType"] == "DRONEPAD" for address in next(iter(strange.values()))["Addresses"])
    for row in plain:
        known = [name for name in row if name not in ("Addresses", "Phones")]
        assert {name: row[name] for name in known} == {name: strange[row["ContactID"]][name] for name in known}
