"""Documents over which Xero comes to grief each time: they hold nothing else up."""

import pytest

from tests.flow.conftest import World
from tests.flow.pushing import Books
from xero.api.client import XeroClient
from xero.api.errors import RetryLater


def test_a_document_that_always_gets_a_500_goes_by_itself_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox fails over whatever names it; the other documents arrive, once."""
    books = Books(world)
    books.add_many("invoices", 30)
    books.add("invoices", number="POISON-1")
    send = XeroClient.write

    def grief(self, method, path, body, **how):  # type: ignore[no-untyped-def]
        if b"POISON-1" in body:
            world.fault(kind="500", method="PUT", path="Invoices")
        return send(self, method, path, body, **how)

    monkeypatch.setattr(XeroClient, "write", grief)
    for _ in range(4):
        with pytest.raises(RetryLater):
            books.push("invoices", client={"backoff": ()})
        books.pass_time(400)
    states = world.query("SELECT push_state, count(*) FROM qicworks.invoice GROUP BY 1 ORDER BY 1")
    assert [(row["push_state"], row["count"]) for row in states] == [("in_flight", 1), ("pushed", 30)]
    monkeypatch.undo()
    assert books.push("invoices").counts.pushed == 1
    books.assert_once("invoices")
