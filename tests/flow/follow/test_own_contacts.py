"""After a pull of contacts QicWorks' own are linked: thousands at once, none wrongly; the rest waits on a page."""

from typing import Any
from uuid import UUID

from tests.support import untidy
from tests.support.own_contacts import OwnBooks
from tests.support.world import World
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.links import waiting
from xero.qicworks.links.candidates import What
from xero.qicworks.runs.events import Origin
from xero.sync.follow.pulling import pull
from xero.sync.push.contacts.matching import similar


def pull_contacts(world: World) -> Any:
    about = {"engine": world.engine, "open_client": opener(world.engine, world.app), "origin": Origin()}
    return pull(DATASETS["contacts"], world.connection_id(), **about)


def add_all(world: World, data: untidy.Firms) -> None:
    """What was pulled of Xero's, and what QicWorks has."""
    connection = world.connection_id()
    world.query(
        "INSERT INTO qicworks.contact (connection_id, organisation_id, xero_id, name, tax_number, email, is_active,"
        " row_hash)"
        " SELECT connection.id, organisation_id, each.xero_id, each.name, each.tax, each.email, each.is_active, 'x'"
        " FROM xero_sync.connection, unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::boolean[])"
        " AS each (xero_id, name, tax, email, is_active) WHERE connection.id = %s",
        [one.xero_id for one in data.known],
        [one.name for one in data.known],
        [one.tax_number for one in data.known],
        [one.email for one in data.known],
        [one.is_active for one in data.known],
        connection,
    )
    wanted = data.wanted.values()
    world.query(
        "INSERT INTO qicworks.contact (id, organisation_id, name, tax_number, email, first_name, push_state)"
        " SELECT each.id, organisation_id, each.name, each.tax, each.email, each.person, 'ready'"
        " FROM xero_sync.connection, unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[])"
        " AS each (id, name, tax, email, person) WHERE connection.id = %s",
        list(data.wanted),
        [one.name for one in wanted],
        [one.tax_number for one in wanted],
        [one.email for one in wanted],
        [one.person for one in wanted],
        connection,
    )


def linked(world: World) -> dict[UUID, UUID]:
    rows = world.query("SELECT id, xero_id FROM qicworks.contact WHERE push_state IS NOT NULL AND xero_id IS NOT NULL")
    return {row["id"]: row["xero_id"] for row in rows}


def test_five_thousand(world: World) -> None:
    world.sandbox.settings(limits=False)
    pull_contacts(world)
    data = untidy.firms(7)
    add_all(world, data)
    world.calls()
    outcome = pull_contacts(world)
    assert (outcome.status, "new differences" in outcome.message) == ("warning", True), "emails, not spellings"
    assert len(world.calls()) <= 2
    links = linked(world)
    assert {own: xero_id for own, xero_id in links.items() if data.truth[own] != xero_id} == {}
    assert 0.98 * 4800 <= len(links) < 4800
    missed = data.truth.keys() - links.keys()
    with database.session(world.engine) as session:
        id = UUID(world.connection_id())
        [row] = waiting.counts(session, [What.CONTACT])
        assert row["count"] == len(missed)
        offered = {
            (one.own_id, UUID(each["xero_id"]))
            for offset in range(0, 200, 25)
            for one in waiting.waiting(session, id, [What.CONTACT], limit=25, offset=offset)[0]
            for each in one.candidates
        }
    assert {own for own in missed if (own, data.truth[own]) not in offered} == set(), "the rest is on the page"
    states = world.query(
        "SELECT push_state, count(*) AS count FROM qicworks.contact WHERE push_state IS NOT NULL GROUP BY 1"
    )
    assert {row["push_state"]: row["count"] for row in states} == {"pushed": len(links), "ready": len(missed)}
    named = world.query("SELECT ours, theirs FROM xero_sync.difference WHERE settled_at IS NULL AND ours ? 'name'")
    assert [one for one in named if similar(one["ours"]["name"]) == similar(one["theirs"]["name"])] == []
    pull_contacts(world)
    assert linked(world) == links, "a second pull changes nothing"


def test_a_document_that_failed_without_its_contact_is_ready_again(world: World) -> None:
    own = OwnBooks(world)
    there = own.in_xero_active()
    contact = own.contact(f" {there['Name']} ", "draft")
    invoice = own.add("invoices", contact_id=contact)
    assert own.push("invoices").counts.failed == 1
    pull_contacts(world)
    assert str(own.of(contact)["xero_id"]) == there["ContactID"]
    assert own.of(contact)["push_state"] == "draft", "QicWorks has not released it"
    assert own.push("invoices").counts.pushed == 1
    assert invoice
