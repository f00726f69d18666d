"""`python -m xero settings`: what is shown, changed and compared, and the exit code that scripts rely on."""

import json

import pytest

from tests.support.world import World
from xero.qicworks.connect.settings import SETTINGS


def lines_of(world: World, *arguments: str, code: int = 0) -> list[list[str]]:
    done = world.main("settings", *arguments)
    assert done.returncode == code, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_settings_are_shown_and_changed_with_an_event(world: World) -> None:
    names = world.names()
    head, *rows = lines_of(world, "get", "conflicts")
    assert head == ["QicWorks organisation", "setting", "value", "changed by", "changed at (UTC)"]
    assert sorted(rows) == sorted([name, "conflicts", "ask", "", ""] for name in names)
    assert len(lines_of(world, "get", "--connection", names[0])) == 1 + len(SETTINGS)
    before = len(world.query("SELECT * FROM xero_sync.connection_event"))
    assert lines_of(world, "set", "conflicts=xero", "night_hour=4", "--connection", names[1]) == [
        ["conflicts is xero"],
        ["night_hour is 4"],
    ]
    shown = {row[0]: row[2] for row in lines_of(world, "get", "conflicts")[1:]}
    assert shown == {name: "xero" if name == names[1] else "ask" for name in names}
    event = world.event()
    assert (event["direction"], event["data_set"], event["status"]) == ("connect", "connection", "success")
    assert str(event["connection_id"]) == world.connection_id(1)
    assert "(command line): conflicts from ask to xero, night_hour from 2 to 4" in event["message"]
    lines_of(world, "set", "conflicts=xero", "--connection", names[1])
    assert len(world.query("SELECT * FROM xero_sync.connection_event")) == before + 1, "nothing changed the second time"
    [found] = json.loads(world.main("settings", "get", "--json", "--connection", names[1]).stdout)
    assert found["connection_id"] == world.connection_id(1)
    assert list(found["settings"]) == list(SETTINGS)
    assert found["settings"]["night_hour"]["value"] == "4"
    assert found["settings"]["invoices.status"] == {
        "value": "DRAFT",
        "shown": "DRAFT",
        "changed_by": None,
        "changed_at": None,
    }


def test_a_setting_that_no_longer_fits_is_listed_with_exit_code_1(world: World) -> None:
    name = world.names()[0]
    for data_set in ("chart_of_accounts", "tax_codes"):
        world.pull(data_set)
    lines_of(world, "set", "bills.account=429", "bills.tax_code=INPUT", "--connection", name)
    assert lines_of(world, "validate", "--connection", name) == [["all settings of 1 organisations fit"]]
    world.query("UPDATE qicworks.account SET is_active = false WHERE code = '429'")
    [_, row] = lines_of(world, "validate", code=1)
    assert row[:2] == [name, "bills.account"]
    assert row[2].endswith("is archived or deleted in Xero")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set", "conflicts", "--connection", "{}"), "'conflicts' is not NAME=VALUE"),
        (("set", "conflicts=maybe", "--connection", "{}"), "it is one of ask, qicworks, xero"),
        (("set", "colour=red", "--connection", "{}"), "there is no setting 'colour'; there is conflicts"),
        (("set", "conflicts=ask", "conflicts=xero", "--connection", "{}"), "is given twice"),
        (("set", "invoices.account=200", "--connection", "{}"), "no account '200' was pulled"),
        (("get", "colour"), "there is no setting 'colour'"),
        (("get", "--connection", "Nobody"), "no connection is called 'Nobody'"),
        (("validate", "--connection", "Nobody"), "no connection is called 'Nobody'"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_in_one_line(world: World, arguments: tuple[str, ...], says: str) -> None:
    done = world.main("settings", *(one.format(world.names()[0]) for one in arguments))
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line
    assert world.query("SELECT * FROM xero_sync.setting") == []
