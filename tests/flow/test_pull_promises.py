"""One test for each guard of a pull: no row is lost, no old state wins, no other organisation is touched."""

from math import ceil

import pytest

from tests.support.background import in_background
from tests.support.employees import actives, change
from tests.support.expected_payroll import of
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
