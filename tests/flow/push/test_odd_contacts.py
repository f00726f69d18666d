"""Whatever stands in a column of a new contact: only that contact may fail, by its own name."""

from typing import Any

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
