"""New contacts go along with the documents that are addressed to them: in the same run, contacts first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import XeroError
from xero.documents.declaration import Delivery, Kind, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.push.contacts import new_of_documents
from xero.qicworks.push.outbox import Outbox
from xero.sync.runs.outcome import Skip

log = logging.getLogger(__name__)

PushContacts = Callable[[Kind, list[str], bool], object]


def take_contacts_along(
    engine: Engine,
    kind: Kind,
    connection_id: UUID | str,
    names: Sequence[str] | None,
    push: PushContacts,
    *,
    failed_too: bool,
) -> str | None:
    """Pushes the new contacts of the documents that are to be pushed, under their own lease and with their own event.

    What goes wrong with them does not stop the documents of other contacts. Returns what to do about it.
    """
    if not isinstance(kind, PricedKind):
        return None
    with database.session(engine) as session:
        connection = connections.one(session, UUID(str(connection_id)))
        try:
            wanted = None if names is None else Outbox(session, connection, kind).named(names)
        except LookupError:
            return None  # the run says so
        failed = failed_too or names is not None
        ids = new_of_documents(session, connection, kind, wanted, failed_too=failed)
    if not ids:
        return None
    log.info("%d new contacts of these %s are pushed first", len(ids), kind.title.lower())
    [contacts] = [one for one in KINDS.values() if one.delivery is Delivery.CONTACTS]
    try:
        push(contacts, [str(id) for id in ids], failed)
    except Skip as skip:
        log.warning("not all new contacts were pushed: %s", skip)
    except XeroError as error:  # it has its own event
        log.warning("not all new contacts were pushed: %s", error)
        return f"New contacts: {error.message} {error.correction}"
    return None
