"""No token, secret or authorisation header stands in clear in any table, log, event or error."""

import logging
import re

import pytest

from tests.flow.conftest import World
from tests.sandbox.conftest import CLIENT
from xero.api.errors import XeroError
from xero.qicworks.tokens import DatabaseTokens


def everything_in_the_database(world: World) -> str:
    tables = world.query(
        "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables"
        " WHERE table_schema IN ('xero_sync', 'qicworks') AND table_type = 'BASE TABLE'"
    )
    assert len(tables) > 10
    dump = []
    for table in tables:
        dump += [row["line"] for row in world.query(f"SELECT t::text AS line FROM {table['name']} AS t")]
    return "\n".join(dump)


def test_nothing_secret_is_readable_anywhere(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.pull("contacts")
    token_id = world.query("SELECT token_id FROM xero_sync.connection LIMIT 1")[0]["token_id"]
    token = DatabaseTokens(world.engine, token_id, world.app()).get()
    errors = []
    for kind in ("token_expired", "revoked", "no_scope", "malformed", "429", "503", "cut", "html"):
        world.fault(path="Accounts", kind=kind, times=9, retry_after=4_000)
        try:
            world.pull("chart_of_accounts")
        except Exception as error:  # noqa: BLE001 - whatever it is, it must hold no secret
            errors.append(error)
        world.sandbox.control("DELETE", "faults")
        world.query("UPDATE xero_sync.call_budget SET not_before = NULL")
    assert len([error for error in errors if isinstance(error, XeroError)]) >= 5
    said = [repr(error) + str(error) + repr(error.__cause__) + repr(error.__context__) for error in errors]
    result = world.command("-v", "pull", "all")
    assert "connection_event" in result.stderr

    searched = "\n".join([everything_in_the_database(world), caplog.text, *said, result.stdout, result.stderr])
    newest = DatabaseTokens(world.engine, token_id, world.app()).get()
    for secret in (token.access_token, newest.access_token, CLIENT[1]):
        assert len(secret) > 20
        assert secret not in searched
        assert secret.encode().hex() not in searched, "nor as bytes"
    assert not re.search(r"(?i)bearer\s+\S{8}|basic\s+[A-Za-z0-9+/=]{16}", searched)
    assert not re.search(r"eyJ[\w-]{10,}\.", searched)
