"""What is written to connections, authorisations and consents decides neither whose books nor whose tokens go where."""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.support.consenting import Consenting
from tests.support.scripted import Reply, Server
from tests.support.world import World
from xero.api.errors import ConsentFailed, Misconfigured, NotMatched, XeroError
from xero.api.settings import XeroApp
from xero.api.tokens import Token
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.qicworks import database
from xero.qicworks.connect import connections, switches
from xero.qicworks.connect.tokens import vault
from xero.qicworks.runs.events import Origin
from xero.sync.connect import consent
from xero.sync.connect.renew_idle import renew_idle_tokens
from xero.sync.connect.token_store import DatabaseTokens
from xero.sync.pull.flow import pull
from xero.sync.runs.outcome import Skip

SWITCHINGS = "SELECT enabled, seal FROM xero_sync.switching WHERE connection_id = %s ORDER BY id"


class Elsewhere(Server):
    """Takes whatever it is sent for a good answer."""

    def __init__(self) -> None:
        super().__init__()
        body = {"access_token": "x", "refresh_token": "y", "expires_in": 1800, "token_type": "Bearer", "scope": "a"}
        self.replies = [Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})]


def test_what_is_off_is_on_only_when_somebody_switches_it_on(world: World) -> None:
    id, name = UUID(world.connection_id()), world.names()[0]
    client = opener(world.engine, world.app)

    def switch(on: bool) -> None:
        with database.session(world.engine) as session:
            switches.switch(session, world.app(), id, on, "Kim")

    def write(what: str) -> None:
        world.query(f"UPDATE xero_sync.connection SET {what} WHERE id = %s", id)

    def left_out() -> bool:
        with pytest.raises(Skip, match="switched off"):
            pull(DATASETS["contacts"], id, engine=world.engine, open_client=client, origin=Origin())
        return f"{name}\t" in (told := world.main("connections").stdout) and "switched off" in told

    switch(False)
    write("enabled = true")
    assert left_out()
    # What was sealed when it was on the last time is good for nothing now.
    switch(True)
    assert world.pull("contacts").status == "success"
    [_, on] = world.query(SWITCHINGS, id)
    switch(False)
    for seal in (on["seal"], None, b"gA"):
        world.query("INSERT INTO xero_sync.switching (connection_id, enabled, seal) VALUES (%s, true, %s)", id, seal)
        write("enabled = true")
        with pytest.raises(NotMatched, match="not switched on through the page"):
            world.pull("contacts")
    switch(True)
    assert world.pull("contacts").status == "success"
    # One that is deleted does not come back by itself, but by connecting.
    with database.session(world.engine) as session:
        connections.QUERIES.delete(session, id=id)
    write("state = 'connected', deleted_at = NULL")
    assert left_out()
    write("state = 'deleted'")
    assert world.connect() == 0
    assert world.pull("contacts").status == "success"


def test_a_match_without_a_seal_is_confirmed_by_its_name_or_by_a_person(world: World) -> None:
    one, other, third = (world.sandbox.tenant(number) for number in range(3))
    matched = "SELECT tenant_id, organisation_id FROM xero_sync.connection WHERE state <> 'deleted' ORDER BY 1"
    for tenant, becomes in ((one, "x"), (other, one), ("x", other)):
        world.query("UPDATE xero_sync.connection SET tenant_id = %s WHERE tenant_id = %s", becomes, tenant)
    world.query("UPDATE xero_sync.connection SET seal = NULL WHERE tenant_id = %s", third)
    before = world.query(matched)
    done = world.main("connect", "--all")
    assert done.returncode == 1
    for name, held in ((0, 1), (1, 0)):
        assert f"{world.names()[name]}: left as it is: its match with '{world.names()[held]}'" in done.stdout
    assert world.query(matched) == before
    for number in range(2):
        with pytest.raises(NotMatched):
            world.pull("contacts", number)
    assert world.pull("contacts", 2).status == "success", "its name says the same"


def test_a_connection_that_nobody_made_says_nothing_of_a_new_one(unconnected: World) -> None:
    world = unconnected
    world.connect()
    tenant = world.sandbox.tenant(2)
    [secret] = world.query("INSERT INTO qicworks.organisation (name) VALUES ('Zeta') RETURNING id")
    for table in ("connection_event", "standing", "traffic"):
        world.query(f"DELETE FROM xero_sync.{table}")
    world.query("DELETE FROM xero_sync.connection WHERE tenant_id = %s", tenant)
    world.query(
        "INSERT INTO xero_sync.connection (organisation_id, token_id, tenant_id, tenant_name, state)"
        " SELECT %s, token_id, %s, 'x', 'deleted' FROM xero_sync.connection LIMIT 1", secret["id"], tenant,
    )  # fmt: skip
    assert world.connect() == 0
    [live] = world.query(
        "SELECT organisation_id FROM xero_sync.connection WHERE tenant_id = %s AND state = 'connected'", tenant
    )
    assert live["organisation_id"] != secret["id"]


def test_a_token_is_its_own_row_s_and_its_own_app_s(consenting: Consenting) -> None:
    one, other = consenting.connected(0), consenting.connected(1)
    write = "UPDATE xero_sync.token SET secret = %s WHERE id = %s"
    held = {id: bytes(consenting.token(id)["secret"]) for id in (one, other)}
    seal = consenting.query("SELECT seal FROM xero_sync.connection LIMIT 1")[0]["seal"]
    made_up = vault(consenting.app()).encrypt(b'["no", "token"]')
    for wrong in (held[other], seal, made_up):
        consenting.query(write, wrong, one)
        with pytest.raises(Misconfigured, match="belong to another authorisation"):
            DatabaseTokens(consenting.engine, one, consenting.app()).get()
        checked = consenting.main("keys", "check")
        assert (checked.returncode, str(one) in checked.stderr) == (1, True)
        assert consenting.main("keys", "rotate").returncode == 1
        assert bytes(consenting.token(one)["secret"]) == bytes(wrong)
    consenting.query(write, held[one], one)

    # Another app, be it with the same keys, is sent nothing: neither by runs, nor by what renews.
    elsewhere = Elsewhere()
    own = consenting.airflow_connection
    there = {**own, "host": elsewhere.url, "login": "another"}
    there["extra"] = {**own["extra"], "identity_host": elsewhere.url}
    apps = {"xero_default": consenting.app(), "xero_test": app_from(there)}
    consenting.query(
        "UPDATE xero_sync.token SET airflow_conn_id = 'xero_test', renewed_at = now() - interval '31 days'"
    )
    renewed, told = renew_idle_tokens(consenting.engine, apps.__getitem__, Origin())
    assert (renewed, len(told)) == (0, 2)
    with suppress(XeroError):
        consent.authorised_tenants(consenting.engine, apps.__getitem__, one)
    assert elsewhere.seen == []
    elsewhere.close()


def app_from(airflow_connection: dict[str, Any]) -> XeroApp:
    return XeroApp.from_connection(type("Connection", (), {"schema": None, "port": None, **airflow_connection}))


def test_a_token_of_before_goes_on_until_it_is_renewed_or_rotated(consenting: Consenting) -> None:
    token_id = consenting.connected(0)
    store = DatabaseTokens(consenting.engine, token_id, consenting.app())
    old = msgspec.json.encode(store.get())
    for how in ("renewed", "rotated"):
        consenting.query("UPDATE xero_sync.token SET secret = %s", vault(consenting.app()).encrypt(old))
        token = store.get()
        if how == "renewed":
            old = msgspec.json.encode(store.renew(token))
        else:
            assert "1 re-encrypted" in consenting.main("keys", "rotate").stdout
        plain = vault(consenting.app()).decrypt(bytes(consenting.token(token_id)["secret"]))
        assert json.loads(plain)["row"] == str(token_id), how
        assert msgspec.json.decode(plain, type=Token) == store.get(), "those of before read it"


def test_an_app_that_speaks_for_itself_gets_a_token_where_there_is_none(world: World) -> None:
    world.query("UPDATE xero_sync.token SET secret = (SELECT seal FROM xero_sync.connection LIMIT 1)")
    checked = world.main("keys", "check")
    assert "requests a new token automatically" in checked.stderr
    assert world.pull("contacts").status == "success"


def test_a_code_goes_to_the_app_that_its_consent_was_begun_for(consenting: Consenting) -> None:
    elsewhere = Elsewhere()
    own = consenting.airflow_connection
    there = {**own, "host": elsewhere.url, "login": "another"}
    there["extra"] = {**own["extra"], "identity_host": elsewhere.url}
    apps = {"xero_default": consenting.app(), "xero_test": app_from(there)}
    for wrong in ("airflow_conn_id = 'xero_test'", "seal = NULL"):
        answer = consenting.answer(0)
        consenting.query(f"UPDATE xero_sync.oauth_state SET {wrong}")
        consenting.asked()
        with pytest.raises(ConsentFailed, match="started by another app"):
            consent.finish(consenting.engine, apps.__getitem__, consenting.user_id, answer["state"], answer["code"])
        assert consenting.event()["status"] == "error"
    assert elsewhere.seen == []
    elsewhere.close()


def test_who_disconnects_one_disconnects_that_one(consenting: Consenting) -> None:
    consenting.connected(0, 1, 2)
    one, other, third = (consenting.live_at(number) for number in range(3))

    def there() -> set[str]:
        return {found["tenantId"] for found in consenting.sandbox.control("GET", "connections").get("user", [])}

    set_id = "UPDATE xero_sync.connection SET xero_connection_id = {} WHERE id = %s"
    consenting.query(
        set_id.format("(SELECT xero_connection_id FROM xero_sync.connection WHERE id = %s)"), other.id, one.id
    )
    consenting.disconnect(one.id)
    assert there() == {other.tenant_id, third.tenant_id}
    consenting.query(set_id.format("'../api.xro/2.0/Items/1?x=y#'"), other.id)
    consenting.asked()
    consenting.disconnect(other.id)
    assert all(path.startswith("/connections/") for method, path in consenting.asked() if method == "DELETE")
    assert there() == {third.tenant_id}
    # Nor is another one cut off where the row says that it is this one, nor everything of its user.
    consenting.query("UPDATE xero_sync.connection SET tenant_id = 'x' WHERE id = %s", third.id)
    told = consenting.disconnect(third.id)
    assert "could not be disconnected at Xero" in told[0]
    assert "the authorisation is unchanged" in told[-1]
    assert there() == {third.tenant_id}
    assert consenting.token(third.token_id)["state"] == "ok"
