"""QicWorks' own contacts: made, pushed, and looked at in Xero."""

from typing import Any
from uuid import UUID

from tests.support.pushing import Books
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import settings
from xero.qicworks.push import contact_decisions
from xero.qicworks.runs.events import Origin
from xero.sync.follow.pulling import pull
from xero.sync.push.flow import preview
from xero.sync.push.strategies import Preview

Row = dict[str, Any]


class OwnBooks(Books):
    """Books with contacts that Xero does not have."""

    def __init__(self, world: Any, organisation: int = 0) -> None:
        super().__init__(world, organisation)
        self._before = {one["ContactID"] for one in self._truth("Contacts")}

    @classmethod
    def of_books(cls, books: Books) -> "OwnBooks":
        """The same books, already furnished."""
        own = object.__new__(cls)
        own.__dict__.update(books.__dict__)
        own._before = {one["ContactID"] for one in books._truth("Contacts")}
        return own

    def setting(self, new_contacts: str, **others: str) -> None:
        with database.session(self.world.engine) as session:
            settings.change(session, self.connection_id, {"new_contacts": new_contacts, **others}, "test")

    def contact(self, name: str, state: str = "ready", **columns: Any) -> UUID:
        """As QicWorks adds one: without a connection."""
        return UUID(str(self._own(name=name, push_state=state, organisation_id=self.organisation_id, **columns)))

    def _own(self, **values: Any) -> UUID:
        names, places = ", ".join(values), ", ".join(["%s"] * len(values))
        statement = f"INSERT INTO qicworks.contact ({names}) VALUES ({places}) RETURNING id"
        id: UUID = self.world.query(statement, *values.values())[0]["id"]
        return id

    def of(self, contact: UUID) -> Row:
        return self.world.query("SELECT * FROM qicworks.contact WHERE id = %s", contact)[0]

    def edit_contact(self, contact: UUID, **columns: Any) -> None:
        """As a user of QicWorks would."""
        sets = ", ".join(f"{name} = %s" for name in columns)
        self.world.query(f"UPDATE qicworks.contact SET {sets} WHERE id = %s", *columns.values(), contact)

    def pull_contacts(self, *, full: bool = False) -> Any:
        return pull(
            DATASETS["contacts"],
            self.connection_id,
            engine=self.world.engine,
            open_client=opener(self.world.engine, self.world.app, backoff=(0.02, 0.04)),
            origin=Origin(),
            full=full,
        )

    def decide(self, contact: UUID, xero_id: UUID | None = None) -> None:
        """A person: it is that one in Xero, or is to be created."""
        with database.session(self.world.engine) as session:
            contact_decisions.decide(session, contact, xero_id, "Ann")

    def in_xero_active(self) -> Row:
        """A contact that was there from the beginning, with an email."""
        return next(
            one
            for one in self._truth("Contacts")
            if one["ContactStatus"] == "ACTIVE" and one["EmailAddress"] and one["ContactID"] in self._before
        )

    def created(self) -> list[Row]:
        return [one for one in self._truth("Contacts") if one["ContactID"] not in self._before]

    def record(self, contact: UUID) -> Row:
        """Its record in Xero."""
        return self.world.sandbox.record("Contacts", str(self.of(contact)["xero_id"]), self.organisation)

    def events(self, contact: UUID) -> list[Row]:
        return self.world.query("SELECT * FROM xero_sync.connection_event WHERE document_id = %s ORDER BY id", contact)

    def assert_contacts_once(self) -> None:
        """Each own contact is one record in Xero, as QicWorks has it, has one row, and nothing else was created."""
        assert self.requests() == [], "a request is left open"
        rows = self.world.query(
            "SELECT * FROM qicworks.contact WHERE organisation_id = %s AND push_state IS NOT NULL",
            self.organisation_id,
        )
        there = {one["ContactNumber"]: one for one in self.created()}
        assert len(there) == len(self.created()) == len(rows)
        for row in rows:
            said = f"{row['name']}: {row['push_state']}, {row['push_error']}"
            record = there.get(str(row["id"]))
            assert row["push_state"] == "pushed", said
            assert record, said
            assert record["ContactID"] == str(row["xero_id"]), said
            cities = {one["City"] for one in record["Addresses"] if one["AddressType"] == "STREET"} - {""}
            assert (record["Name"], record["EmailAddress"] or None) == (row["name"], row["email"] or None), said
            assert cities == ({row["city"]} if row["city"] else set()), said
            assert row["connection_id"] == self.connection_id, said
        doubles = self.world.query(
            "SELECT xero_id FROM qicworks.contact WHERE organisation_id = %s AND xero_id IS NOT NULL"
            " GROUP BY xero_id HAVING count(*) > 1",
            self.organisation_id,
        )
        assert doubles == []

    def preview(self, kind: str) -> list[Preview]:
        options = {"engine": self.world.engine, "open_client": opener(self.world.engine, self.world.app)}
        return list(preview(KINDS[kind], self.connection_id, **options))
