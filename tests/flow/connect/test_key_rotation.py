"""Stored tokens under a new key: beside renewals, without a lost row, and the old key dropped afterwards."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from tests.support.consenting import KEY, Consenting
from tests.support.interrupting import wait_for_waiting
from tests.support.paying import Line, Payroll
from tests.support.pushing import Books
from tests.support.sandbox import CLIENT, Sandbox
from tests.support.world import World
from xero.api.errors import NotMatched, RetryLater
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import switches, token_keys
from xero.qicworks.connect.tokens import save_new, vault
from xero.sync.connect.token_store import DatabaseTokens
from xero.sync.push.verdicts import UNSEALED

NEWEST = "0YHKB7EfVtb9hQuWmEyDjV5tmsHcYTpbZn7sJrVqG7s="


@dataclass
class Rotating(Consenting):
    """A world whose keys, and client secret, can be changed."""

    keys: list[str] = field(default_factory=lambda: [KEY])
    secret: str = CLIENT[1]

    @property
    def airflow_connection(self) -> dict[str, Any]:
        own = super().airflow_connection
        return {**own, "password": self.secret, "extra": {**own["extra"], "token_keys": self.keys}}


@pytest.fixture
def world(sandbox: Sandbox, engine: Engine, database_url: str) -> Rotating:
    return Rotating(sandbox, engine, database_url)


def under(world: Rotating, key: str) -> int:
    """How many stored tokens this key alone opens."""
    alone = replace(world.app(), token_keys=(key,))
    with database.session(world.engine) as session:
        stored, _ = token_keys.check(session, lambda conn_id: alone)
    return sum(one.key is not None for one in stored)


def test_a_new_key_takes_over_and_the_old_one_is_dropped(world: Rotating) -> None:
    token_id = world.connected(0)
    idle = save_new(
        world.engine, world.app(), "xero_default", DatabaseTokens(world.engine, token_id, world.app()).get()
    )
    world.query("UPDATE xero_sync.token SET state = 'broken', secret = '' WHERE id = %s", idle)  # wiped: nothing to do
    with database.session(world.engine) as session:
        for on in (False, True):
            switches.switch(session, world.app(), world.live_at(0).id, on, "Kim")
    held = world.token(token_id)
    world.keys = [NEWEST, KEY]
    assert "needed by 3; run `keys rotate`" in world.main("keys", "check").stdout

    rotated = world.main("keys", "rotate")
    assert (rotated.returncode, rotated.stdout) == (
        0,
        "1 re-encrypted with the newest key, 0 already used it\n",
    ), rotated.stderr
    now = world.token(token_id)
    assert {name for name in now if now[name] != held[name]} == {"secret"}
    assert (under(world, NEWEST), under(world, KEY)) == (1, 0)
    again = world.main("keys", "rotate")
    assert "0 re-encrypted" in again.stdout
    assert world.token(token_id)["secret"] == now["secret"]

    checked = world.main("keys", "check")
    assert checked.returncode == 0
    assert "not needed; can be removed" in checked.stdout
    for key in world.keys:
        assert token_keys.fingerprint(key.encode()) in checked.stdout
        assert key not in checked.stdout + checked.stderr + rotated.stdout
    world.keys = [NEWEST]
    assert world.pull("contacts").status == "success"


def test_links_of_documents_outlast_the_key_that_sealed_them(world: Rotating) -> None:
    """And none is looked up again for it: there is nothing in Xero that says whose this one is."""
    world.connected(0)
    books = Books(world)
    document = books.add("purchase_orders")
    books.push("purchase_orders")
    world.keys = [NEWEST, KEY]
    assert "needed by 4; run `keys rotate`" in world.main("keys", "check").stdout, "token, match, link, content"
    for _ in range(2):
        assert world.main("keys", "rotate").returncode == 0
    assert len(world.query("SELECT 1 FROM xero_sync.document_link")) == 2
    assert "not needed; can be removed" in world.main("keys", "check").stdout
    world.keys = [NEWEST]
    line = "UPDATE qicworks.document_line SET unit_price = 2 WHERE parent_id = %s"
    world.query(line, document)
    books.reprice("purchase_orders", document)
    books.push("purchase_orders")
    books.assert_once("purchase_orders")
    assert books.row("purchase_orders", document)["push_state"] == "pushed", "what was last pushed is still known"


@pytest.mark.parametrize("table", ["pushed_content", "push_request"])
def test_a_key_is_needed_by_what_alone_it_has_sealed(world: Rotating, table: str) -> None:
    """What was last pushed, and a request that is open: a worker that did not know the new key sealed it last."""
    world.connected(0)
    books = Books(world)
    order = books.add("purchase_orders")
    books.push("purchase_orders")
    books.add("bills")
    world.fault(kind="lost_answer", method="PUT", path=KINDS["bills"].path)
    with pytest.raises(RetryLater):
        books.push("bills", client={"backoff": ()})
    [held] = world.query(f"SELECT * FROM xero_sync.{table} WHERE seal IS NOT NULL")
    world.keys = [NEWEST, KEY]
    assert world.main("keys", "rotate").returncode == 0
    assert "not needed; can be removed" in world.main("keys", "check").stdout
    world.query(f"UPDATE xero_sync.{table} SET seal = %s WHERE seal IS NOT NULL", held["seal"])
    assert "needed by 1; run `keys rotate`" in world.main("keys", "check").stdout
    assert world.main("keys", "rotate").returncode == 0
    assert "not needed; can be removed" in world.main("keys", "check").stdout
    [now] = world.query(f"SELECT * FROM xero_sync.{table} WHERE seal IS NOT NULL")
    assert {name for name in now if now[name] != held[name]} == {"seal"}

    world.keys = [NEWEST]
    world.query("UPDATE qicworks.document_line SET unit_price = 2 WHERE parent_id = %s", order)
    books.reprice("purchase_orders", order)
    for kind in ("bills", "purchase_orders"):
        books.push(kind)
        books.assert_once(kind)
        assert [row["push_state"] for row in books.rows(kind)] == ["pushed"]
    assert UNSEALED[0] not in str(world.query("SELECT message FROM xero_sync.connection_event"))


def test_rotation_beside_a_renewal_keeps_what_was_renewed(world: Rotating) -> None:
    """The renewal holds the row while it asks Xero; the rotation waits for it, and re-encrypts what it stored."""
    token_id = world.connected(0)
    world.keys = [NEWEST, KEY]
    stale = DatabaseTokens(world.engine, token_id, world.app()).get()
    renewing = DatabaseTokens(
        world.engine, token_id, replace(world.app(), token_keys=(KEY,))
    )  # not told of the new key yet

    def rotate() -> int:
        with database.session(world.engine) as session:
            return token_keys.rotate(session, lambda conn_id: world.app()).rotated.total()

    with ThreadPoolExecutor() as threads:
        with world.sandbox.hold("/connect/token") as wait_until_held:
            renewed = threads.submit(renewing.renew, stale)
            wait_until_held()
            rotated = threads.submit(rotate)
            wait_for_waiting(world)
        token = renewed.result()
        assert rotated.result() == 1
    assert token.access_token != stale.access_token
    assert DatabaseTokens(world.engine, token_id, replace(world.app(), token_keys=(NEWEST,))).get() == token


def test_a_lost_key_is_said_and_loses_no_row(world: Rotating) -> None:
    token_id = world.connected(0)
    secret = world.token(token_id)["secret"]
    world.keys = [NEWEST]
    for action in ("rotate", "check"):
        found = world.main("keys", action)
        assert found.returncode == 1
        assert "put its key back into token_keys, behind the newest, or connect to Xero again" in found.stderr
    assert world.token(token_id)["secret"] == secret
    with pytest.raises(NotMatched):
        world.pull("contacts")
    event = world.event()
    assert (event["status"], event["data_set"]) == ("error", "contacts")
    assert "or token_keys changed" in event["message"]
    assert "connect to Xero again" in event["correction"]

    # Connecting again is enough; the history goes on, and the unreadable token is no trouble any more.
    connection = world.live_at(0).id
    world.connected(0)
    assert world.live_at(0).id == connection
    assert world.pull("contacts").status == "success"
    assert world.main("keys", "check").returncode == 0


@pytest.mark.parametrize(
    ("keys", "said"),
    [([KEY, KEY[:-2]], "xero_default: Of the connection's 2 token_keys number 2 is not"), ([], "has no token_keys")],
)
def test_a_malformed_key_is_said_and_nobody_has_to_connect_again(world: Rotating, keys: list[str], said: str) -> None:
    token_id = world.connected(0)
    secret = world.token(token_id)["secret"]
    world.keys = keys
    for action in ("rotate", "check"):
        found = world.main("keys", action)
        assert found.returncode == 1
        assert said in found.stderr
        assert "connect to Xero again" not in found.stderr
        assert KEY[:-2] not in found.stdout + found.stderr
    assert world.token(token_id)["secret"] == secret


def test_a_new_client_secret_of_an_app_that_speaks_for_itself(unconnected: World) -> None:
    """With client_credentials the key follows from the secret: a new secret opens no token, and needs none."""
    assert unconnected.connect() == 0
    before = replace(unconnected.app(), client_secret="the secret before")
    [token_id] = [row["id"] for row in unconnected.query("SELECT id FROM xero_sync.token")]
    stored = msgspec.json.encode(DatabaseTokens(unconnected.engine, token_id, unconnected.app()).get())
    unconnected.query("UPDATE xero_sync.token SET secret = %s", vault(before).encrypt(stored))
    for action in ("rotate", "check"):
        found = unconnected.main("keys", action)
        assert found.returncode == 0
        assert "the app requests a new token automatically" in found.stderr
    assert unconnected.pull("contacts").status == "success"
    found = unconnected.main("keys", "check")
    assert "needed by 4; the newest" in found.stdout
    assert found.stderr == ""
    # The match is sealed under the same key, and one cannot tell who sealed it any more: it is connected once again.
    unconnected.query("UPDATE xero_sync.connection SET seal = %s", vault(before).encrypt(b"a digest"))
    found = unconnected.main("keys", "check")
    assert found.returncode == 1
    assert "was not sealed with any of the keys" in found.stderr
    with pytest.raises(NotMatched):
        unconnected.pull("contacts", full=True)
    assert unconnected.connect() == 0
    assert unconnected.pull("contacts", full=True).status == "success"
    assert unconnected.main("keys", "check").returncode == 0


def test_seals_of_pay_are_rotated_and_a_lost_one_is_said(world: Rotating) -> None:
    world.connected(0)
    payroll = Payroll(world)
    payroll.pay_run("post")
    one, other = payroll.paid_by_the_hour()[:2]
    period = payroll.period(1)
    document = payroll.pay(one, period, Line(units="10", rate="45.5"))
    payroll.push("payroll")
    world.keys = [NEWEST, KEY]
    assert "needed by 4; run `keys rotate`" in world.main("keys", "check").stdout, "token, match, pay and its link"
    assert world.main("keys", "rotate").returncode == 0
    assert "not needed; can be removed" in world.main("keys", "check").stdout
    world.keys = [NEWEST]

    def edited(units: str) -> str | None:
        payroll.add_line(document, Line(units=units, rate="45.5"))
        payroll.ready("payroll_push", document)
        payroll.push("payroll")
        return str(payroll.row("payroll_push", document)["push_state"])

    assert edited("1") == "pushed"
    seal = vault(replace(world.app(), token_keys=(KEY,))).encrypt(b"a digest")
    world.query("UPDATE xero_sync.owned_earnings_line SET seal = %s", seal)
    found = world.main("keys", "check")
    assert (found.returncode, "(1) were not sealed with any of the keys" in found.stderr) == (1, True)
    payroll.pay(other, period, Line(units="12"))
    assert edited("2") == "failed"
    assert payroll.states("payroll_push")[1] == ("pushed", None)
    # Who owns the tables says that they are right as they stand.
    world.query("UPDATE xero_sync.owned_earnings_line SET written = NULL, seal = NULL")
    assert edited("3") == "pushed"
    assert world.main("keys", "check").returncode == 0


def test_fingerprints_tell_keys_apart_and_nothing_else() -> None:
    key = Fernet.generate_key()
    shown = token_keys.fingerprint(key)
    assert shown == token_keys.fingerprint(key) != token_keys.fingerprint(Fernet.generate_key())
    assert len(shown) == 8
    assert shown.encode() not in key
