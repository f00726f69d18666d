"""What stands in `xero_sync.connection` is no authority: books go only where somebody has matched them."""

from functools import partial
from typing import Any

import pytest

from tests.support.pushing import Books
from tests.support.world import World
from xero.api.errors import NotMatched
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS
from xero.qicworks.runs.events import Origin
from xero.sync.pull.flow import pull
from xero.sync.push.flow import push

OWN, OTHER = 0, 2
FORGED = {
    "another Xero organisation": "tenant_id = (SELECT tenant_id FROM xero_sync.connection WHERE id = '{other}')",
    "another QicWorks organisation": "organisation_id = (SELECT organisation_id FROM xero_sync.connection"
    " WHERE id = '{other}')",
    "another authorisation": "token_id = '{token}'",
    "the other's seal": "seal = (SELECT seal FROM xero_sync.connection WHERE id = '{other}')",
    "no seal": "seal = NULL",
    "a made-up seal": "seal = '\\x6741'",
}


def forge(world: World, what: str) -> None:
    other, own = (world.connection_id(one) for one in (OTHER, OWN))
    [token] = world.query(
        "INSERT INTO xero_sync.token (airflow_conn_id, secret, expires_at, scope, state)"
        " SELECT airflow_conn_id, secret, expires_at, scope, state FROM xero_sync.token LIMIT 1 RETURNING id"
    )
    # Of one Xero organisation, and of one of QicWorks, only one connection is live.
    world.query("UPDATE xero_sync.connection SET state = 'deleted' WHERE id = %s", other)
    world.query(
        f"UPDATE xero_sync.connection SET {FORGED[what].format(other=other, token=token['id'])} WHERE id = %s", own
    )


@pytest.mark.parametrize("what", FORGED)
def test_what_nobody_matched_is_neither_read_nor_sent_to(world: World, what: str) -> None:
    own = world.connection_id(OWN)
    books = Books(world)
    books.add("bills")
    forge(world, what)
    world.calls()
    how: dict[str, Any] = {
        "engine": world.engine,
        "open_client": opener(world.engine, world.app),
        "origin": Origin(),
    }
    for direction, run in (("pull", partial(pull, DATASETS["contacts"])), ("push", partial(push, KINDS["bills"]))):
        with pytest.raises(NotMatched):
            run(own, **how)
        event = world.event()
        assert (event["status"], event["direction"]) == ("error", direction)
        assert "connect to Xero again" in event["correction"]
    assert world.calls() == []
    assert [row["push_state"] for row in books.rows("bills")] == ["ready"], "nothing is lost"


@pytest.mark.parametrize("what", ["no seal", "a made-up seal", "another authorisation"])
def test_connecting_again_seals_what_is_right(world: World, what: str) -> None:
    forge(world, what)
    world.query("UPDATE xero_sync.connection SET state = 'connected' WHERE state = 'deleted'")
    assert world.connect() == 0
    assert world.pull("contacts").status == "success"


def test_what_was_matched_before_there_were_seals_goes_on(world: World) -> None:
    """As it was then; what has changed since somebody has to have matched."""
    world.query("UPDATE xero_sync.connection SET seal = NULL")
    world.query(
        "INSERT INTO xero_sync.match_before_seals SELECT connection.id, organisation_id, tenant_id, token_id,"
        " airflow_conn_id FROM xero_sync.connection JOIN xero_sync.token ON token.id = token_id"
    )
    assert world.pull("contacts").status == "success"
    forge(world, "another authorisation")
    with pytest.raises(NotMatched):
        world.pull("contacts")
