"""A day's invoices to new and known customers, in one run: each new customer is in Xero once, whatever happens.

`MANY_CUSTOMERS=1000` for that many invoices, `EVERY_MOMENT=1` to kill the run at each of its moments.
"""

import os
from functools import partial
from itertools import count
from math import ceil
from typing import Any

import pytest

from tests.support.killing import (
    SKIPPED,
    Forked,
    assert_interrupted,
    kill_at,
    moments,
    of_writes,
    running,
    spread,
)
from tests.support.own_contacts import OwnBooks
from tests.support.pushing import ISSUED
from tests.support.troubles import BEYOND, TROUBLES, lead_through

MANY = int(os.environ.get("MANY_CUSTOMERS", "150"))  # an invoice each; two of five customers are new
EVERY_MOMENT = "EVERY_MOMENT" in os.environ
PATH = r"/Contacts\?"
DAY = count(1)
#: Ready documents of the kind: as many to new customers of this name, and one to each that is in Xero already.
INVOICES = """
    WITH made AS (
        INSERT INTO qicworks.contact (organisation_id, name, email, tax_number, push_state)
        SELECT %(organisation)s, 'Customer ' || %(day)s || 'x' || nth, nth || '@day' || %(day)s || '.example', NULL,
               'ready'
          FROM generate_series(1, %(new)s) AS nth
        RETURNING id
    ), customer AS (
        SELECT id FROM made
         UNION ALL
        (SELECT id FROM qicworks.contact
          WHERE organisation_id = %(organisation)s AND is_active AND xero_id IS NOT NULL
          ORDER BY created_at, id LIMIT %(known)s)
    )
    INSERT INTO qicworks.{table} (organisation_id, number, contact_id, issue_date, due_date, sub_total, total_tax,
                                  total, push_state)
    SELECT %(organisation)s, left('{table}', 3) || %(day)s || '-' || row_number() OVER (), id, %(issued)s, %(issued)s,
           100, 10, 110, 'draft'
      FROM customer
"""
LINES = """
    INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, unit_price, account_id,
                                        tax_code_id)
    SELECT '{table}', id, 1, 'Labour', 100, %s, %s FROM qicworks.{table} AS document
     WHERE NOT EXISTS (SELECT FROM qicworks.document_line WHERE parent_id = document.id)
"""


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    own.pull_contacts()
    return own


def a_day(own: OwnBooks, new: int, known: int, table: str = "invoice") -> int:
    """Its documents, which are ready. Returns how many."""
    account, tax = ("200", "OUTPUT") if table == "invoice" else ("429", "INPUT")
    asked = {"organisation": own.organisation_id, "day": str(next(DAY)), "new": new, "known": known, "issued": ISSUED}
    with own.world.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        made: int = raw.execute(INVOICES.format(table=table), asked).rowcount
        raw.execute(LINES.format(table=table), (own.accounts[account], own.tax_codes[tax]))
        raw.execute(f"UPDATE qicworks.{table} SET push_state = 'ready' WHERE push_state = 'draft'")
        raw.commit()
    return made


def calls_for_contacts(own: OwnBooks) -> list[str]:
    """The methods of Xero's calls since they were last asked for."""
    return [one["method"] for one in own.world.calls() if one["path"].partition("?")[0].endswith("/Contacts")]


def test_one_run_and_at_most_eight_calls_for_contacts(own: OwnBooks) -> None:
    new, known = MANY * 2 // 5, MANY - MANY * 2 // 5
    missing = known - len(own.world.query("SELECT FROM qicworks.contact WHERE is_active AND xero_id IS NOT NULL"))
    if missing > 0:
        a_day(own, missing, 0)
        own.push("invoices")
        own.pull_contacts()
    assert a_day(own, new, known) == MANY
    own.world.calls()
    outcome = own.push("invoices")
    assert (outcome.counts.pushed, outcome.counts.failed, outcome.status) == (MANY, 0, "success")
    methods = calls_for_contacts(own)
    written = [method for method in methods if method != "GET"]
    assert written == ["PUT"] * ceil(new / 50), "eight for four hundred"
    assert len(methods) - len(written) <= len(written), "a look-up before each: of what has changed"
    own.assert_contacts_once()
    own.assert_once("invoices")
    own.pull_contacts(full=True)
    assert own.push("invoices").counts.calls == own.push("contacts").counts.calls == 0
    own.assert_contacts_once()


def test_killed_at_each_step(own: OwnBooks) -> None:
    """kill -9 at any moment of the run; the next one comes at once, or minutes later, or a pull comes between."""
    a_day(own, 2, 1)
    own.push("invoices")
    a_day(own, 2, 1)
    passed = moments(own.world, partial(own.push, "invoices"))
    assert len(of_writes(passed)) == 2 * 2, "the customers, and the invoices"
    chosen = range(1, len(passed) + 1) if EVERY_MOMENT else sorted({*of_writes(passed), *spread(len(passed), 6)})
    for place, moment in enumerate(chosen):
        a_day(own, 2, 1)
        assert kill_at(own.world, moment, partial(own.push, "invoices")), passed[moment - 1]
        left_open = running(own.world)
        if place % 3 == 0:
            own.pass_time(BEYOND)
        if place % 2 == 0:
            own.pull_contacts(full=place % 4 == 0)
        own.push("invoices")
        assert own.left("invoices") == 0, f"killed at moment {moment}: {passed[moment - 1]}"
        own.push("contacts")
        assert_interrupted(own.world, left_open)
    own.assert_contacts_once()
    own.assert_once("invoices")


def test_answers_are_lost(own: OwnBooks) -> None:
    """Of the customers' request; the run of the invoices takes them along, and brings them to an end."""
    for place, trouble in enumerate(TROUBLES.values()):
        a_day(own, 2, 1)
        lead_through(own, "invoices", trouble, beyond=place % 2 == 0, path=PATH)
        own.assert_contacts_once()
    own.assert_once("invoices")


def test_two_runs_at_once(own: OwnBooks) -> None:
    """Of invoices and bills of the same new customers: one of them sends the customers, the other leaves its documents
    ready."""
    a_day(own, 3, 1)
    a_day(own, 0, 1, "bill")
    of_invoice = "(SELECT contact_id FROM qicworks.invoice ORDER BY number LIMIT 1)"
    own.world.query(f"UPDATE qicworks.bill SET contact_id = {of_invoice}")
    with own.world.sandbox.hold(PATH, method="PUT") as wait_until_held:
        first = Forked(own.world, partial(own.push, "invoices"))
        wait_until_held()
        second, third, again = (
            Forked(own.world, partial(own.push, kind)) for kind in ("bills", "contacts", "invoices")
        )
        assert (second.join(), third.join()) == (0, SKIPPED)
        assert [row["push_state"] for row in own.rows("bills")] == ["ready"]
        assert (
            "left until their new contact is in Xero"
            in own.world.query(
                "SELECT message FROM xero_sync.connection_event WHERE data_set = 'bills' ORDER BY id DESC LIMIT 1"
            )[0]["message"]
        )
        again.join()
    assert first.join() == 0
    own.push("bills")
    own.push("invoices")
    own.assert_contacts_once()
    own.assert_once("invoices", "bills")
