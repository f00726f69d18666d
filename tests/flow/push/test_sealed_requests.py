"""What stands in the outbox is no authority: only what this project has sealed, just now, is sent again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.pushing import PRICED, Books
from tests.support.scripted import Server
from xero.api.errors import RetryLater
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.seals import Seals
from xero.qicworks.push.outbox import Outbox

LOST = {"kind": "lost_answer", "method": "PUT"}


def forge(books: Books, kind: str = "bills", **columns: Any) -> None:
    """A request as whoever may write to the outbox would put it there: it has just been sent, they say."""
    row = {
        "kind": kind,
        "idempotency_key": str(uuid4()),
        "method": "PUT",
        "path": "/api.xro/2.0/Invoices",
        "query": "{}",
        "documents": [],
        "versions": [],
        "identities": "[]",
        **columns,
    }
    books.world.query(
        f"INSERT INTO xero_sync.push_request (connection_id, first_sent_at, last_sent_at, {', '.join(row)})"
        f" VALUES (%s, now(), now(), {', '.join(['%s'] * len(row))})",
        books.connection_id,
        *row.values(),
    )


def authorised_bill(books: Books) -> str:
    contact = books.world.sandbox.truth("Contacts")[0]["ContactID"]
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 99_999, "AccountCode": "429", "TaxType": "INPUT"}
    bill = {"Type": "ACCPAY", "Contact": {"ContactID": contact}, "Date": "2026-11-20", "DueDate": "2026-11-20"}
    return json.dumps({"Invoices": [{**bill, "Status": "AUTHORISED", "LineItems": [line]}]})


def leave_open(books: Books, kind: str) -> dict[str, Any]:
    """A push whose answer is lost: Xero has the document, and nobody here knows. Returns the request."""
    books.add(kind)
    books.world.fault(**LOST, path=KINDS[kind].path)  # type: ignore[attr-defined]
    with pytest.raises(RetryLater):
        books.push(kind, client={"backoff": ()})
    [request] = books.requests()
    books.world.calls()
    return request


def warnings(books: Books) -> list[str]:
    told = books.world.query("SELECT message FROM xero_sync.connection_event WHERE status = 'warning'")
    return [one["message"] for one in told if "seal" in one["message"]]


@pytest.mark.parametrize("kind", ["bills", "payroll", "leave_requests"])
def test_a_request_that_was_put_there_is_never_sent(books: Books, kind: str) -> None:
    """Not a document of its own choice, not a pay template, and nothing to another host."""
    elsewhere = Server()
    employee = books.world.sandbox.truth("Employees")[0]
    template = json.dumps([{"EmployeeID": employee["EmployeeID"], "PayTemplate": {"EarningsLines": []}}])
    forge(books, kind, body=authorised_bill(books))
    forge(books, kind, method="POST", path=f"/payroll.xro/1.0/Employees/{employee['EmployeeID']}", body=template)
    forge(books, kind, path=f"@{elsewhere.url.removeprefix('http://')}/x", body="{}")
    forge(books, kind, path=f"{elsewhere.url}/x", body="{}")
    books.push(kind)
    elsewhere.close()
    assert elsewhere.seen == []
    assert [call for call in books.world.calls() if call["method"] != "GET"] == []
    assert books.requests() == []
    assert len(warnings(books)) == 4


@pytest.mark.parametrize("column", ["body", "method", "path", "query", "documents", "versions", "identities", "kind"])
def test_a_request_that_was_changed_is_looked_up(books: Books, column: str) -> None:
    """It carried a bill of ours: that one is found in Xero, once, as it was sent."""
    request = leave_open(books, "bills")
    other = books.add("bills")
    changed: Any = {
        "body": request["body"].replace("DRAFT", "AUTHORISED"),
        "method": "POST",
        "path": "/api.xro/2.0/CreditNotes",
        "query": '{"summarizeErrors": "true"}',
        "documents": [other],
        "versions": [7],
        "identities": json.dumps([{**request["identities"][0], "Totals": ["1.00"]}]),
        "kind": "expenses",
    }[column]
    books.world.query(f"UPDATE xero_sync.push_request SET {column} = %s", changed)
    books.push("expenses")
    books.push("bills")
    books.push("bills")
    assert len(books.in_xero("bills")) == 2
    assert len(warnings(books)) == 1
    assert books.requests() == []


def test_what_was_sealed_long_ago_is_not_sent_again(books: Books) -> None:
    """Whoever kept a request and puts it back, as if it had just been sent, gets it looked up."""
    request = leave_open(books, "purchase_orders")
    with database.session(books.world.engine) as session:
        connection = connections.one(session, books.connection_id)
        seals = Seals(books.world.app())
        outbox = Outbox(session, connection, KINDS["purchase_orders"], seals=seals)
        seal = seals.seal(outbox._facts(request), datetime.now(UTC) - timedelta(seconds=301))
    books.world.query("UPDATE xero_sync.push_request SET seal = %s", seal)
    books.push("purchase_orders")
    assert [call["method"] for call in books.world.calls() if call["method"] != "GET"] == []
    books.assert_once("purchase_orders")


@pytest.mark.parametrize("kind", ["purchase_orders", "invoices"])
def test_what_this_project_left_is_sent_again_under_its_key(books: Books, kind: str) -> None:
    request = leave_open(books, kind)
    books.push(kind)
    [sent] = [call for call in books.world.calls() if call["method"] == "PUT"]
    assert sent["headers"]["Idempotency-Key".lower()] == request["idempotency_key"]
    assert warnings(books) == []
    books.assert_once(kind)


@pytest.mark.parametrize("kind", PRICED)
def test_what_an_earlier_version_left_is_looked_up(books: Books, kind: str) -> None:
    """It has no seal; Xero has its document, which is not made a second time."""
    leave_open(books, kind)
    books.world.query("UPDATE xero_sync.push_request SET seal = NULL")
    books.drain(kind)
    assert len(books.in_xero(kind)) == 1
    assert len(warnings(books)) == 1
