"""One test for each guard of a pull: no row is lost, no old state wins, no other organisation is touched."""

from math import ceil

import pytest

from tests.support.background import in_background
from tests.support.employees import actives, change
from tests.support.expected_payroll import of
from tests.support.interrupting import locked
from tests.support.waiting import until
from tests.support.world import World

PAGE = 20


def pages(world: World) -> int:
    """How many pages of contacts were served since the last call of this."""
    return sum(call["path"].endswith("/Contacts") and call["status"] == 200 for call in world.calls())


def interrupted(records: int) -> None:
    raise KeyboardInterrupt


# -- staging


@pytest.mark.parametrize(("minutes", "resumed"), [(55, True), (61, False)])
def test_staging_older_than_an_hour_is_not_resumed(fresh: World, minutes: int, resumed: bool) -> None:
    fresh.sandbox.settings(max_page_size=PAGE)
    everything = ceil(len(fresh.sandbox.truth("Contacts")) / PAGE)
    with pytest.raises(KeyboardInterrupt):
        fresh.pull("contacts", progress=interrupted)
    fresh.query("UPDATE xero_sync.staging SET started_at = started_at - make_interval(mins => %s)", minutes)
    assert pages(fresh) == 1
    fresh.pull("contacts")
    assert pages(fresh) == everything - resumed
    assert len(fresh.rows("contact")) == len(fresh.sandbox.truth("Contacts"))


# -- deactivation


def test_a_full_pull_spares_rows_written_since_it_began(fresh: World) -> None:
    fresh.pull("contacts")
    gone = fresh.sandbox.truth("Contacts")[0]["ContactID"]
    fresh.sandbox.control("DELETE", f"organisations/{fresh.sandbox.tenant()}/Contacts/{gone}")
    with fresh.sandbox.hold("/Contacts", method="GET") as wait_until_held:
        pulling = in_background(lambda: fresh.pull("contacts", full=True))
        wait_until_held()
        fresh.query("UPDATE qicworks.contact SET synced_at = clock_timestamp() WHERE xero_id = %s", gone)
    assert pulling.result().counts.deactivated == 0
    assert fresh.rows("contact")[gone]["is_active"]
    assert fresh.pull("contacts", full=True).counts.deactivated == 1
    assert not fresh.rows("contact")[gone]["is_active"]


def test_a_part_written_since_its_record_was_requested_is_kept(fresh: World) -> None:
    fresh.pull("staff")
    employee = next(one for one in actives(fresh) if len(one["PayTemplate"]["EarningsLines"]) > 1)
    _, *left = employee["PayTemplate"]["EarningsLines"]
    change(fresh, employee, PayTemplate={**employee["PayTemplate"], "EarningsLines": left})
    with fresh.sandbox.hold("/Employees/", method="GET") as wait_until_held:
        pulling = in_background(lambda: fresh.pull("staff", full=True))
        wait_until_held()
        fresh.query("UPDATE qicworks.pay_template_line SET synced_at = clock_timestamp()")
    assert pulling.result().counts.deactivated == 0
    assert all(line["is_active"] for line in of(fresh, "pay_template_line", employee))
    assert fresh.pull("staff", full=True).counts.deactivated == 1
    assert sum(not line["is_active"] for line in of(fresh, "pay_template_line", employee)) == 1


def test_a_record_that_comes_back_unchanged_is_active_again(fresh: World) -> None:
    fresh.pull("contacts")
    contact = fresh.sandbox.truth("Contacts")[0]
    here = f"organisations/{fresh.sandbox.tenant()}/Contacts"
    fresh.sandbox.control("DELETE", f"{here}/{contact['ContactID']}")
    assert fresh.pull("contacts", full=True).counts.deactivated == 1
    fresh.sandbox.control("POST", here, contact)
    fresh.pull("contacts", full=True)
    row = fresh.rows("contact")[contact["ContactID"]]
    assert (row["is_active"], row["missing_since"]) == (contact["ContactStatus"] == "ACTIVE", None)


# -- other organisations


@pytest.mark.parametrize(("data_set", "table"), [("contacts", "contact"), ("staff", "pay_template_line")])
def test_a_full_pull_touches_no_row_of_another_organisation(fresh: World, data_set: str, table: str) -> None:
    for organisation in (0, 1):
        fresh.pull(data_set, organisation)
    before = fresh.rows(table, 1)
    assert before
    fresh.query("UPDATE qicworks.contact SET synced_at = synced_at - interval '1 day'")
    fresh.query("UPDATE qicworks.pay_template_line SET synced_at = synced_at - interval '1 day'")
    aged = fresh.rows(table, 1)
    fresh.pull(data_set, full=True)
    assert fresh.rows(table, 1) == aged


def test_a_pull_closes_no_rejection_of_another_organisation(fresh: World) -> None:
    for organisation in (0, 1):
        fresh.pull("contacts", organisation)
        fresh.query(
            "INSERT INTO xero_sync.rejection"
            " (connection_id, data_set, table_name, key, reasons, record, event_id, held_back)"
            " VALUES (%s, 'contacts', 'contact', 'once', '{bad}', '{}', %s, false)",
            *(fresh.connection_id(organisation), fresh.event()["id"]),
        )
    fresh.pull("contacts", full=True)
    still_open = fresh.query("SELECT connection_id FROM xero_sync.rejection WHERE closed_at IS NULL")
    assert [str(row["connection_id"]) for row in still_open] == [fresh.connection_id(1)]


# -- cursors


def test_a_pull_of_changes_does_not_postpone_the_next_full_one(fresh: World) -> None:
    """Else what was deleted in Xero would never be noticed."""
    fresh.pull("contacts")
    fresh.query("UPDATE xero_sync.cursor SET full_at = full_at - interval '3 days'")
    held = "SELECT full_at, completed_at FROM xero_sync.cursor WHERE data_set = 'contacts'"
    [before] = fresh.query(held)
    fresh.pull("contacts")
    [after] = fresh.query(held)
    assert (after["full_at"], after["completed_at"] > before["completed_at"]) == (before["full_at"], True)


@pytest.mark.parametrize("seconds", [30, 100])
def test_a_change_that_xero_shows_late_is_not_missed(fresh: World, seconds: int) -> None:
    """Its time stamp is older than the newest change that was read; two minutes of overlap find it."""
    fresh.pull("contacts")
    [cursor] = fresh.query("SELECT high_water FROM xero_sync.cursor WHERE data_set = 'contacts'")
    late = fresh.sandbox.truth("Contacts")[0]
    milliseconds = int((cursor["high_water"].timestamp() - seconds) * 1000)
    stamp = f"/Date({milliseconds}+0000)/"
    fresh.sandbox.change("Contacts", late["ContactID"], Name="Late", UpdatedDateUTC=stamp, _touch=False)
    fresh.pull("contacts")
    assert fresh.rows("contact")[late["ContactID"]]["name"] == "Late"


# -- two data sets at once


def test_two_loads_of_one_organisation_follow_each_other(fresh: World) -> None:
    """Two data sets may write the same tables, so even contacts wait while the load of pay codes is stopped."""
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    with locked(fresh, "qicworks.pay_code", "EXCLUSIVE") as wait_until_blocked:
        pay_codes = in_background(lambda: fresh.pull("pay_codes"))
        wait_until_blocked()
        contacts = in_background(lambda: fresh.pull("contacts"))
        until(lambda: len(fresh.query(waiting)) == 2 or contacts.done())
        assert not contacts.done(), "they were loaded beside the pay codes"
        assert fresh.rows("contact") == {}
    assert {pay_codes.result().status, contacts.result().status} == {"success"}
