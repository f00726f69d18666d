"""Contacts written through the API: what is created, what is changed, and what is refused in which words."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.sandbox import Sandbox

Write = Callable[..., list[dict[str, Any]]]
NAME_TAKEN = "is already assigned to another contact. The contact name must be unique across all active contacts."


@pytest.fixture
def write(sandbox: Sandbox) -> Write:
    sandbox.settings(limits=False)

    def write(method: str, *elements: dict[str, Any], path: str = "Contacts") -> list[dict[str, Any]]:
        answer = _call(sandbox, method, list(elements), path, summarizeErrors="false")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["Contacts"]
        return found

    return write


def _call(sandbox: Sandbox, method: str, body: Any, path: str = "Contacts", **params: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.token}", "xero-tenant-id": sandbox.tenant()}
    url = f"{sandbox.url}/api.xro/2.0/{path}"
    return sandbox.session.request(method, url, headers=headers, params=params, json=body)


def messages(element: dict[str, Any]) -> list[str]:
    return [one["Message"] for one in element["ValidationErrors"]]


def test_each_for_itself_and_a_name_or_a_number_once(sandbox: Sandbox, write: Write) -> None:
    truth = sandbox.truth("Contacts")
    active = next(one for one in truth if one["ContactStatus"] == "ACTIVE" and one.get("ContactNumber"))
    archived = next(one for one in truth if one["ContactStatus"] == "ARCHIVED")
    archived = sandbox.change("Contacts", archived["ContactID"], ContactNumber="OLD-1")
    made = write(
        "PUT",
        {"Name": "New Electrical", "ContactNumber": "A-1", "ContactPersons": [], "TaxNumber": "11 222"},
        {"Name": active["Name"].upper()},
        {"Name": "Other", "ContactNumber": active["ContactNumber"]},
        {"Name": "Third", "ContactNumber": "old-1"},
        {"Name": archived["Name"]},
        {"Name": "Mail", "EmailAddress": "a@b"},
        {"Name": ""},
        {"EmailAddress": "a@b.com"},
        {"Name": "x" * 256},
        {"Name": "People", "ContactPersons": [{"FirstName": "Ann"}]},
    )
    said = [messages(one) for one in made]
    assert said[0] == []
    assert said[1] == [f"The contact name {active['Name'].upper()} {NAME_TAKEN}"]
    assert said[2] == said[3] == ["Another contact has this contact number. Please enter a different contact number."]
    assert said[4] == [], "the name of an archived contact is free"
    assert said[5] == ["Email address must be valid."]
    assert said[6] == ["The contact name cannot be empty."]
    assert said[7][0].startswith("The Contact must contain at least 1 of the following elements")
    assert said[8] == ["The Name field must be 255 characters or less."]
    assert said[9] == ["Additional people cannot be added when the primary person has no email address set."]
    assert [one["HasValidationErrors"] for one in made].count(False) == 2
    new = sandbox.record("Contacts", made[0]["ContactID"])
    assert (new["Name"], new["ContactNumber"], new["ContactStatus"]) == ("New Electrical", "A-1", "ACTIVE")


def test_post_changes_by_id_number_or_name_and_no_archived_one(sandbox: Sandbox, write: Write) -> None:
    [made] = write("PUT", {"Name": "One", "ContactNumber": "A-1", "EmailAddress": "one@example.com"})
    people = [{"FirstName": "Ann", "LastName": "Lee", "EmailAddress": "ann@example.com", "IncludeInEmails": True}]
    street = {"AddressType": "STREET", "AddressLine1": "1 First St", "City": "Wollongong"}
    [one] = write("POST", {"ContactID": made["ContactID"], "Name": "One Pty", "ContactPersons": people})
    [two] = write("POST", {"ContactNumber": "A-1", "Addresses": [street]})
    [three] = write("POST", {"Name": "one pty", "Addresses": [{"AddressType": "POBOX", "AddressLine1": "PO Box 1"}]})
    assert {one["ContactID"], two["ContactID"], three["ContactID"]} == {made["ContactID"]}
    record = sandbox.record("Contacts", made["ContactID"])
    assert record["ContactPersons"] == people
    assert [one["AddressType"] for one in record["Addresses"]] == ["STREET", "POBOX"]
    [new] = write("POST", {"Name": "Somebody new"})
    assert new["ContactID"] != made["ContactID"]
    sandbox.change("Contacts", made["ContactID"], ContactStatus="ARCHIVED")
    for element in ({"ContactID": made["ContactID"], "Name": "X"}, {"ContactNumber": "A-1"}, {"Name": "One Pty"}):
        [refused] = write("POST", element)
        assert messages(refused)[0].startswith("The specified contact details matched an archived contact.")


def test_all_or_none_unless_each_is_asked_for(sandbox: Sandbox, write: Write) -> None:
    before = len(sandbox.truth("Contacts"))
    answer = _call(sandbox, "PUT", {"Contacts": [{"Name": "Good"}, {"Name": ""}]})
    assert answer.status_code == 400
    assert answer.json()["Elements"][0]["ValidationErrors"] == [{"Message": "The contact name cannot be empty."}]
    assert len(sandbox.truth("Contacts")) == before
