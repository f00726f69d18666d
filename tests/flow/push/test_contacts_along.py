"""A document of a new contact takes the contact along: contacts first, in the same run."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from tests.support.killing import assert_interrupted, kill_at, moments, of_writes, running, spread
from tests.support.own_contacts import OwnBooks
from tests.support.pushing import PRICED
from tests.support.troubles import BEYOND


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    return own


def addressed(own: OwnBooks, kind: str, contact: UUID, **columns: Any) -> UUID:
    document = own.add(kind, state="draft", **columns)
    own.edit(kind, document, contact_id=contact)
    own.edit(kind, document, push_state="ready")
    return document


def test_of_every_kind_and_the_contact_goes_first(own: OwnBooks) -> None:
    own.push("invoices")
    for kind in PRICED:
        contact = own.contact(f"New for {kind}")
        document = addressed(own, kind, contact)
        other = own.contact(f"Not asked for by {kind}", state="ready")
        own.world.calls()
        own.push(kind, documents=[str(document)])
        paths = [one["path"].rpartition("/")[2] for one in own.world.calls() if one["method"] == "PUT"]
        assert paths == ["Contacts", PRICED[kind][1]]
        row = own.row(kind, document)
        assert row["push_state"] == "pushed", row["push_error"]
        assert own.of(contact)["push_state"] == "pushed"
        assert own.of(other)["push_state"] == "ready"
    own.push("contacts")
    own.assert_contacts_once()
    own.assert_once()


def test_a_linked_contact_is_the_one_that_was_pulled(own: OwnBooks) -> None:
    there = own.in_xero_active()
    own.pull_contacts()
    contact = own.contact(there["Name"])
    document = addressed(own, "invoices", contact)
    own.push("invoices")
    [record] = own.in_xero("invoices")
    assert record["Contact"]["ContactID"] == there["ContactID"]
    assert own.row("invoices", document)["push_state"] == "pushed"
    assert own.created() == []
    own.world.sandbox.change("Contacts", there["ContactID"], ContactStatus="ARCHIVED")
    own.pull_contacts()
    refused = addressed(own, "invoices", contact)
    own.push("invoices")
    assert "is archived in Xero" in own.row("invoices", refused)["push_error"]


def test_if_the_contact_fails_the_document_says_so_by_name(own: OwnBooks) -> None:
    own.setting("ask")
    contact = own.contact("Nobody's Friend")
    held = addressed(own, "bills", contact)
    good = own.add("bills")
    draft = addressed(own, "bills", own.contact("A draft", state="draft"))
    skipped = addressed(own, "bills", own.contact("Not wanted", state="skipped"))
    outcome = own.push("bills")
    assert (outcome.counts.pushed, outcome.counts.failed) == (1, 3)
    assert own.row("bills", good)["push_state"] == "pushed"
    row = own.row("bills", held)
    assert "its contact 'Nobody's Friend' is not in Xero (not sent: Xero has no contact like it" in row["push_error"]
    assert "Open the contact 'Nobody's Friend' under Xero › Documents" in row["push_correction"]
    assert "is a draft in QicWorks" in own.row("bills", draft)["push_error"]
    assert "set to Skipped" in own.row("bills", skipped)["push_error"]
    own.setting("create")
    own.push("bills", documents=[str(held)])
    assert own.row("bills", held)["push_state"] == own.of(contact)["push_state"] == "pushed"


def test_a_document_waits_while_its_contact_is_on_its_way(own: OwnBooks) -> None:
    """Another run has it, or Xero fails on contacts: the document stays ready, and the run says so."""
    own.push("invoices")
    document = addressed(own, "invoices", own.contact("On its way"))
    other = own.add("invoices")
    own.world.fault(kind="503", method="PUT", path=r"/Contacts\?", times=9)
    outcome = own.push("invoices")
    own.world.sandbox.control("DELETE", "faults")
    assert own.row("invoices", other)["push_state"] == "pushed"
    assert own.row("invoices", document)["push_state"] == "ready"
    assert (outcome.status, "1 left until their new contact is in Xero" in outcome.message) == ("warning", True)
    own.pass_time(BEYOND)
    own.push("invoices")
    assert own.row("invoices", document)["push_state"] == "pushed"
    own.assert_contacts_once()


def test_killed_at_any_moment(own: OwnBooks) -> None:
    def fill() -> None:
        nth = len(own.rows("bills"))
        addressed(own, "bills", own.contact(f"Supplier {nth}"), number=f"S-{nth}")

    fill()
    own.push("bills")
    fill()
    passed = moments(own.world, partial(own.push, "bills"))
    assert len(of_writes(passed)) == 2 * 2
    for nth, moment in enumerate(sorted({*of_writes(passed), *spread(len(passed), 7)})):
        fill()
        assert kill_at(own.world, moment, partial(own.push, "bills")), passed[moment - 1]
        left_open = running(own.world)
        if nth % 2 == 0:
            own.pass_time(BEYOND)
        own.push("bills")
        assert own.left("bills") == 0, f"killed at moment {moment}: {passed[moment - 1]}"
        own.push("contacts")
        assert_interrupted(own.world, left_open)
    own.assert_contacts_once()
    own.assert_once("bills")


def test_a_dry_run_shows_the_contact_first_and_refuses_no_document_that_waits_for_it(own: OwnBooks) -> None:
    own.push("invoices")
    addressed(own, "invoices", own.contact("Brand new"))
    other = own.add("invoices")
    own.world.calls()
    shown = own.preview("invoices")
    assert own.writes() == []
    assert [one for each in shown for one in each.refused] == []
    number = own.row("invoices", other)["number"]
    assert [one.documents for one in shown if one.body] == [("contact Brand new",), (f"invoice {number}",)]


def test_a_dry_run_says_what_would_be_linked(own: OwnBooks) -> None:
    there = own.in_xero_active()
    contact = own.contact(there["Name"])
    [shown] = own.preview("contacts")
    assert shown.linked == (f"contact {there['Name']} would be linked to '{there['Name']}' in Xero, by the name",)
    said = own.world.main("push", "contacts", "--dry-run", "--connection", own.world.names()[own.organisation])
    assert f"would be linked to '{there['Name']}'" in said.stdout + said.stderr
    assert own.of(contact)["xero_id"] is None
