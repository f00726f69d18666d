"""A contact of QicWorks' own is erased: it is not sent to Xero, and nothing of it is kept."""

from typing import Any

import pytest

from tests.support.own_contacts import OwnBooks
from xero.qicworks import database
from xero.qicworks.privacy import erasing, people


def erase(own: OwnBooks, email: str) -> None:
    with database.session(own.world.engine) as session, session.transaction():
        found = people.find(session, email=email)
        assert found
        erasing.erase(session, found)


def everywhere(own: OwnBooks, *words: str) -> list[str]:
    """The tables that have one of these words."""
    tables = own.world.query(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
        " WHERE schemaname IN ('qicworks', 'xero_sync') ORDER BY 1"
    )
    found = []
    for table in tables:
        rows = own.world.query(f"SELECT to_jsonb(row)::text AS said FROM {table['name']} AS row")
        found += [table["name"] for row in rows if any(word in row["said"] for word in words)][:1]
    return found


def test_erased_before_and_after_it_is_in_xero(world: Any) -> None:
    world.sandbox.settings(limits=False)
    own = OwnBooks(world)
    own.setting("create")
    waits = own.contact("Mirri Waits", email="waits@mirri.example")
    with pytest.raises(ValueError, match="wait to be pushed"):
        erase(own, "waits@mirri.example")
    own.push("contacts")
    own.pull_contacts()
    own.edit_contact(waits, city="Dapto")
    own.push("contacts")
    own.setting("ask")
    asked = own.contact("Mirri Asked", email="asked@mirri.example")
    own.push("contacts")
    assert own.of(asked)["push_state"] == "failed"
    assert "xero_sync.connection_event" in everywhere(own, "Mirri")
    for email in ("waits@mirri.example", "asked@mirri.example"):
        erase(own, email)
    assert everywhere(own, "Mirri", "mirri.example") == []
    assert [own.of(one)["push_state"] for one in (waits, asked)] == ["skipped", "skipped"]
    own.setting("create")
    own.push("contacts", retry_failed=True)
    assert [one["Name"] for one in own.created()] == ["Mirri Waits"]
