"""The overview: what needs attention, the last successful pulls, and the use of Xero's API."""

import re

import pytest

from tests.support.pages import Client
from tests.support.pushing import Books, Line
from xero.pages import overview
from xero.qicworks.views.traffic import Day


def test_it_says_what_needs_a_hand_and_what_was_asked(
    browser: Client, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, world = browser("viewer"), books.world
    books.add("invoices", Line(tax="INPUT"), number="IV-1")
    # It does not claim that what was not pushed yet is in Xero.
    calm = viewer.read("").partition("</section>")[0]
    assert "No problems found." in calm
    assert "still pending" in calm
    assert "in step" not in calm
    assert "Documents failed" not in calm
    assert books.push("invoices").counts.failed == 1
    [calls] = world.query("SELECT sum(calls) AS calls FROM xero_sync.connection_event WHERE document IS NULL")
    page = viewer.read("")
    assert re.search(r"Documents failed.*?documents\?kind=invoices[^>]*>invoices \(1\)</a>", page, re.DOTALL)
    assert f"<strong>{calls['calls']}</strong> calls" in page
    # A broken authorisation is told first, with the way out.
    world.query("UPDATE xero_sync.token SET state = 'broken', broken_reason = 'it was revoked'")
    broken = viewer.read("")
    assert broken.count(">Reconnect<") == 3
    assert broken.index("it was revoked") < broken.index("Documents failed")
    # Hundreds of them are counted, not listed.
    monkeypatch.setattr(overview, "MAX_ITEMS", 1)
    assert "and 2 more" in viewer.read("")
    # That some are switched off is somebody's decision; that all are, nothing is pulled by.
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id <> %s", books.connection_id)
    assert "All switched off" not in viewer.read("")
    world.query("UPDATE xero_sync.connection SET enabled = false")
    assert re.search(r"All switched off.*?3 organisations</a>: nothing is pulled", viewer.read(""), re.DOTALL)


@pytest.mark.parametrize("highest", [0, 1, 3, 7, 49, 180, 999, 5000, 123_456])
def test_the_chart_has_a_few_round_lines_and_no_bar_above_them(highest: int) -> None:
    day = Day(day=None, calls=highest, bytes_received=0, runs=0, failed_runs=0)  # type: ignore[arg-type]
    chart = overview.chart([day] * 30)
    values = [value for _, value in chart.lines]
    assert 2 <= len(values) <= 7
    assert values[-1] >= highest
    assert all(bar.y >= overview.TOP - 0.01 for bar in chart.bars)
    assert ({bar.height for bar in chart.bars} == {0}) == (highest == 0)
