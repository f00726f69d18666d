"""What a user may see and decide of people and contacts, and what they are called."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from xero.dag_ids import pull_dag_of, push_dag_of
from xero.documents.contacts import CONTACTS
from xero.pages.access import Viewer
from xero.qicworks.connect.connections import Connection
from xero.qicworks.links.candidates import What

TITLES = {What.STAFF: "People", What.CONTACT: "Contacts"}
WORDS = {What.STAFF: ("person", "people"), What.CONTACT: ("contact", "contacts")}


def dag_of(what: What) -> str:
    """Who may trigger this DAG, decides."""
    return pull_dag_of("staff") if what is What.STAFF else push_dag_of(CONTACTS.name)


def visible(who: Viewer) -> list[What]:
    return [what for what in What if dag_of(what) in who.readable]


def may_decide(who: Viewer, what: What) -> bool:
    return who.may_trigger(dag_of(what))


def chosen(known: Sequence[Connection], asked: str, counts: Sequence[dict[str, Any]]) -> Connection | None:
    """The connection of that id; without one the only one, or the first of those where somebody waits.

    Raises LookupError: there is none of that id.
    """
    if asked:
        for one in known:
            if str(one.id) == asked:
                return one
        raise LookupError("There is no connection of that id. Choose an organisation from the list.")
    waits = {row["connection_id"] for row in counts}
    return next((one for one in known if one.id in waits), known[0] if known else None)


def one_or_more(what: What, count: int) -> str:
    return WORDS[what][count != 1]


def counted(connection_id: UUID | None, counts: Sequence[dict[str, Any]]) -> str:
    """Such as: 12 people, 3 contacts wait."""
    parts, total = [], 0
    for row in counts:
        if row["connection_id"] == connection_id:
            parts.append(f"{row['count']:,} {one_or_more(What(row['what']), row['count'])}")
            total += row["count"]
    return f"{', '.join(parts)} {'waits' if total == 1 else 'wait'}" if parts else "Nobody waits"
