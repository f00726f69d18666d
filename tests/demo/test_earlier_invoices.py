"""The invoices that QicWorks has pushed before `make demo`: as Xero has them, so they do not differ."""

from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from demo.colleagues import Colleagues
from demo.earlier_invoices import GONE, is_ours, write_all
from demo.place import Place
from tests.support.world import World

PARTS = ("contacts", "chart_of_accounts", "tax_codes", "tracking_categories")
OPEN = "SELECT label, reason, ours, theirs FROM xero_sync.difference WHERE settled_at IS NULL ORDER BY label"
HELD = """
    SELECT number, push_state, xero_status, contact_id IS NOT NULL AS has_contact, paid_to_date,
           (SELECT count(*) FROM qicworks.document_line WHERE parent_id = invoice.id) AS lines
      FROM qicworks.invoice ORDER BY number
"""


def write_them(world: World, *, recreate: bool = False) -> None:
    place = Place(Path("/nowhere"), sandbox_port=int(world.sandbox.url.rpartition(":")[2]))
    with psycopg.connect(world.database_url, row_factory=dict_row) as connection, Colleagues(place) as xero:
        write_all(connection, xero, recreate=recreate)


@pytest.fixture
def pulled(world: World) -> World:
    for name in PARTS:
        assert world.pull(name).status == "success"
    return world


def void_one(world: World) -> None:
    unpaid = (one for one in world.sandbox.truth("Invoices") if is_ours(one) and one["Status"] == "AUTHORISED")
    invoice = next(one["InvoiceID"] for one in unpaid if not one["AmountPaid"] and not one["AmountCredited"])
    path = f"organisations/{world.sandbox.tenant()}/bookkeeping"
    world.sandbox.control("POST", path, {"do": "void", "invoice": invoice})


def test_they_are_as_xero_has_them(pulled: World) -> None:
    """Also after the sandbox was restarted, if users had changed them. Of organisations not pulled, none is written."""
    void_one(pulled)
    ours = [one for one in pulled.sandbox.truth("Invoices") if is_ours(one)]
    gone = {one["InvoiceNumber"] for one in ours if one["Status"] in GONE}
    assert len(ours) > len(gone) > 0
    assert any(is_ours(one) for one in pulled.sandbox.truth("Invoices", 1))

    write_them(pulled)
    pulled.pull("document_status")
    assert pulled.query(OPEN) == []
    held = {row["number"]: row for row in pulled.query(HELD)}
    assert {number: row["lines"] for number, row in held.items()} == {
        one["InvoiceNumber"]: len(one["LineItems"]) for one in ours
    }
    assert {number for number, row in held.items() if row["push_state"] == "skipped"} == gone
    assert {row["push_state"] for number, row in held.items() if number not in gone} == {"pushed"}
    assert {number: row["xero_status"] for number, row in held.items()} == {
        one["InvoiceNumber"]: one["Status"] for one in ours
    }

    pulled.query("DELETE FROM qicworks.document_line")
    pulled.query("UPDATE qicworks.invoice SET contact_id = NULL, push_state = 'pushed'")
    write_them(pulled)
    pulled.pull("document_status")
    assert len(pulled.query(OPEN)) >= len(ours) - len(gone), "existing ones stay"
    write_them(pulled, recreate=True)
    pulled.pull("document_status")
    assert pulled.query(OPEN) == []
    assert {row["number"]: row for row in pulled.query(HELD)} == held
