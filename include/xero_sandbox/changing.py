"""Control of the organisations and their records: what there is, and what a user there changes."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from typing import Any
from uuid import uuid4

import msgspec

from xero_sandbox.bookkeeping import perform
from xero_sandbox.collection import Collection, Record
from xero_sandbox.ledger import ledger_of
from xero_sandbox.organisation import Organisation
from xero_sandbox.steering import Order
from xero_sandbox.world import Drift


def _organisation(order: Order) -> Organisation:
    return order.world.organisations[order.parts["tenant"]]


def _collection(order: Order) -> Collection:
    return _organisation(order).collections[order.parts["collection"]]


def organisations(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "tenant": organisation.tenant_id,
            "name": organisation.name,
            "timezone": organisation.record["Timezone"],
            "payroll": organisation.payroll,
            "connected": [owner for owner, owned in order.world.connections.items() if organisation.tenant_id in owned],
            "counts": {plural: len(collection.rows) for plural, collection in organisation.collections.items()},
        }
        for organisation in order.world.organisations.values()
    ]


def organisation(order: Order) -> Record:
    return _organisation(order).record


def change_organisation(order: Order) -> Record:
    changed = _organisation(order)
    changed.payroll = bool(order.body.pop("_payroll", changed.payroll))
    changed.record.update(order.body)
    for owned in order.world.connections.values():
        if changed.tenant_id in owned:
            owned[changed.tenant_id].tenant_name = changed.name
    return changed.record


def records(order: Order) -> msgspec.Raw:
    return msgspec.Raw(_collection(order).truth())


def record(order: Order) -> Record:
    return _collection(order).rows[order.parts["id"]].record


def add_record(order: Order) -> Record:
    collection = _collection(order)
    return collection.add({collection.kind.key: str(uuid4()), **order.body}, order.world.clock)


def change_record(order: Order) -> Record:
    fields = {name: value for name, value in order.body.items() if name != "_touch"}
    return _collection(order).change(order.parts["id"], fields, order.world.clock, order.body.get("_touch", True))


def remove_record(order: Order) -> None:
    _collection(order).remove(order.parts["id"])


def keep_books(order: Order) -> dict[str, list[Record]]:
    world, kept = order.world, _organisation(order)
    return perform(ledger_of(kept, world.clock, world.settings), **order.body)


def attachments(order: Order) -> list[dict[str, Any]]:
    """What is attached to a document, in the order in which it came."""
    return [
        {
            "FileName": one.name,
            "MimeType": one.mime_type,
            "ContentLength": len(one.content),
            "sha256": sha256(one.content).hexdigest(),
        }
        for one in _organisation(order).attachments.get(order.parts["id"], [])
    ]


def touch(order: Order) -> dict[str, list[str]]:
    collection, body = _collection(order), order.body
    if "ids" in body:
        keys = [collection.rows[key].key for key in body["ids"]]
    else:
        count = body["count"] if "count" in body else max(1, round(len(collection.rows) * float(body["share"])))
        keys = collection.sample(order.world.dice, int(count))
    return {"touched": collection.touch(keys, order.world.clock, body.get("rename", True))}


def drifts(order: Order) -> list[dict[str, Any]]:
    return [asdict(drift) for drift in order.world.drifts]


def set_drift(order: Order) -> None:
    """Replaces the order for the same organisation and collection."""
    world, body = order.world, order.body
    tenant, plural = body["tenant"], body.get("collection", "Contacts")
    collection = world.organisations[tenant].collections[plural]
    world.drifts = [drift for drift in world.drifts if (drift.tenant, drift.collection) != (tenant, plural)]
    per_page, total = int(body["changes_per_page"]), int(body.get("total", 1_000_000))
    world.drifts.append(Drift(tenant, collection.kind.plural, per_page, total, []))


def forget_drifts(order: Order) -> None:
    order.world.drifts.clear()
