"""What is sent of documents that are ready: created, changed while it is a draft in Xero, or not at all."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from tests.support.documents import AnyPricedRow, priced
from xero.api.errors import Refused, RetryLater, XeroError
from xero.documents.declaration import CheckResult, Document, PricedKind, PricedLine, Record
from xero.documents.registry import KINDS
from xero.qicworks.connect.settings import Conflicts
from xero.qicworks.push.outbox import Result, Waiting
from xero.sync.push import plan
from xero.sync.push.plan import Standing

BILLS = KINDS["bills"]
assert isinstance(BILLS, PricedKind)
KIND: PricedKind = replace(
    BILLS, checks=(), editable=frozenset({"DRAFT", "SUBMITTED"}), payload=lambda document: dict(document.row.payload)
)
IN_XERO = UUID(int=70)


@dataclass(frozen=True, kw_only=True)
class Row(AnyPricedRow):
    payload: dict[str, Any]


Bill = Document[Row, PricedLine]


def document(number: int = 1, *, lines: tuple[dict[str, Any], ...] = (), **row: Any) -> Bill:
    made = {"id": UUID(int=number), "push_version": 4, "xero_id": None, "number": f"B-{number}"}
    payload = {"InvoiceNumber": f"B-{number}", "LineItems": [{"Description": "x"} for _ in lines]}
    return priced({**made, "payload": payload, **row}, lines, Row)  # type: ignore[return-value]


def plan_one(one: Bill, record: Record | None, kind: PricedKind = KIND) -> Any:
    """What became of it, or the one request."""
    made = plan.plan(kind, [one], {one.id: Standing(record, conflicts=Conflicts.QICWORKS)}, {})
    [only] = [*made.settled, *made.requests]
    return only


def test_what_xero_does_not_have_is_created() -> None:
    made = plan_one(document(), None)
    assert (made.method, [one.id for one in made.documents]) == ("PUT", [UUID(int=1)])
    assert made.body(KIND) == '{"Invoices":[{"InvoiceNumber":"B-1","LineItems":[]}]}'


def test_a_number_leaves_as_a_number_with_its_own_decimals() -> None:
    assert plan.encoded(KIND, [{"UnitAmount": Decimal("1.10")}]) == '{"Invoices":[{"UnitAmount":1.10}]}'


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
def test_a_draft_is_changed(status: str) -> None:
    made = plan_one(document(xero_id=IN_XERO), {"Status": status})
    assert (made.method, made.elements) == (
        "POST",
        ({"InvoiceID": str(IN_XERO), "InvoiceNumber": "B-1", "LineItems": []},),
    )


@pytest.mark.parametrize("status", ["DELETED", "VOIDED"])
def test_what_was_deleted_in_xero_is_made_anew_only_under_a_new_number(status: str) -> None:
    one = document(xero_id=IN_XERO)
    anew = plan_one(one, {"Status": status, "InvoiceNumber": "B-0"})
    assert (anew.method, anew.elements) == ("PUT", (one.row.payload,))
    settled = plan_one(one, {"Status": status, "InvoiceNumber": "B-1"})
    assert (settled.id, settled.version, settled.label) == (UUID(int=1), 4, "bill B-1")
    result = settled.result
    assert (result.state, result.xero_id, result.xero_status) == ("failed", IN_XERO, status)
    assert result.error == f"it was {status.lower()} in Xero after it was pushed"
    assert "(B-1 → " in result.correction


def test_a_draft_whose_number_changed_is_still_the_same_draft() -> None:
    assert plan_one(document(xero_id=IN_XERO), {"Status": "DRAFT", "InvoiceNumber": "B-0"}).method == "POST"


def test_what_is_no_draft_any_more_is_left_alone() -> None:
    settled = plan_one(document(xero_id=IN_XERO), {"Status": "AUTHORISED"})
    assert (settled.id, settled.version, settled.label) == (UUID(int=1), 4, "bill B-1")
    assert (settled.result.state, settled.result.xero_id, settled.result.xero_status) == (
        "failed", IN_XERO, "AUTHORISED",
    )  # fmt: skip
    assert settled.result.error == "it is already approved in Xero, so the change was not sent"
    assert "only change drafts" in settled.result.correction


def test_what_was_pushed_and_is_not_there_is_for_a_person() -> None:
    result = plan_one(document(xero_id=IN_XERO), None).result
    assert (result.state, result.forget) == ("failed", True)
    assert str(IN_XERO) in result.error
    planned = plan.plan(KIND, [document()], {}, {})
    nothing, [made] = planned.settled, planned.requests
    assert (nothing, made.method) == ([], "PUT")


def test_a_certain_refusal_is_not_sent_and_holds_no_other_back() -> None:
    def wrong(one: Bill) -> Iterator[CheckResult]:
        if one.number == "B-2":
            yield CheckResult("it has no lines", "Add a line to the {document}.")
        yield CheckResult("its total is odd")  # said, and held back by nothing

    kind = replace(KIND, checks=(wrong,))
    documents = [document(1), document(2), document(3, xero_id=IN_XERO)]
    planned = plan.plan(kind, documents, {UUID(int=3): Standing({"Status": "DRAFT"}, conflicts=Conflicts.QICWORKS)}, {})
    [settled], [put, post] = planned.settled, planned.requests
    assert (settled.label, settled.result.error) == ("bill B-2", "not sent: it has no lines")
    assert settled.result.correction == "Add a line to the bill B-2."
    assert [[one.number for one in request.documents] for request in (put, post)] == [["B-1"], ["B-3"]]
    assert [one.says for one in plan.blocking_results(kind, documents[0])] == []


def test_what_qicworks_has_no_more_is_emptied_in_xero() -> None:
    record = {
        "Status": "DRAFT", "Reference": "old", "Telephone": "", "AttentionTo": "Ann", "Terms": "kept",
        "DueDate": "2026-12-01", "DeliveryDate": "2026-12-02",
    }  # fmt: skip
    one = document(xero_id=IN_XERO)
    one.row.payload.update({"AttentionTo": "Bob", "DueDate": "2026-12-24"})
    [element] = plan_one(one, record).elements
    assert element == {
        "InvoiceID": str(IN_XERO), "InvoiceNumber": "B-1", "AttentionTo": "Bob", "Reference": "",
        "DueDate": "2026-12-24", "DeliveryDate": None, "LineItems": [],
    }  # fmt: skip
    [element] = plan_one(one, {"Status": "DRAFT", "DeliveryDate": None}).elements
    assert element.keys() == {"InvoiceID", "InvoiceNumber", "AttentionTo", "DueDate", "LineItems"}


EMPTIED = {
    **dict.fromkeys(("Reference", "DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions"), ""),
    **dict.fromkeys(("DueDate", "DeliveryDate")),
}


@pytest.mark.parametrize(("name", "nothing"), EMPTIED.items())
def test_each_field_that_a_user_of_qicworks_may_empty(name: str, nothing: str | None) -> None:
    there = "2026-12-24" if nothing is None else "x"
    [element] = plan_one(document(xero_id=IN_XERO), {"Status": "DRAFT", name: there, "Status2": "x"}).elements
    assert element == {"InvoiceID": str(IN_XERO), "InvoiceNumber": "B-1", "LineItems": [], name: nothing}


def test_of_a_record_without_a_status_nothing_is_changed() -> None:
    for record in ({}, {"Status": None}, {"Status": 7}):
        assert plan_one(document(xero_id=IN_XERO), record).result.state == "failed"


def test_lines_that_xero_knows_keep_their_ids_and_lose_their_departments() -> None:
    known, unknown = UUID(int=0xABC), UUID(int=0xDEF)
    one_dollar = {"quantity": Decimal(1), "unit_price": Decimal(1)}
    lines = tuple({"xero_line_id": id, **one_dollar} for id in (known, unknown, None))
    one = document(xero_id=IN_XERO, lines=lines)
    one.row.payload["LineItems"][2]["Tracking"] = ["kept"]
    odd = ["odd", {}, {"LineItemID": None}, {"LineItemID": 7}]
    record = {"Status": "DRAFT", "LineItems": [{"LineItemID": str(known).upper()}, *odd]}
    [element] = plan_one(one, record).elements
    assert element["LineItems"] == [
        {"LineItemID": str(known), "Tracking": [], "Description": "x"},
        {"Description": "x"},
        {"Description": "x", "Tracking": ["kept"]},
    ]
    one.row.payload["LineItems"][0]["Tracking"] = ["ours"]
    [element] = plan_one(one, record).elements
    assert element["LineItems"][0]["Tracking"] == ["ours"]
    [element] = plan_one(one, {"Status": "DRAFT", "LineItems": None}).elements
    assert "LineItemID" not in element["LineItems"][0]


def numbers(at_most: dict[int, int], count: int = 5, kind: PricedKind = KIND) -> list[list[int]]:
    documents = [document(number) for number in range(1, count + 1)]
    bounds = {UUID(int=number): most for number, most in at_most.items()}
    requests = plan.plan(kind, documents, {}, bounds).requests
    assert {request.method for request in requests} <= {"PUT"}
    return [[one.id.int for one in request.documents] for request in requests]


def test_documents_that_were_in_trouble_go_in_small_company_and_behind_the_others() -> None:
    assert numbers({}) == [[1, 2, 3, 4, 5]]
    assert numbers({1: 1}) == [[2, 3, 4, 5], [1]]
    assert numbers({1: 2, 2: 2, 3: 2}) == [[4, 5], [1, 2], [3]]
    assert numbers({1: 1, 2: 3, 3: 1, 4: 3}) == [[5, 2, 4], [1], [3]]
    assert numbers({}, 0) == []


def test_a_request_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = len('{"InvoiceNumber":"B-1","LineItems":[]}') + 1
    for largest, expected in (
        (weight * 2, [[1, 2], [3, 4], [5]]),
        (weight * 3 - 1, [[1, 2], [3, 4], [5]]),
        (weight * 3, [[1, 2, 3], [4, 5]]),
        (1, [[1], [2], [3], [4], [5]]),  # one that is too large goes by itself: Xero says what it thinks of it
    ):
        monkeypatch.setattr(plan, "MAX_REQUEST_BYTES", largest)
        assert numbers({}) == expected


@dataclass
class Client:
    """Gives these records; a number is a refusal with that status. `lists`: what the list of the others is, or how it
    fails."""

    records: dict[UUID, Record | int | XeroError]
    lists: list[Record] | XeroError = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def get(self, path: str, *, params: Any) -> Any:
        self.asked.append(path)
        found = self.lists if path == KIND.path else self.records[UUID(path.rpartition("/")[2])]
        if isinstance(found, int):
            raise Refused(found)
        if isinstance(found, XeroError):
            raise found
        return SimpleNamespace(data={"Invoices": found if isinstance(found, list) else [found]})


def draft(id: UUID) -> Record:
    return {"InvoiceID": str(id), "Status": "DRAFT", "Type": "ACCPAY", "InvoiceNumber": "B-1"}


def test_how_documents_stand_in_xero_is_asked_of_those_that_were_pushed() -> None:
    waiting = [
        Waiting(UUID(int=1), 1, IN_XERO),
        Waiting(UUID(int=2), 1, None),
        Waiting(UUID(int=3), 1, UUID(int=71)),
        Waiting(UUID(int=4), 1, None, UUID(int=72)),  # its row has forgotten it
        Waiting(UUID(int=5), 1, UUID(int=73), UUID(int=72)),
    ]
    there: dict[UUID, Any] = {IN_XERO: draft(IN_XERO), UUID(int=71): 404, UUID(int=72): draft(UUID(int=72))}
    client: Any = Client({**there, UUID(int=73): draft(IN_XERO)})
    found = plan.fetch_current(client, KIND, waiting)
    assert client.asked == [f"{KIND.path}/{id}" for id in (IN_XERO, UUID(int=71), UUID(int=72), UUID(int=73))]
    another = found.pop(UUID(int=5))
    assert isinstance(another, Result)
    assert str(another.error).startswith("Xero returned another record for it, so nothing was sent")
    assert found.keys() == {UUID(int=1), UUID(int=3), UUID(int=4)}
    assert found[UUID(int=3)] is None
    for number, xero_id in ((1, IN_XERO), (4, UUID(int=72))):
        record = found[UUID(int=number)]
        assert isinstance(record, dict)
        assert record["InvoiceID"] == str(xero_id)
    broken: Any = Client({IN_XERO: 403})
    with pytest.raises(Refused, match="HTTP 403"):
        plan.fetch_current(broken, KIND, waiting)


def failing(server_failed: bool) -> RetryLater:
    error = RetryLater(300, "outage", "Xero is down.")
    error.server_failed = server_failed
    return error


def test_a_record_that_xero_fails_to_show_holds_no_other_back() -> None:
    waiting = [Waiting(UUID(int=1), 1, IN_XERO), Waiting(UUID(int=2), 1, UUID(int=71))]
    client: Any = Client({IN_XERO: failing(server_failed=True), UUID(int=71): draft(UUID(int=71))})
    found = plan.fetch_current(client, KIND, waiting)
    failed = found[UUID(int=1)]
    assert isinstance(failed, Result)
    assert (failed.state, failed.xero_id) == ("failed", IN_XERO)
    assert found[UUID(int=2)] is not None
    documents = [document(1, xero_id=IN_XERO), document(2, xero_id=UUID(int=71))]
    planned = plan.plan(
        KIND, documents, {id: Standing(record, conflicts=Conflicts.QICWORKS) for id, record in found.items()}, {}
    )
    [settled], [request] = planned.settled, planned.requests
    assert (settled.id, settled.result) == (UUID(int=1), failed), "nothing is sent of it: nobody knows how it stands"
    assert [one.number for one in request.documents] == ["B-2"]


@pytest.mark.parametrize("server_failed", [True, False])
def test_where_xero_fails_altogether_the_push_ends(server_failed: bool) -> None:
    error = failing(server_failed)
    client: Any = Client({IN_XERO: error}, lists=RetryLater(60, "minute"))
    with pytest.raises(RetryLater) as raised:
        plan.fetch_current(client, KIND, [Waiting(UUID(int=1), 1, IN_XERO)])
    assert raised.value is error, "the first failure says it"
    assert client.asked == [f"{KIND.path}/{IN_XERO}", *[KIND.path] * server_failed], "a limit is no fault of a record's"
