"""What Xero refuses of a new contact has its own correction, and holds back no other one."""

from typing import Any

import pytest

from tests.support.own_contacts import OwnBooks
from xero.documents import contacts as of


def test_each_with_its_correction(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of, "EMAIL", of.re.compile(".*"))  # Xero is to refuse it, not QicWorks
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.pull_contacts()
    there = own.in_xero_active()
    own.setting("create")
    good, mail = own.contact("Good one"), own.contact("Bad mail", email="a@b")
    taken = own.contact(there["Name"], tax_number="53 004 085 616")
    world.sandbox.change("Contacts", there["ContactID"], TaxNumber="51824753556")
    number = own.contact("Number taken")
    own.push("contacts")
    assert own.of(number)["push_state"] == own.of(good)["push_state"] == "pushed"
    assert own.of(mail)["push_error"] == "Email address must be valid."
    assert own.of(mail)["push_correction"].startswith("Correct the email of the contact Bad mail in QicWorks")
    own.decide(taken)
    own.push("contacts")
    row = own.of(taken)
    assert "is already assigned to another contact" in row["push_error"]
    assert "press Retry and link it to that one" in row["push_correction"]
    world.sandbox.change("Contacts", own.record(number)["ContactID"], ContactStatus="ARCHIVED")
    world.query(
        "UPDATE qicworks.contact SET push_state = 'failed', xero_id = NULL, is_ours = false WHERE id = %s", number
    )
    own.push("contacts", documents=[str(number)])
    assert "own contact number, the name, archived" in own.of(number)["push_error"]
    assert own.of(number)["push_correction"].startswith("Restore it in Xero (Contacts › Archived)")
