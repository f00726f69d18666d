"""Whatever stands in a column of a new contact: only that contact may fail, by its own name."""

import json
from typing import Any

import pytest
import requests

from tests.support.calls import intercepted, is_write, response
from tests.support.odd_columns import JSON, TEXTS
from tests.support.own_contacts import OwnBooks

COLUMNS = ("first_name", "last_name", "email", "phone", "contact_number", "account_number", "company_number")
COLUMNS += ("tax_number", "address_line1", "city", "po_city", "contact_persons")


def test_only_the_odd_ones_fail(world: Any) -> None:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    first = own.contact("The first")
    odd = []
    for column in COLUMNS:
        values = (
            [*TEXTS, *JSON, "x" * 40_000] if column == "contact_persons" else [one for one in TEXTS if len(one) < 50]
        )
        odd += [own.contact(f"Odd {column} {place}", **{column: value}) for place, value in enumerate(values)]
    odd += [own.contact(text) for text in TEXTS]
    last = own.contact("The last")
    outcome = own.push("contacts")
    assert own.requests() == []
    assert own.of(first)["push_state"] == own.of(last)["push_state"] == "pushed"
    rows = [own.of(one) for one in odd]
    assert {row["push_state"] for row in rows} == {"pushed", "failed"}
    assert all(row["push_error"] and row["push_correction"] for row in rows if row["push_state"] == "failed")
    numbers = [one["ContactNumber"] for one in own.created()]
    assert len(numbers) == len(set(numbers))
    assert outcome.counts.pushed + outcome.counts.failed == len(odd) + 2
    assert sum(row["push_state"] == "pushed" for row in rows) > len(rows) / 2


def test_no_email_in_logs_and_events(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Of one that we refuse, one that Xero refuses by it, one linked to a contact with another, and one created."""
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    there = own.in_xero_active()
    persons = [{"first_name": "Ann", "last_name": "", "email": "ann@secret", "include_in_emails": True}]
    contacts = [
        own.contact("Invalid", email="not valid@secret"),
        own.contact("Persons", email="b@secret.example", contact_persons=json.dumps(persons)),
        own.contact("Created", email="c@secret.example"),
        own.contact(there["Name"], email="d@secret.example"),
        own.contact("Alike", email=there["EmailAddress"]),
        own.contact("Refused", email="refused@secret.example"),
    ]

    words = {"Message": "The email 'xeros@secret.example' is used too often"}

    def handle(request: Any, forward: Any) -> requests.Response:
        if not is_write(request):
            return forward()  # type: ignore[no-any-return]
        if len(sent) == 1:
            body = [{"ContactNumber": str(sent[0]), "HasValidationErrors": True, "ValidationErrors": [words]}]
        else:
            body = [one | {"Warnings": [words]} for one in forward().json()["Contacts"]]
        return response(200, "application/json", json.dumps({"Contacts": body}))

    with intercepted(handle), caplog.at_level("DEBUG"):
        for sent in (contacts[-1:], contacts[:-1]):
            own.push("contacts", documents=[str(one) for one in sent])
    states = [own.of(one)["push_state"] for one in contacts]
    assert states == ["failed", "failed", "pushed", "pushed", "failed", "failed"]
    events = world.query("SELECT message, correction FROM xero_sync.connection_event")
    text = caplog.text + str(events) + str([own.of(one)["push_error"] for one in contacts])
    assert text.count("The email '(email)' is used too often") > 2
    assert [words for words in ("secret", there["EmailAddress"]) if words in text] == []
