"""How events end, as code reads it: each end has its own outcome, and the column knows all of them."""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support.pushing import Books, File, Line
from tests.support.world import World
from xero.api import errors
from xero.api.errors import XeroError
from xero.qicworks import database
from xero.qicworks.admin.retention import Retention
from xero.qicworks.runs import outcome
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status, outcome_of
from xero.qicworks.views import event_log
from xero.sync.runs.outcome import Skip
from xero.sync.runs.pruning import prune


@pytest.fixture
def books(furnished_template: str, furnished: Books, world: World) -> Books:
    return furnished.copied(world)


CHECKED = """
    SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint
     WHERE conrelid = 'xero_sync.connection_event'::regclass AND conname = %s
"""


@pytest.mark.parametrize("column", [Direction, Status, EventOutcome])
def test_the_column_has_the_values_of_its_enum(world: World, column: type[Direction | Status | EventOutcome]) -> None:
    name = column.__name__.removeprefix("Event").lower()
    [row] = world.query(CHECKED, f"connection_event_{name}_check")
    values = re.findall(r"'(\w+)'", row["definition"])
    assert sorted(values) == sorted(column), f"a new value of {column.__name__} needs a migration that allows it"


def test_each_error_of_the_api_has_an_outcome_of_its_own() -> None:
    made = {
        errors.RetryLater(1, "minute"): EventOutcome.POSTPONED,
        errors.ReconnectNeeded("", ""): EventOutcome.NEEDS_RECONNECT,
        errors.Disconnected("", ""): EventOutcome.NEEDS_RECONNECT,
        errors.NotAvailable("", ""): EventOutcome.NOT_AVAILABLE,
        errors.NotMatched("", ""): EventOutcome.UNSEALED,
        errors.Misconfigured("", ""): EventOutcome.MISCONFIGURED,
        errors.BadAnswer("", ""): EventOutcome.BAD_RESPONSE,
        errors.Refused(400): EventOutcome.REFUSED,
        errors.ConsentFailed(""): EventOutcome.CONSENT_FAILED,
    }
    direct = {one for one in errors.XeroError.__subclasses__() if one.__module__ == errors.__name__}
    assert {type(error) for error in made} == direct, f"{outcome.__file__} says nothing of the others"
    assert {error: outcome_of(error) for error in made} == made


def test_runs_and_documents_say_how_they_ended(books: Books) -> None:
    world, said = books.world, []

    def outcomes(do: Callable[[], object]) -> list[str]:
        with suppress(XeroError, Skip):
            do()
        ended = world.query("SELECT id, outcome FROM xero_sync.connection_event WHERE status <> 'running' ORDER BY id")
        new = [row["outcome"] for row in ended if row["id"] not in said]
        said.extend(row["id"] for row in ended)
        return new

    outcomes(lambda: None)
    books.add("bills")
    assert outcomes(lambda: books.push("bills")) == ["done"]
    books.add("bills", Line(columns={"account_id": None}))
    assert sorted(outcomes(lambda: books.push("bills"))) == ["failed", "partly_done"]
    assert outcomes(lambda: world.pull("tax_codes")) == ["done"]
    world.fault(path="/TaxRates", kind="429", problem="day", retry_after=9_000, times=None)
    assert outcomes(lambda: world.pull("tax_codes")) == ["postponed"]
    world.sandbox.control("DELETE", "faults")
    assert outcomes(lambda: world.main("push", "bills", "--document", "none such")) == ["unknown"]
    assert outcomes(lambda: prune(world.engine, Retention(), Origin())) == ["done"]
    assert world.event()["direction"] == "maintenance"
    world.query("UPDATE xero_sync.connection SET enabled = false WHERE id = %s", books.connection_id)
    assert outcomes(lambda: books.push("bills")) == ["switched_off"]


def test_a_document_that_was_renumbered_keeps_its_events(books: Books) -> None:
    document = books.add("invoices", Line(columns={"account_id": None}), number="R-1", files=[File()])
    books.push("invoices")
    books.edit("invoices", document, number="R-1A", push_state="draft")
    with database.session(books.world.engine) as session:
        about = session, "invoices", document, books.organisation_id
        [event] = event_log.of_document(*about, "invoice R-1A")
        assert (event["document"], event["outcome"], event["document_kind"]) == ("invoice R-1", "failed", "invoices")
        assert event_log.of_document(*about, "invoice R-1") == [event]
