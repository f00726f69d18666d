"""Finds and erases a person who is only one of the persons of a contact: the contact itself stays."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from xero.qicworks import sql
from xero.qicworks.database import Session
from xero.qicworks.privacy.people import Holding, Person, person_tables

QUERIES = sql.Statements("people")
TABLE = "contact"
TOMBSTONE = "contact_person"  # in xero_sync.erasure, whose id is then a hash


@dataclass
class ContactPerson(Person):
    """A person of a contact. `record_id`: the contact's id in Xero, otherwise in QicWorks, in lower case.

    `contact_ids`: the rows of that contact; `found`: the person, as it was found there.
    """

    record_id: str = ""
    contact_ids: set[UUID] = field(default_factory=set)
    found: list[dict[str, Any]] = field(default_factory=list)


def find(session: Session, *, email: str = "", name: str = "", organisation: str | None = None) -> list[Person]:
    """Finds persons of contacts by email or by first and last name, in any case."""
    people: dict[tuple[UUID, str], ContactPerson] = {}
    asked = {"email": email.strip().lower(), "name": " ".join(name.split()).lower()}
    for row in QUERIES.contact_persons(session, **asked):
        if organisation not in (None, row["organisation"]):
            continue
        about = row["organisation_id"], row["organisation"], row["connection_id"]
        record_id = row["xero_id"] or str(row["contact_id"])
        one = people.setdefault(
            (row["organisation_id"], record_id),
            ContactPerson(person_tables()[TABLE], *about, None, record_id=record_id),
        )
        one.contact_ids |= {row["contact_id"]} - {None}
        one.found.append(row["person"])
        texts = {column: " ".join(str(row["person"].get(column) or "").split()) for column in row["person"]}
        one.names |= {f"{texts.get('first_name', '')} {texts.get('last_name', '')}".strip()} - {""}
        one.emails |= {texts.get("email", "")} - {""}
    return list(people.values())


def holdings(session: Session, person: ContactPerson) -> list[Holding]:
    """What contacts have of this person."""
    about = {"contact_ids": list(person.contact_ids), "record_id": person.record_id, "keys": _keys(session, person)}
    rows = list(QUERIES.contacts_with(session, **about))
    return [Holding(f"qicworks.{TABLE}", f"a person of this contact, {person.organisation}", "copy", rows)]


def refuse_what_waits(session: Session, person: ContactPerson) -> None:
    """Raises ValueError if the contact is to be pushed, or on its way."""
    if QUERIES.contacts_to_be_pushed(session, contact_ids=list(person.contact_ids)):
        raise ValueError(
            "the contact of this person waits to be pushed or is on its way: push it, or set it to skipped, and erase"
            " again"
        )


def drop(session: Session, person: ContactPerson) -> Counter[str]:
    """Drops the person from the contact and from what is kept of it, and leaves hashes by which pulls leave them out.

    Returns how many rows of each table were changed.
    """
    keys = _keys(session, person)
    contacts = {"contact_ids": list(person.contact_ids), "record_id": person.record_id, "keys": keys}
    done = Counter(
        {
            f"qicworks.{TABLE}": QUERIES.drop_from_contacts(session, **contacts),
            "xero_sync.link_decision": QUERIES.drop_from_link_decisions(session, **contacts),
            "xero_sync.difference": QUERIES.drop_from_contact_differences(session, **contacts),
        }
    )
    if person.connection_id:
        record = {"connection_id": person.connection_id, "record_id": person.record_id, "keys": keys}
        done[f"xero_sync.stage_{TABLE}"] = QUERIES.drop_from_staged_contacts(session, **record)
        done["xero_sync.rejection"] = QUERIES.drop_from_rejected_contacts(session, **record)
        for key in keys:
            about = {"connection_id": person.connection_id, "xero_id": key}
            QUERIES.add_tombstone(session, table_name=TOMBSTONE, **about)
    return done


def _keys(session: Session, person: ContactPerson) -> list[str]:
    keys: set[str] = set()
    for one in person.found:
        keys |= set(QUERIES.person_keys(session, record_id=person.record_id, person=Jsonb(one)) or ())
    return sorted(keys)
