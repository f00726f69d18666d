"""The table of docs/data-flow.md: what becomes of a new contact that is like one of Xero's, which stays as it is."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.own_contacts import OwnBooks

NAME, ABN, EMAIL = "ABC Plumbing Pty Ltd", "51 824 753 556", "office@abc.example"
Row = dict[str, Any]
DOCS = Path(__file__).parents[3] / "docs" / "data-flow.md"
LINKED, ASKED, CREATED = "linked", "asked", "created"

#: As the table says it; the new contact; Xero's, which differs from ABC Plumbing by that; what becomes of it under
#: `ask` and under `create`.
TABLE: list[tuple[str, Row, Row, str, str]] = [
    ("the same name", {"name": NAME}, {}, LINKED, LINKED),
    ("the same name in other case", {"name": NAME.upper()}, {}, LINKED, LINKED),
    ("the same name with other blanks", {"name": "  ABC   Plumbing\u00a0Pty Ltd "}, {}, LINKED, LINKED),
    ("the same name, of another ABN", {"name": NAME, "tax_number": "53 004 085 616"}, {}, ASKED, ASKED),
    ("the same name, archived in Xero", {"name": NAME}, {"ContactStatus": "ARCHIVED"}, ASKED, ASKED),
    ("the same name, merged in Xero", {"name": NAME}, {"merged": True}, ASKED, ASKED),
    ("a name that differs in a full stop", {"name": "ABC Plumbing Pty. Ltd"}, {}, ASKED, ASKED),
    ('a name that differs in "Pty Ltd"', {"name": "ABC Plumbing"}, {}, ASKED, ASKED),
    ("another name, the same email", {"name": "Nobody", "email": EMAIL.upper()}, {}, ASKED, ASKED),
    ("another name, the same ABN", {"name": "Nobody", "tax_number": ABN}, {}, LINKED, LINKED),
    ("another name, the same ABN without blanks", {"name": "Nobody", "tax_number": "51824753556"}, {}, LINKED, LINKED),
    (
        "another name, the same number that is no ABN",
        {"name": "Nobody", "tax_number": "12 345 678 901"},
        {"TaxNumber": "12345678901"},
        ASKED,
        ASKED,
    ),
    ("the same name as two of Xero's", {"name": NAME, "tax_number": "53 004 085 616"}, {"second": True}, ASKED, ASKED),
    ("nothing is alike", {"name": "Nobody", "email": "nobody@nobody.example"}, {}, ASKED, CREATED),
]


@pytest.fixture
def own(world: Any) -> OwnBooks:
    world.sandbox.settings(limits=False)
    return OwnBooks(world)


def in_xero(own: OwnBooks, change: Row) -> str:
    """ABC Plumbing, as it is in Xero. Returns its id."""
    first, second = [one for one in own._truth("Contacts") if one["ContactStatus"] == "ACTIVE"][:2]
    change = dict(change)
    if change.pop("merged", False):
        change |= {"ContactStatus": "ARCHIVED", "MergedToContactID": second["ContactID"]}
    if change.pop("second", False):
        own.world.sandbox.change("Contacts", second["ContactID"], Name="A.B.C. Trust", TaxNumber="53004085616")
    own.world.sandbox.change(
        "Contacts", first["ContactID"], **{"Name": NAME, "TaxNumber": ABN, "EmailAddress": EMAIL, **change}
    )
    return str(first["ContactID"])


@pytest.mark.parametrize("setting", ["ask", "create"])
@pytest.mark.parametrize("case", TABLE, ids=[case[0] for case in TABLE])
def test_the_table(own: OwnBooks, case: tuple[str, Row, Row, str, str], setting: str) -> None:
    _, new, change, if_ask, if_create = case
    there = in_xero(own, change)
    own.setting(setting)
    own.pull_contacts()
    before = own._truth("Contacts")
    contact = own.contact(**new)
    own.push("contacts")
    row = own.of(contact)
    expected = if_ask if setting == "ask" else if_create
    assert (row["push_state"], row["xero_id"] is not None) == (
        ("failed", False) if expected == ASKED else ("pushed", True)
    ), row["push_error"]
    if expected == LINKED:
        assert str(row["xero_id"]) == there
    asked = own.world.query("SELECT 1 FROM xero_sync.contact_question WHERE contact_id = %s", contact)
    assert bool(asked) is (expected == ASKED)
    after = {one["ContactID"]: one for one in own._truth("Contacts")}
    assert [after.pop(one["ContactID"]) for one in before] == before, "field by field as it was"
    assert [one["ContactNumber"] for one in after.values()] == ([str(contact)] if expected == CREATED else [])
    row = own.of(contact)
    own.push("contacts", retry_failed=True)
    assert own.of(contact)["xero_id"] == row["xero_id"], "asked again, the answer is the same"
    assert len(own.created()) == (expected == CREATED)


def test_the_table_is_in_the_docs() -> None:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    for says, _, _, if_ask, if_create in TABLE:
        assert f"| {says} | {if_ask} | {if_create} |" in lines
