"""When a demo counts as gone well."""

import io
from typing import Any

from rich.console import Console

from demo.report import PULLED, PUSHED, Event, failures, shortcomings, table


def event(
    dag_id: str = "pull_contacts", organisation: str = "Ochre & Co", status: str = "success", **more: Any
) -> Event:
    counts = dict.fromkeys({*PULLED, *PUSHED}, 0)
    return Event(
        dag_id, organisation, status, **{**counts, "document": None, "message": "", "correction": None, **more}
    )


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
    assert shortcomings([], ["pull_contacts"], set()) == ["No organisation is connected."]


def shown(drawn: Any) -> str:
    file = io.StringIO()
    Console(width=200, file=file).print(drawn)
    return file.getvalue()


def test_the_table_shows_what_it_was_given() -> None:
    said = shown(table("What was pulled", [event(read=5412, message="[odd] message", correction="do so")], PULLED))
    for part in ("Ochre & Co", "5,412", "[odd] message do so", "What was pulled"):
        assert part in said
    assert "rejected" in said
    assert "rejected" not in shown(table("What was pushed", [event(pushed=3)], PUSHED))


def test_the_same_of_several_organisations_is_said_once() -> None:
    refusal = {
        "dag_id": "push_invoices",
        "document": "invoice IV-1",
        "message": "[no] number",
        "correction": "number it",
    }
    said = shown(failures([event(**refusal), event(**refusal, organisation="Two")]))
    assert said.count("IV-1") == 1
    assert "[no] number" in said
    assert "number it" in said
