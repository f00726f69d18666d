"""What an Airflow connection says about a Xero app, and what is wrong with one."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from xero.api.errors import Misconfigured
from xero.api.settings import XeroApp


def connection(**fields: Any) -> SimpleNamespace:
    given = {"login": "id", "password": "secret", "host": None, "schema": None, "port": None, "extra": None}
    return SimpleNamespace(**{**given, **fields})


def test_credentials_alone_mean_xero_itself() -> None:
    app = XeroApp.from_connection(connection())
    assert (app.api_host, app.identity_host) == ("https://api.xero.com", "https://identity.xero.com")
    assert app.login_host == "https://login.xero.com"
    assert app.grant_type == "authorization_code"
    assert "offline_access" in app.scopes
    assert (app.minute_limit, app.minute_seconds, app.concurrent_limit, app.app_limit) == (60, 60.0, 5, 10_000)
    assert app.day_limit is None


@pytest.mark.parametrize("as_text", [True, False])
def test_everything_can_be_said(as_text: bool) -> None:
    extra = {
        "identity_host": "http://127.0.0.1:9000/", "login_host": "login.example", "grant_type": "client_credentials",
        "scopes": "a b,c", "redirect_uri": "https://x.example/back", "token_keys": ["new", "old"],
        "limits": {"minute_limit": 10, "minute_seconds": 6, "concurrent_limit": 2, "app_limit": 99, "day_limit": 50},
    }  # fmt: skip
    app = XeroApp.from_connection(
        connection(host="127.0.0.1", schema="http", port=8787, extra=json.dumps(extra) if as_text else extra)
    )
    assert app.api_host == "http://127.0.0.1:8787"
    assert app.identity_host == "http://127.0.0.1:9000"
    assert app.login_host == "https://login.example"
    assert app.scopes == ("a", "b", "c")
    assert app.token_keys == ("new", "old")
    assert (app.minute_limit, app.minute_seconds, app.concurrent_limit, app.app_limit) == (10, 6.0, 2, 99)
    assert app.day_limit == 50


@pytest.mark.parametrize(
    ("fields", "host"),
    [
        ({"host": "api.example"}, "https://api.example"),
        ({"host": "http://127.0.0.1:80/"}, "http://127.0.0.1:80"),
        ({"host": "http://127.0.0.1:80", "port": 80}, "http://127.0.0.1:80"),
        ({"host": "https://api.example", "port": 8443}, "https://api.example:8443"),
        ({"host": "[::1]", "port": 99}, "https://[::1]:99"),
        # A port of 0, which Airflow's form sends where it shows none, is none.
        ({"host": "https://api.example", "port": 0}, "https://api.example"),
        ({"host": "http://127.0.0.1:0/"}, "http://127.0.0.1"),
    ],
)
def test_hosts_with_and_without_scheme_and_port(fields: dict[str, Any], host: str) -> None:
    assert XeroApp.from_connection(connection(**fields)).api_host == host


def test_as_many_calls_a_minute_as_can_be_kept_count_of() -> None:
    assert XeroApp.from_connection(connection(extra={"limits": {"minute_limit": 1_000}})).minute_limit == 1_000


def test_extras_of_a_connection_uri_are_texts() -> None:
    extra = {"token_keys": '["k1", "k2"]', "limits": '{"minute_limit": "7"}'}
    app = XeroApp.from_connection(connection(extra=extra))
    assert app.token_keys == ("k1", "k2")
    assert app.minute_limit == 7


def test_an_app_that_speaks_for_itself_asks_for_no_user_scopes() -> None:
    app = XeroApp.from_connection(connection(extra={"grant_type": "client_credentials"}))
    assert "accounting.contacts" in app.scopes
    assert "offline_access" not in app.scopes


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"login": None}, "client id"),
        ({"password": ""}, "client secret"),
        ({"password": "has a space"}, "client secret"),
        ({"extra": "{not json, key: hush-hush"}, "extra"),
        ({"extra": "[1]"}, "extra"),
        ({"extra": {"grant_type": "password"}}, "grant_type"),
        ({"host": "ftp://x"}, "host"),
        ({"host": "http://user:hush-hush@x"}, "host"),
        ({"host": "http://x:port"}, "host"),
        ({"extra": {"identity_host": "http://identity.xero.com"}}, "identity_host"),
        ({"extra": {"scopes": 5}}, "scopes"),
        ({"extra": {"limits": {"minutes": 5}}}, "limits"),
        ({"extra": {"limits": {"minute_limit": 0}}}, "minute_limit"),
        ({"extra": {"limits": {"minute_limit": "hush-hush"}}}, "minute_limit"),
        ({"extra": {"limits": {"minute_limit": 100_000}}}, "minute_limit is over 1,000"),
        ({"extra": {"limits": {"minute_limit": "1000.5", "minute_seconds": 1}}}, "minute_limit is over 1,000"),
    ],
)
def test_what_is_wrong_is_named_and_secrets_are_not(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(Misconfigured) as error:
        XeroApp.from_connection(connection(**fields))
    assert named in str(error.value)
    assert "Correct" in error.value.correction
    assert "hush" not in str(error.value)
    assert error.value.__cause__ is None


def test_no_secret_shows() -> None:
    app = XeroApp.from_connection(connection(password="hush-hush", extra={"token_keys": ["hush-key"]}))
    assert "hush" not in repr(app)


@pytest.mark.parametrize("kind", ["http", "postgres"])
def test_only_a_connection_of_type_xero_is_a_xero_app(kind: str) -> None:
    assert XeroApp.from_connection(connection(conn_type="xero")).client_id == "id"
    with pytest.raises(Misconfigured, match="only a connection of type xero"):
        XeroApp.from_connection(connection(conn_type=kind))
