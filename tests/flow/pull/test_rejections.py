"""A bad row is kept aside with the reason, the rest loads, and a version that is good closes the matter."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.support.reconciling import compare
from tests.support.world import World
from xero.api.errors import XeroError
from xero.datasets.contacts import CONTACT, CONTACTS
from xero.sync.pull import validate
from xero.sync.pull.flow import PullFailed, Skip

BAD: list[tuple[dict[str, Any], str]] = [
    ({"Name": None}, "Name is missing"),
    ({"Name": " "}, "Name is missing"),
    ({"Name": "x" * 300}, "longer than 255"),
    ({"Name": 10**25}, "cannot be read"),
    ({"Name": "nul \u0000 nul"}, "cannot be read"),
    ({"UpdatedDateUTC": "/Date(yesterday)/"}, "cannot be read"),
    ({"IsCustomer": "perhaps"}, "cannot be read"),
    ({"Phones": "none"}, "cannot be read"),
    ({"PaymentTerms": {"Sales": {"Day": "123456"}}}, "more than 4 digits before the point"),
]


def last_success(world: World) -> list[tuple[str, bool]]:
    """Of contacts: how the last run ended, and whether it counts as the last success."""
    found = world.query(
        "SELECT last_status, last_success_at IS NOT DISTINCT FROM last_ended_at AS counts FROM xero_sync.standing"
        " WHERE direction = 'pull' AND data_set = 'contacts'"
    )
    return [(row["last_status"], row["counts"]) for row in found]


@pytest.mark.parametrize("damage", [{"Name": None}, {"ContactStatus": "UNHEARD_OF"}], ids=["rejected", "odd"])
def test_a_load_with_a_warning_is_a_success(world: World, damage: dict[str, Any]) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 60})
    world.connect()
    contact = world.sandbox.truth("Contacts")[3]["ContactID"]
    world.sandbox.change("Contacts", contact, **damage)
    assert world.pull("contacts").status == "warning"
    assert last_success(world) == [("warning", True)]
    # What did no work does not count: a difference that reconcile finds, a run of which nothing was loaded.
    world.query("DELETE FROM qicworks.contact WHERE ctid = (SELECT min(ctid) FROM qicworks.contact)")
    assert compare(world).status == "warning"
    assert last_success(world) == [("warning", False)]
    world.fault(kind="429", path="/api.xro/2.0/Contacts", times=None, retry_after=4000)
    with pytest.raises(Skip):
        world.pull("contacts")
    assert last_success(world) == [("warning", False)]


UNKNOWN_STATUS = "status is none of ACTIVE, ARCHIVED, GDPRREQUEST: loaded as inactive"


def open_rejections(world: World) -> list[dict[str, Any]]:
    return world.query("SELECT * FROM xero_sync.rejection WHERE closed_at IS NULL")


def test_a_bad_row_is_kept_aside_until_it_is_mended(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 60})
    world.connect()
    world.pull("contacts")
    contacts = world.sandbox.truth("Contacts")
    good = world.rows("contact")
    victims = {contacts[place]["ContactID"]: (contacts[place], *bad) for place, bad in enumerate(BAD, 10)}
    for key, (_, damage, _) in victims.items():
        world.sandbox.change("Contacts", key, **damage)
    other = contacts[4]["ContactID"]
    world.sandbox.change("Contacts", other, Name="Loads all the same")

    # What cannot be dated also cannot be filtered by date: read all.
    outcome = world.pull("contacts", full=True)
    assert (outcome.status, outcome.counts.rejected) == ("warning", len(BAD))
    assert world.event()["status"] == "warning"
    rejections = {rejection["key"]: rejection for rejection in open_rejections(world)}
    assert set(rejections) == set(victims)
    held = world.rows("contact")
    assert held[other]["name"] == "Loads all the same"
    for key, (_, _, reason) in victims.items():
        assert reason in " ".join(rejections[key]["reasons"])
        assert re.search(rf"rejected: contact {key}: .*{reason}", caplog.text), "the log names it and says why"
        assert held[key]["row_version"] == good[key]["row_version"], "the last good version stays"

    assert not any(value in caplog.text for value in ("perhaps", "yesterday", "nul nul", "xxx")), (
        "but not what it holds"
    )
    assert "Name is missing (" in world.event()["message"]

    # Still bad in the next run, and still open.
    assert world.pull("contacts").counts.rejected == len(BAD)
    assert len(open_rejections(world)) == len(BAD)

    for key, (contact, damage, _) in victims.items():
        world.sandbox.change(
            "Contacts", key, **{name: contact.get(name) for name in damage if name != "UpdatedDateUTC"}
        )
    outcome = world.pull("contacts")
    assert (outcome.status, outcome.counts.rejected) == ("success", 0), outcome.message
    assert open_rejections(world) == []
    closed = world.query("SELECT 1 AS one FROM xero_sync.rejection WHERE closed_by = %s", world.event()["id"])
    assert len(closed) == len(BAD)


def test_each_frame_is_checked_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after another one of the same table, and while another thread checks the same table."""
    everywhere = range(len(world.names()))
    world.sandbox.reset(contacts=dict.fromkeys(world.names(), 40))
    world.connect()
    monkeypatch.setattr(validate, "ROWS_PER_FRAME", 7)
    wrong: dict[str, list[str]] = {}
    for organisation in everywhere:
        contacts = f"organisations/{world.sandbox.tenant(organisation)}/Contacts"
        some = [contact["ContactID"] for contact in world.sandbox.truth("Contacts", organisation)][organisation::5]
        for place, key in enumerate(some):
            damage, says = (
                ({"Name": None}, "Name is missing") if place % 2 else ({"Phones": "?"}, "phone cannot be read")
            )
            world.sandbox.control("PATCH", f"{contacts}/{key}", damage)
            wrong[key] = [says]
    with ThreadPoolExecutor(len(everywhere)) as threads:
        outcomes = list(threads.map(lambda organisation: world.pull("contacts", organisation), everywhere))
    assert sum(outcome.counts.rejected for outcome in outcomes) == len(wrong) == 24
    assert {row["key"]: row["reasons"] for row in open_rejections(world)} == wrong


UNREADABLE: list[dict[str, Any]] = [
    {"Name": "Bad\x00Name"},
    {"Name": {"a": 1}},
    {"Name": ["list"]},
    {"Name": "half \ud800 a pair"},
    {"Phones": [None]},
    {"Addresses": ["x"]},
    {"PaymentTerms": "x"},
    {"AccountNumber": 12.5},
]


def test_what_could_not_be_read_is_never_replaced_by_its_description(world: World) -> None:
    world.pull("contacts")
    good = world.rows("contact")
    other, *contacts = (contact["ContactID"] for contact in world.sandbox.truth("Contacts"))
    bad = dict(zip(contacts, UNREADABLE, strict=False))
    assert len(bad) == len(UNREADABLE)
    for key, damage in bad.items():
        world.sandbox.change("Contacts", key, **damage)
    assert world.pull("contacts").counts.rejected == len(bad)
    # Some other contact changes later: the bad ones are out of what is asked for, and only tried again.
    world.sandbox.control("PUT", "clock", {"offset_seconds": 600})
    world.sandbox.change("Contacts", other, Name="Changed ten minutes later")
    for _ in range(3):
        outcome = world.pull("contacts")
        counts = outcome.counts
        assert (outcome.status, counts.rejected, counts.read) == ("warning", len(bad), len(bad) + 1)
    held = world.rows("contact")
    for key, damage in bad.items():
        assert held[key] == good[key], damage
    assert {row["key"] for row in open_rejections(world)} == bad.keys()


def test_no_status_at_all_is_told_like_an_unknown_one(world: World) -> None:
    key = world.sandbox.truth("Contacts")[0]["ContactID"]
    world.sandbox.change("Contacts", key, ContactStatus=None)
    outcome = world.pull("contacts")
    assert outcome.status == "warning"
    assert UNKNOWN_STATUS in outcome.message
    assert world.rows("contact")[key]["is_active"] is False


def test_an_id_of_zeros_is_none(world: World) -> None:
    contact = next(row for row in world.sandbox.truth("Contacts") if row["ContactStatus"] == "ACTIVE")
    world.sandbox.change("Contacts", contact["ContactID"], MergedToContactID="00000000-0000-0000-0000-000000000000")
    world.pull("contacts")
    held = world.rows("contact")[contact["ContactID"]]
    assert (held["is_active"], held["merged_to_xero_id"]) == (True, None)


def test_a_row_without_an_id_is_told_and_takes_nothing_away(world: World) -> None:
    world.pull("tracking_categories")
    before = world.rows("tracking_option")
    category = world.sandbox.truth("TrackingCategories")[0]
    nameless = [{**category["Options"][0], "TrackingOptionID": None}, *category["Options"][1:]]
    world.sandbox.change("TrackingCategories", category["TrackingCategoryID"], Options=nameless)
    outcome = world.pull("tracking_categories")
    assert (outcome.status, outcome.counts.rejected, outcome.counts.deactivated) == ("warning", 1, 0)
    assert world.rows("tracking_option") == before
    [rejection] = open_rejections(world)
    assert rejection["key"].startswith("row ")


def test_what_a_changed_rule_allows_loads_without_being_sent_again(world: World) -> None:
    """At first names are held to ten characters."""
    strict_table = replace(
        CONTACT,
        columns=tuple(
            replace(column, max_length=10) if column.name == "name" else column for column in CONTACT.columns
        ),
    )
    strict = replace(CONTACTS, sources=(replace(CONTACTS.sources[0], tables=(strict_table,)),), rejected_share=1.0)
    long_names = sum(len(contact["Name"]) > 10 for contact in world.sandbox.truth("Contacts"))
    assert world.pull_declared(strict).counts.rejected == long_names > 0
    world.calls()
    outcome = world.pull("contacts")
    assert (outcome.status, outcome.counts.inserted) == ("success", long_names)
    assert len(world.calls()) == 1
    assert open_rejections(world) == []
    assert set(world.rows("contact")) == {row["ContactID"] for row in world.sandbox.truth("Contacts")}


def test_what_is_only_odd_loads_with_a_warning(world: World) -> None:
    mail, status = (row["ContactID"] for row in world.sandbox.truth("Contacts")[:2])
    world.sandbox.change("Contacts", mail, EmailAddress="not an address")
    world.sandbox.change("Contacts", status, ContactStatus="HIBERNATING")
    outcome = world.pull("contacts")
    assert (outcome.status, outcome.counts.rejected) == ("warning", 0)
    assert "the email address looks wrong" in outcome.message
    assert UNKNOWN_STATUS in outcome.message
    held = world.rows("contact")
    assert held[mail]["email"] == "not an address"
    assert (held[status]["status"], held[status]["is_active"]) == ("HIBERNATING", False)


def test_too_many_bad_rows_and_nothing_is_loaded(world: World) -> None:
    contacts = world.sandbox.truth("Contacts")
    for contact in contacts[: len(contacts) // 2]:
        world.sandbox.change("Contacts", contact["ContactID"], Name=None)
    for _ in range(2):
        with pytest.raises(PullFailed, match="have problems, so nothing was loaded"):
            world.pull("contacts")
    assert world.rows("contact") == {}
    assert len(open_rejections(world)) == len(contacts) // 2
    event = world.event()
    assert (event["status"], event["rejected"]) == ("error", len(contacts) // 2)
    assert "--force" in event["correction"]
    for contact in contacts[: len(contacts) // 2]:
        world.sandbox.change("Contacts", contact["ContactID"], Name=contact["Name"])
    assert world.pull("contacts").status == "success"
    assert open_rejections(world) == []


def test_a_full_reading_that_suddenly_brings_nothing_is_not_believed(world: World) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 500})
    world.connect()
    nameless = world.sandbox.truth("Contacts")[0]["ContactID"]
    world.sandbox.change("Contacts", nameless, Name=None)
    world.pull("contacts")
    before = world.rows("contact")
    for contact in world.sandbox.truth("Contacts"):
        world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/Contacts/{contact['ContactID']}")
    with pytest.raises(PullFailed, match="only 0 of 499 known contact records"):
        world.pull("contacts", full=True)
    assert [rejection["key"] for rejection in open_rejections(world)] == [nameless], "nothing loaded, nothing settled"
    assert world.rows("contact") == before
    assert (world.event()["status"], "--force" in world.event()["correction"]) == ("error", True)
    assert world.pull("contacts", full=True, force=True).counts.deactivated > 0


def test_what_is_no_answer_is_no_empty_answer(world: World) -> None:
    world.pull("tax_codes")
    before = world.rows("tax_code")
    for kind in ("malformed", "truncate", "html", "empty"):
        world.fault(path="TaxRates", kind=kind, times=99)
        with pytest.raises(XeroError):
            world.pull("tax_codes")
        world.sandbox.control("DELETE", "faults")
        assert world.rows("tax_code") == before, kind
        event = world.event()
        assert (event["status"], bool(event["correction"])) == ("error", True), kind
