"""XeroHook: an HttpHook that does not do what a bare HttpHook would."""

import json
from pathlib import Path

import pytest
from requests.exceptions import InvalidSchema

from tests.support.scripted import ACCESS, SECRET, Reply, Server, Tokens, as_json
from tests.support.world import World
from xero.api.errors import Refused
from xero.api.limits import NoLimiter

HUSH = "hush-hush"


@pytest.fixture
def connected(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """An Airflow connection whose extras a bare HttpHook would send as headers and options."""
    extra = {
        "identity_host": server.url, "login_host": server.url, "grant_type": "client_credentials",
        "token_keys": [HUSH], "X-Custom": HUSH, "verify": False, "scopes": "accounting.contacts",
    }  # fmt: skip
    connect(monkeypatch, server, extra)
    return server


def connect(monkeypatch: pytest.MonkeyPatch, server: Server, extra: dict[str, object]) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    fields = {"conn_type": "xero", "login": "the-client", "password": SECRET, "host": host, "port": int(port)}
    monkeypatch.setenv("AIRFLOW_CONN_XERO_DEFAULT", json.dumps({**fields, "schema": "http", "extra": extra}))


def sent(server: Server) -> dict[str, str]:
    headers = dict(server.seen[-1].headers)
    assert headers.pop("Host") in server.url
    return headers


PLAIN = {
    "User-Agent": "qicworks-xero", "Accept": "application/json", "Accept-Encoding": "gzip", "Connection": "keep-alive",
}  # fmt: skip


def test_exactly_these_headers(connected: Server) -> None:
    from xero.hooks import XeroHook

    client = XeroHook().client("tenant-1", Tokens(), NoLimiter())
    client.get("/api.xro/2.0/Contacts", params={"page": 1})
    assert sent(connected) == {**PLAIN, "Authorization": f"Bearer {ACCESS}", "xero-tenant-id": "tenant-1"}


def test_neither_run_nor_the_session_send_credentials_or_extras(
    connected: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from xero.hooks import XeroHook

    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login wrong password wrong\n")
    hook = XeroHook()
    hook._client = hook.client("tenant-1", Tokens(), NoLimiter())
    usual = {**PLAIN, "Authorization": f"Bearer {ACCESS}", "xero-tenant-id": "tenant-1"}
    hook.run("/anything")
    assert sent(connected) == usual
    hook.get_conn().get(f"{connected.url}/other?page=2&where=a%3D%22b%22")
    assert sent(connected) == usual
    assert connected.seen[-1].path == "/other?page=2&where=a%3D%22b%22"
    hook.run("/third", headers={"If-Modified-Since": "2026-01-02T03:04:05"})
    assert sent(connected) == {**usual, "If-Modified-Since": "2026-01-02T03:04:05"}
    hook.run("/fourth")
    assert sent(connected) == usual
    assert SECRET not in caplog.text
    assert HUSH not in caplog.text


def test_the_session_reads_and_reaches_no_other_host(connected: Server) -> None:
    from xero.hooks import XeroHook

    hook = XeroHook()
    hook._client = hook.client("tenant-1", Tokens(), NoLimiter())
    for host in ("http://127.0.0.1:9", connected.url.replace("http", "https"), "https://example.com"):
        with pytest.raises(InvalidSchema):
            hook.get_conn().get(f"{host}/api.xro/2.0/Contacts")
    for ask in (
        lambda: hook.get_conn().put(f"{connected.url}/api.xro/2.0/Invoices", json={}),
        lambda: hook.get_conn().delete(f"{connected.url}/connections/1"),
        lambda: hook.run("/x", headers={"Accept": "application/pdf"}),
        lambda: hook.run("/x", headers={"Idempotency-Key": "1"}),
    ):
        with pytest.raises(ValueError, match="XeroHook"):
            ask()
    assert connected.seen == []


def test_run_reads_from_the_organisation_by_its_token_limits_and_retries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk import Connection

    from xero.hooks import XeroHook, qicworks_engine

    for name in ("AIRFLOW_CONN_XERO_DEFAULT", "AIRFLOW_CONN_QICWORKS_DEFAULT"):
        monkeypatch.setenv(name, world.environment()[name])
    qicworks_engine.cache_clear()
    try:
        first, second, _ = world.names()
        hook = XeroHook(organisation=second)
        for kind in ("token_expired", "500"):
            world.fault(kind=kind, path="/api.xro/2.0/Contacts", times=1)
        world.calls()
        found = hook.run("api.xro/2.0/Contacts", {"page": 1, "pageSize": 10}).json()
        assert [len(found["Contacts"]), found["pagination"]["page"]] == [10, 1]
        calls = world.calls()
        assert [call["status"] for call in calls] == [401, 500, 200]
        assert {call["tenant"] for call in calls} == {world.sandbox.tenant(1)}
        budget = "SELECT cardinality(calls) > 0 AS counted FROM xero_sync.call_budget WHERE tenant_id = %s"
        assert world.query(budget, world.sandbox.tenant(1)) == [{"counted": True}]
        session = XeroHook(organisation=first).get_conn()
        [own] = session.get(f"{world.sandbox.url}/api.xro/2.0/Organisation").json()["Organisations"]
        assert own["Name"] == first
        later = {"If-Modified-Since": "2099-01-01T00:00:00"}
        assert hook.run("api.xro/2.0/Contacts", headers=later).json().get("Contacts", []) == []
        with pytest.raises(Refused):
            hook.run("api.xro/2.0/Nothing")
        with pytest.raises(LookupError, match=f"'{first}'.*XeroHook\\(organisation"):
            Connection.get("xero_default").get_hook().run("api.xro/2.0/Contacts")
        world.query("UPDATE xero_sync.connection SET enabled = false WHERE tenant_id <> %s", world.sandbox.tenant(0))
        assert XeroHook().run("api.xro/2.0/Organisation").json()["Organisations"][0]["Name"] == first
    finally:
        qicworks_engine().dispose()
        qicworks_engine.cache_clear()


def test_one_session_for_all_calls(connected: Server) -> None:
    from xero.hooks import XeroHook

    hook = XeroHook()
    for _ in range(3):
        hook.client("tenant-1", Tokens(), NoLimiter()).get("/api.xro/2.0/Accounts")
    assert len({seen.port for seen in connected.seen}) == 1


def test_the_test_button_of_an_app_that_speaks_for_itself(connected: Server) -> None:
    from airflow.sdk import Connection

    entries = [
        {"id": str(n), "tenantId": str(n), "tenantType": "ORGANISATION", "tenantName": name}
        for n, name in enumerate(("Bright Sparks", "Müller Plumbing"))
    ]
    connected.says(as_json(200, {"access_token": ACCESS, "expires_in": 1800}), as_json(200, entries))
    hook = Connection.get("xero_default").get_hook()
    assert type(hook).__name__ == "XeroHook"
    assert hook.test_connection() == (True, "2 organisations: Bright Sparks, Müller Plumbing")
    assert [seen.path for seen in connected.seen] == ["/connect/token", "/connections"]


@pytest.mark.parametrize(
    ("error", "good", "words"),
    [("invalid_grant", True, "accepts the client id"), ("invalid_client", False, "client secret"),
     ("unauthorized_client", False, "client secret")],
)  # fmt: skip
def test_the_test_button_of_an_app_for_users(
    connected: Server, monkeypatch: pytest.MonkeyPatch, error: str, good: bool, words: str
) -> None:
    from xero.hooks import XeroHook

    connect(monkeypatch, connected, {"identity_host": connected.url})
    connected.says(as_json(400, {"error": error}))
    passed, said = XeroHook().test_connection()
    assert passed is good
    assert words in said
    assert SECRET not in said
    assert len(connected.seen) == 1
    assert b"grant_type=refresh_token" in connected.seen[0].body


def test_the_test_button_tells_what_is_wrong(connected: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from xero.hooks import XeroHook

    connected.says(Reply(200, b"<html>"))
    passed, said = XeroHook().test_connection()
    assert not passed
    assert "identity_host" in said
    connect(monkeypatch, connected, {"grant_type": "magic"})
    passed, said = XeroHook().test_connection()
    assert not passed
    assert "grant_type" in said


def test_qicworks_by_an_airflow_connection(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    from xero.hooks import qicworks_engine

    monkeypatch.setenv("AIRFLOW_CONN_QICWORKS_DEFAULT", database_url)
    engine = qicworks_engine()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT to_regclass('xero_sync.token')::text").scalar() == "xero_sync.token"
    engine.dispose()
