"""When a demo counts as gone well."""

import io
from typing import Any

from rich.console import Console

from demo.report import Event, shortcomings, table


def event(
    dag_id: str = "pull_contacts", organisation: str = "Ochre & Co", status: str = "success", **more: Any
) -> Event:
    counts = dict.fromkeys(["read", "inserted", "updated", "unchanged", "deactivated", "rejected", "calls"], 0)
    return Event(dag_id, organisation, status, **{**counts, "bytes_received": 0, "message": "", **more})


def test_all_pulled_is_well() -> None:
    assert shortcomings([event(), event(organisation="Two")], ["pull_contacts"], {"Ochre & Co", "Two"}) == []


def test_a_warning_is_well() -> None:
    assert shortcomings([event(status="warning")], ["pull_contacts"], {"Ochre & Co"}) == []


def test_the_last_try_counts() -> None:
    assert shortcomings([event(status="error"), event()], ["pull_contacts"], {"Ochre & Co"}) == []
    assert shortcomings([event(), event(status="error", message="no")], ["pull_contacts"], {"Ochre & Co"}) == [
        "pull_contacts of Ochre & Co ended as error: no"
    ]


def test_who_was_left_out_is_named() -> None:
    found = shortcomings([event()], ["pull_contacts", "pull_tax_codes"], {"Ochre & Co"})
    assert found == ["pull_tax_codes did not pull Ochre & Co."]


def test_no_organisation_is_not_well() -> None:
    assert shortcomings([], ["pull_contacts"], set())


def test_the_table_shows_what_it_was_given() -> None:
    shown = io.StringIO()
    Console(width=200, file=shown).print(table([event(read=5412, message="[odd] message")]))
    assert "Ochre & Co" in shown.getvalue()
    assert "5,412" in shown.getvalue()
    assert "[odd] message" in shown.getvalue()
