"""`make demo` on a demo that runs: it pulls again what changed, and adds or sends nothing."""

import io
from typing import Any

import pytest
from rich.console import Console

from demo import story
from demo.processes import recorded
from tests.support.stack import Stack
from xero.documents.registry import KINDS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(2400)]

TABLES = """
    SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND (table_schema = 'qicworks'
        OR table_schema = 'xero_sync' AND table_name IN ('connection', 'token', 'rejection', 'push_request'))
"""
# The second demo reads back the lines of pay that the first pushed. The balances of the day before stay, as history: it
# may become midnight somewhere between the two.
GROWING = {"qicworks.pay_template_line", "qicworks.leave_balance"}
SENT = "SELECT id, push_state, push_version, xero_id, pushed_at FROM qicworks.{} ORDER BY id"


def held(stack: Stack) -> dict[str, Any]:
    """What both sides hold, by name; and which programs run."""
    tables = {row["name"] for row in stack.query(TABLES)} - GROWING
    counts = {name: stack.query(f"SELECT count(*) AS count FROM {name}")[0]["count"] for name in tables}
    documents = {name: stack.query(SENT.format(kind.table)) for name, kind in KINDS.items()}
    assert all(counts[name] for name in ("qicworks.contact", "xero_sync.connection", "qicworks.payroll_line"))
    assert all(documents.values())
    programs = {name: recorded(stack.place, name) for name in ("airflow", "sandbox")}
    return {"QicWorks": counts, "documents": documents, "Xero": stack.sandbox("GET", "organisations"), **programs}


def test_the_demo_again_adds_and_sends_nothing(stack: Stack) -> None:
    before = held(stack)
    stack.sandbox("DELETE", "calls")
    said = io.StringIO()
    story.up(stack.place, Console(file=said, width=200))  # raises where a run failed or the two sides differ
    assert "All went well" in said.getvalue()
    assert said.getvalue().count("is already running") == len(("PostgreSQL", "the sandbox", "Airflow"))
    after = held(stack)
    grown = {name: (count, before["QicWorks"][name]) for name, count in after["QicWorks"].items()}
    assert {name: counts for name, counts in grown.items() if counts[0] != counts[1]} == {}
    assert after == before
    calls = [call for call in stack.sandbox("GET", "calls") if call["tenant"]]
    assert len(calls) > 20
    assert not [call for call in calls if call["method"] != "GET"]
