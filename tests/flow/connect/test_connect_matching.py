"""Which Xero organisation gets which QicWorks organisation: moved, refused, and never made twice."""

import threading
import uuid
from typing import Any

import pytest

from tests.support.consenting import Consenting
from xero.qicworks import database
from xero.qicworks.runs import lease
from xero.sync.connect.consent import WrongPairs


def wrong(world: Consenting, token_id: uuid.UUID, pairs: dict[int, Any]) -> list[str]:
    """What is told of a Save that is refused; nothing is saved by it."""
    before = world.query("SELECT c::text FROM xero_sync.connection AS c ORDER BY id")
    made = world.query("SELECT count(*) FROM qicworks.organisation")
    with pytest.raises(WrongPairs) as caught:
        world.match(token_id, pairs)
    assert world.query("SELECT c::text FROM xero_sync.connection AS c ORDER BY id") == before
    assert world.query("SELECT count(*) FROM qicworks.organisation") == made
    assert all(said in caught.value.message for said in caught.value.wrong)
    return caught.value.wrong


def test_matched_anew_the_old_history_stays_and_can_be_gone_back_to(consenting: Consenting) -> None:
    world = consenting
    first, second, _ = world.names()
    token_id = world.connected(0, 1)
    world.pull("contacts", 0)
    old, other = world.live_at(0), world.live_at(1)
    fresh = world.organisation("Fresh Pty Ltd")

    # All pairs are checked before one is saved.
    third = world.organisation("Third")
    assert wrong(world, token_id, {0: other.organisation_id, 1: uuid.uuid4(), 2: third}) == [
        f"{second}: QicWorks no longer has the organisation that was chosen.",
        "Xero no longer lists one of the organisations: begin again with Connect to Xero.",
        f"{first}: '{second}' is matched to {second}: choose another, or delete that connection first.",
    ]
    [twice] = wrong(world, token_id, {0: fresh, 1: fresh})
    assert "is chosen twice" in twice

    # What is on its way, or may be, must come to its end first.
    world.query(
        "INSERT INTO xero_sync.push_request (connection_id, kind, idempotency_key, method, path, documents, versions)"
        " VALUES (%s, 'invoices', 'key', 'PUT', '/', '{}', '{}')",
        old.id,
    )
    [open_request] = wrong(world, token_id, {0: fresh, 1: other.organisation_id})
    assert "push again, then save" in open_request
    world.query("UPDATE xero_sync.push_request SET closed_at = now()")
    world.query(
        "INSERT INTO qicworks.invoice (organisation_id, number, push_state) VALUES (%s, 'INV-1', 'in_flight')",
        old.organisation_id,
    )
    [in_flight] = wrong(world, token_id, {0: fresh})
    assert "being sent to Xero" in in_flight
    world.query("UPDATE qicworks.invoice SET push_state = 'draft'")
    with database.session(world.engine) as session:
        assert lease.acquire(session, old.id, "push", "bills")
        [at_work] = wrong(world, token_id, {0: fresh})
        assert "a push of" in at_work
        lease.release(session)

    [moved] = world.match(token_id, {0: fresh})
    assert str(moved) == f"{first}: matched to QicWorks organisation 'Fresh Pty Ltd'"
    new = world.live_at(0)
    assert (new.id != old.id, new.organisation, new.token_id) == (True, "Fresh Pty Ltd", token_id)
    assert world.pull("contacts", 0).counts.inserted == len(world.sandbox.truth("Contacts", 0))
    kept = world.query("SELECT state, deleted_at FROM xero_sync.connection WHERE id = %s", old.id)[0]
    assert (kept["state"], kept["deleted_at"] is None) == ("deleted", False)
    assert world.query("SELECT 1 FROM qicworks.contact WHERE connection_id = %s LIMIT 1", old.id)

    # The two change places in one Save, and then go back to what they were.
    world.match(token_id, {0: other.organisation_id, 1: fresh})
    assert (world.live_at(0).organisation, world.live_at(1).organisation) == (second, "Fresh Pty Ltd")
    world.match(token_id, {0: old.organisation_id, 1: other.organisation_id})
    assert (world.live_at(0).id, world.live_at(1).id) == (old.id, other.id)
    assert world.pull("contacts", 0).counts.inserted == 0
    assert world.token(token_id)["state"] == "ok"


def test_two_who_save_at_once_make_no_organisation_twice(consenting: Consenting) -> None:
    world = consenting
    token_id = world.consent(0, 1)
    taken = world.organisation(world.names()[2])
    for number in (0, 1):  # all three are called the same
        path = f"organisations/{world.sandbox.tenant(number)}"
        world.sandbox.control("PATCH", path, {"Name": world.names()[2]})
    tenants = [world.sandbox.tenant(number) for number in (0, 1)]
    name = world.names()[2]
    offered = [one.organisation_id for one in world.granted(world.consent(0, 1)).values()]
    assert sorted(offered, key=str) == [None, taken] or offered == [taken, None], "the free one is offered once"

    [free] = wrong(world, token_id, {0: "new"})
    assert f"QicWorks has an organisation '{name}' already: choose it" in free
    troubles: list[BaseException] = []

    def save() -> None:
        try:
            world.match(token_id, {0: taken, 1: "new"})
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            troubles.append(error)

    savers = [threading.Thread(target=save) for _ in range(4)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    assert troubles == []
    assert {tenant: one.organisation for tenant, one in world.live().items()} == {
        tenants[0]: name,
        tenants[1]: f"{name} ({tenants[1][:8]})",
    }
    assert len(world.query("SELECT 1 FROM qicworks.organisation")) == 2
    assert len(world.query("SELECT 1 FROM xero_sync.connection")) == 2


def test_what_cannot_be_read_from_is_matched_all_the_same_and_told(consenting: Consenting) -> None:
    world = consenting
    token_id = world.consent(0, 1)
    world.fault(path="Organisation", kind="revoked", tenant=world.sandbox.tenant(0), times=None)
    troubles = [one.trouble for one in world.match(token_id, {0: "new", 1: "new"})]
    assert [trouble is None for trouble in troubles] == [False, True]
    assert "disconnected the app" in str(troubles[0])
    assert len(world.live()) == 2
