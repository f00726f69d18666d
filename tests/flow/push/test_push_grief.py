"""Grief with servers, clocks and people: nothing is doubled, nothing else is held up, and somebody is told."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.pushing import Books
from tests.support.world import World
from xero.api.client import XeroClient
from xero.api.errors import Refused, RetryLater
from xero.documents.registry import KINDS
from xero.sync.push import readback


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
    assert books.push("invoices").counts.failed == 1, "it was alone three times"
    assert books.push("invoices", documents=["POISON-1"]).counts.pushed == 1
    books.assert_once("invoices")


def test_a_key_that_is_refused_because_xero_is_still_at_work_is_not_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request is lost on the wire, arrives late, and its repetition is refused in between."""
    books = Books(world)
    books.add("bills", number="B-1")
    world.fault(kind="cut", method="PUT", path="Invoices")
    with pytest.raises(RetryLater):
        books.push("bills", client={"backoff": ()})
    late: list[tuple[Any, ...]] = []

    def at_work(self: XeroClient, method: str, path: str, body: bytes, **how: Any) -> None:
        late.append((self, method, path, body, how))
        refusal = Refused(409, {"Message": "A request with this key is still being processed."})
        refusal.outcome_unknown = True
        raise refusal

    send = XeroClient.write
    monkeypatch.setattr(XeroClient, "write", at_work)
    with pytest.raises(RetryLater):
        books.push("bills")
    monkeypatch.undo()
    assert len(books.requests()) == 1
    [(client, method, path, body, how)] = late
    send(client, method, path, body, key=how["key"], params=how["params"])
    books.drain("bills")
    books.assert_once("bills")


def test_a_clock_that_was_put_back_makes_no_key_valid_again(world: World) -> None:
    """Xero has forgotten the keys, and the requests seem to be sent in the future: they are looked up, not replayed."""
    books = Books(world)
    kinds = {"bills": "B-1", "purchase_orders": "PO-1", "invoices": "I-1"}
    for kind, number in kinds.items():
        books.add(kind, number=number)
        world.fault(kind="lost_answer", method="PUT", path=KINDS[kind].path)  # type: ignore[attr-defined]
        with pytest.raises(RetryLater):
            books.push(kind, client={"backoff": ()})
    books.pass_time(3600)
    world.query("UPDATE xero_sync.push_request SET first_sent_at = first_sent_at + interval '3 hours'")
    world.query("UPDATE xero_sync.push_request SET last_sent_at = last_sent_at + interval '3 hours'")
    world.calls()
    for kind in kinds:
        assert books.push(kind).counts.pushed == 1
        assert books.writes() == [], f"{kind}: replayed under a key that Xero may have forgotten"
    books.assert_once(*kinds)


def test_a_document_that_somebody_typed_in_is_for_a_person_to_judge(world: World) -> None:
    """A bill of the same number, contact, day and amount; a credit note that has got another day since."""
    books = Books(world)
    bill, note = books.add("bills", number="B-1"), books.add("credit_notes", number="C-1", side="supplier")
    assert books.push("bills").counts.pushed == books.push("credit_notes").counts.pushed == 1
    [typed], [_] = books.in_xero("bills"), books.in_xero("credit_notes")
    path = f"organisations/{world.sandbox.tenant(0)}/Invoices/{typed['InvoiceID']}"
    world.sandbox.control("PATCH", path, {"Url": None})
    for kind, document, number in (("bills", bill, "B-1"), ("credit_notes", note, "C-1")):
        books.edit(kind, document, xero_id=None, push_state="ready")
        world.query("DELETE FROM xero_sync.document_link")  # as from a backup
        if kind == "credit_notes":
            books.edit(kind, document, issue_date="2026-10-07")
        assert books.push(kind).counts.failed == 1
        row = books.row(kind, document)
        assert ("it is already in Xero" if kind == "bills" else "it may already be in Xero") in row["push_error"]
        assert f"Open the page of the {kind[:-1].replace('_', ' ')} {number}" in row["push_correction"]
        assert "Link to the record in Xero" in row["push_correction"]
        assert len(books.in_xero(kind)) == 1


def test_what_leaves_qicworks_on_its_way_is_told_and_touches_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is deleted, one given to another organisation while Xero saves them: both are deleted there, too."""
    books, others = Books(world), Books(world, 1)
    gone, moved = books.add("bills", number="B-1"), books.add("bills", number="B-2")
    send = XeroClient.write

    def meanwhile(self: XeroClient, *sent: Any, **how: Any) -> Any:
        answer = send(self, *sent, **how)
        world.query("DELETE FROM qicworks.bill WHERE id = %s", gone)
        books.edit("bills", moved, organisation_id=others.organisation_id)
        return answer

    monkeypatch.setattr(XeroClient, "write", meanwhile)
    counts = books.push("bills").counts
    monkeypatch.undo()
    assert (counts.pushed, counts.failed) == (2, 0)
    told = world.query("SELECT document, message FROM xero_sync.connection_event WHERE document IS NOT NULL")
    for name in ("bill B-1", "bill B-2"):
        [once, *_] = [one["message"] for one in told if one["document"] == name]
        assert once == (
            "while it was being pushed, it was deleted or moved to another organisation in QicWorks: "
            "QicWorks takes it back in Xero, too"
        )
    assert {one["InvoiceNumber"]: one["Status"] for one in books.in_xero("bills")} == dict.fromkeys(
        ("B-1", "B-2"), "DELETED"
    )
    assert world.query("SELECT xero_id FROM qicworks.bill WHERE id = %s", moved) == [{"xero_id": None}]


def test_what_is_gone_from_xero_is_made_anew_once_somebody_says_so(world: World) -> None:
    books = Books(world)
    invoice = books.add("invoices", number="I-1")
    books.push("invoices")
    [record] = books.in_xero("invoices")
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant(0)}/Invoices/{record['InvoiceID']}")
    books.edit("invoices", invoice, reference="another")
    assert books.push("invoices").counts.failed == 1
    assert "push it again" in books.row("invoices", invoice)["push_correction"]
    assert books.push("invoices", documents=["I-1"]).counts.pushed == 1
    books.assert_once("invoices")


def test_elements_without_a_number_are_told_apart_by_what_they_say() -> None:
    """Another order, or only the good ones: never by their place against what they say of themselves."""
    kind: Any = KINDS["bills"]
    made = [
        {"InvoiceNumber": f"B-{n}", "Url": f"https://q/{n}", "ContactID": "c", "Totals": [f"{n}.00"], "Type": "ACCPAY"}
        for n in (1, 2)
    ]
    first, second = ({"InvoiceID": str(n), "Url": f"https://q/{n}"} for n in (1, 2))
    assert readback.pair(kind, made, [second, first]) == [first, second]
    assert readback.pair(kind, made, [second]) == [None, second]
    bare: list[Any] = [{"InvoiceID": str(n), "Contact": {"ContactID": "c"}, "Total": Decimal(n)} for n in (2, 1)]
    assert readback.pair(kind, made, bare) == [None, None]
    odd: list[Any] = [{"InvoiceID": str(n), "Contact": "c", "Total": "n/a", "InvoiceNumber": f"B-{n}"} for n in (2, 1)]
    assert readback.pair(kind, made, odd) == [odd[1], odd[0]]
