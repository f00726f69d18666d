"""A person decides about a contact that may be in Xero, or that is to be created."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.own_contacts import OwnBooks
from xero import __main__ as program
from xero.qicworks import database
from xero.qicworks.push import contact_decisions


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.pull_contacts()
    return own


def decide(own: OwnBooks, contact: UUID, xero_id: UUID | None = None) -> None:
    with database.session(own.world.engine) as session:
        contact_decisions.decide(session, contact, xero_id, "Ann")


def waiting(own: OwnBooks) -> list[contact_decisions.Undecided]:
    with database.session(own.world.engine) as session:
        return contact_decisions.waiting(session, own.connection_id)


def test_link_and_create(own: OwnBooks) -> None:
    there = own.in_xero_active()
    perhaps = own.contact("Somebody", email=there["EmailAddress"])
    nobody = own.contact("Nobody like it")
    own.push("contacts")
    found = {one.id: one for one in waiting(own)}
    assert set(found) == {perhaps, nobody}
    [candidate] = found[perhaps].candidates
    assert (candidate["xero_id"], candidate["name"]) == (there["ContactID"], there["Name"])
    assert found[nobody].candidates == ()
    decide(own, perhaps, UUID(there["ContactID"]))
    decide(own, nobody)
    own.push("contacts")
    assert waiting(own) == []
    assert str(own.of(perhaps)["xero_id"]) == there["ContactID"]
    assert own.of(perhaps)["push_state"] == own.of(nobody)["push_state"] == "pushed"
    [made] = own.created()
    assert made["ContactNumber"] == str(nobody)
    assert any("Ann decided: create it in Xero" in one["message"] for one in own.events(nobody))


def test_documents_that_failed_without_it_are_ready_again(own: OwnBooks) -> None:
    contact = own.contact("Nobody like it")
    document = own.add("bills", state="draft")
    own.edit("bills", document, contact_id=contact)
    own.edit("bills", document, push_state="ready")
    own.push("bills")
    assert own.row("bills", document)["push_state"] == own.of(contact)["push_state"] == "failed"
    decide(own, contact)
    own.push("contacts")
    assert own.row("bills", document)["push_state"] == "ready"
    own.push("bills")
    assert own.row("bills", document)["push_state"] == "pushed"


def test_a_decision_holds_for_what_was_seen(own: OwnBooks) -> None:
    """An edit after it asks again. And what is decided is not done blindly."""
    contact = own.contact("Nobody like it")
    own.push("contacts")
    decide(own, contact)
    own.edit_contact(contact, name="Another one")
    own.push("contacts")
    assert own.of(contact)["push_state"] == "failed"
    decide(own, contact, uuid4())
    own.push("contacts")
    assert "has no active contact" in own.of(contact)["push_error"]
    assert own.created() == []


def test_created_though_there_is_a_namesake(own: OwnBooks) -> None:
    """Xero refuses the name; the contact says so, and what to do."""
    archived = next(one for one in own._truth("Contacts") if one["ContactStatus"] == "ARCHIVED")
    there = own.in_xero_active()
    free, taken = own.contact(archived["Name"]), own.contact(there["Name"], tax_number="53 004 085 616")
    own.world.sandbox.change("Contacts", there["ContactID"], TaxNumber="51824753556")
    own.push("contacts")
    assert {one.id for one in waiting(own)} == {free, taken}
    for contact in (free, taken):
        decide(own, contact)
    own.push("contacts")
    assert own.of(free)["push_state"] == "pushed"
    assert "is already assigned to another contact" in own.of(taken)["push_error"]
    assert "press Retry and link it to that one" in own.of(taken)["push_correction"]


def test_what_cannot_be_decided(own: OwnBooks) -> None:
    contact = own.contact("Linked")
    own.setting("create")
    own.push("contacts")
    for id in (contact, own.contacts[0], uuid4()):
        with pytest.raises(LookupError, match="waits for a decision"):
            decide(own, id)
    flying = own.contact("On its way", state="in_flight")
    with pytest.raises(ValueError, match="being sent now"):
        decide(own, flying)


def test_in_a_terminal(own: OwnBooks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_QICWORKS_DEFAULT", own.world.database_url)

    def run(*words: str) -> tuple[int, str]:
        code = program.main(["contacts", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    own.contact("Bad email", email="x")  # nothing to decide: it is corrected in QicWorks
    own.push("contacts")
    capsys.readouterr()
    assert run() == (0, "no contact waits for a decision\n")
    contact = own.contact("Nobody like it")
    own.push("contacts")
    code, said = run("--json")
    assert code == 1
    assert [one["id"] for one in json.loads(said.rpartition("]")[0] + "]")] == [str(contact)]
    assert run("link", str(contact))[0] == 1
    assert run("create", "nonsense")[0] == 1
    code, said = run("create", str(contact))
    assert (code, "contact Nobody like it: the next push does so" in said) == (0, True)
    own.push("contacts")
    assert own.of(contact)["push_state"] == "pushed"
