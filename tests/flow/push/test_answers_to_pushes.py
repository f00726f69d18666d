"""What Xero answers to a push is believed as far as it can be told: nothing goes twice, nothing is pushed that is not
there, and no odd answer ends a run by accident."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.between import Between, Said
from tests.support.one_world import books_for_all
from tests.support.pushing import PRICED, Books, File, Line
from xero.api.errors import XeroError

ELSEWHERE = "https://app.qicworks.com/invoices/11111111-2222-3333-4444-555555555555"
AMOUNTS = count(101)


@pytest.fixture(scope="module")
def every_books(sandbox_url: str, postgres_url: str, template: str) -> Iterator[Books]:
    with books_for_all(sandbox_url, postgres_url, template) as made:
        yield made


@pytest.fixture
def books(every_books: Books) -> Books:
    every_books.drain(*PRICED)
    return every_books


@pytest.fixture
def between(books: Books) -> Iterator[Between]:
    made = Between(books.world.sandbox)
    yield made
    made.close()


def push(books: Books, kind: str, **how: Any) -> None:
    """What is raised is declared, and its event closed."""
    with suppress(XeroError):
        books.push(kind, client={"backoff": ()}, **how)
    assert books.world.event()["status"] != "running"


def add(books: Books, kind: str, **how: Any) -> UUID:
    return books.add(kind, Line(str(next(AMOUNTS))), **how)


def there(books: Books, kind: str, document: UUID) -> list[str]:
    """The ids of what stands in Xero under its number."""
    key, number = PRICED[kind][2:4]
    return [one[key] for one in books.in_xero(kind) if one[number] == books.row(kind, document)["number"]]


def assert_once(books: Books, kind: str, *documents: UUID) -> None:
    for document in documents:
        row = books.row(kind, document)
        assert (row["push_state"], [str(row["xero_id"])]) == ("pushed", there(books, kind, document)), row["push_error"]


def collection(kind: str) -> str:
    return "/" + PRICED[kind][1]


NOT_LISTS: dict[str, Any] = {
    "an error": {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"},
    "nothing but OK": {"Status": "OK"},
    "null": {"Status": "OK", "KIND": None},
    "an object": {"Status": "OK", "KIND": {"a": 1}},
    "no objects": {"Status": "OK", "KIND": [None, "x"]},
    "announced only": {"KIND": [], "pagination": {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 7}},
    "further pages": {"KIND": [], "pagination": {"page": 1, "pageSize": 100, "pageCount": 3}},
    "without ids": {"KIND": [{"InvoiceNumber": "B-1", "Type": "ACCPAY", "Status": "DRAFT"}]},
    "a number that is none": {"KIND": [{"InvoiceID": str(uuid4()), "InvoiceNumber": ["x"]}]},
    "an address that is none": {"KIND": [{"InvoiceID": str(uuid4()), "InvoiceNumber": "B-1", "Url": 5}]},
}


@pytest.mark.parametrize(
    ("kind", "said"),
    [*(("bills", one) for one in NOT_LISTS), ("expenses", "nothing but OK"), ("purchase_orders", "announced only")],
)
def test_a_look_up_that_is_no_list_does_not_mean_that_it_is_not_there(
    books: Books, between: Between, kind: str, said: str
) -> None:
    """Xero has stored it and came to grief; asked for it, it gives no list, or one that cannot be read."""
    document = add(books, kind)
    body = json.dumps(NOT_LISTS[said]).replace("KIND", PRICED[kind][1]).encode()

    def change(method: str, path: str, answer: Said) -> Said | None:
        if collection(kind) not in path:
            return None
        return (500, b"{}") if method != "GET" else (200, body)

    between.change = change
    for _ in range(2):
        push(books, kind)
        books.pass_time(400)
    between.honest()
    push(books, kind, retry_failed=True)
    push(books, kind)
    assert_once(books, kind, document)


OTHER_RECORDS: dict[str, Callable[[str, list[Any]], Any]] = {
    "deleted, of another id": lambda kind, found: found[0].update(
        {"Status": "DELETED", PRICED[kind][2]: str(uuid4()), PRICED[kind][3]: "SOMETHING-ELSE"}
    ),
    "two of them": lambda kind, found: found.append({**found[0], "Status": "DELETED"}),
    "lines that are none": lambda kind, found: found[0].update(LineItems=5),
    "status that is none": lambda kind, found: found[0].update(Status=["DELETED"]),
}


@pytest.mark.parametrize("odd", OTHER_RECORDS)
@pytest.mark.parametrize("kind", ["bills", "purchase_orders"])
def test_another_record_than_was_asked_for_is_not_believed(books: Books, between: Between, kind: str, odd: str) -> None:
    """The others are changed all the same."""
    ours, other = add(books, kind), add(books, kind)
    push(books, kind)
    for document in (ours, other):
        books.edit(kind, document, number=f"{books.row(kind, document)['number']}A")
    key = str(books.row(kind, ours)["xero_id"])
    between.edit(
        lambda said: OTHER_RECORDS[odd](kind, said[PRICED[kind][1]]) and None, path=f"{collection(kind)}/{key}"
    )
    before = len(books.in_xero(kind))
    push(books, kind)
    row = books.row(kind, ours)
    assert (row["push_state"], str(row["xero_id"])) == ("failed", key)
    assert row["push_error"].endswith(": check in Xero")
    assert_once(books, kind, other)
    between.honest()
    push(books, kind, retry_failed=True)
    assert_once(books, kind, ours)
    assert len(books.in_xero(kind)) == before


def _one_id(kind: str, known: str, found: list[Any]) -> None:
    found[1][PRICED[kind][2]] = found[0][PRICED[kind][2]]


def _known_id(kind: str, known: str, found: list[Any]) -> None:
    found[0][PRICED[kind][2]] = known


def _doubled(kind: str, known: str, found: list[Any]) -> None:
    found.insert(0, {**found[1], PRICED[kind][2]: str(uuid4())})


def _says(**fields: Any) -> Callable[[str, str, list[Any]], None]:
    return lambda kind, known, found: found[0].update(fields)


ANSWERS: dict[str, Callable[[str, str, list[Any]], None]] = {
    "one id for two": _one_id,
    "the id of another": _known_id,
    "two of one number": _doubled,
    "another type": _says(Type="ACCPAYCREDIT"),
    "another address": _says(Url=ELSEWHERE),
    "deleted": _says(Status="DELETED"),
    "an error, and its id": _says(StatusAttributeString="Error"),
    "errors as text, and its id": _says(HasErrors="true"),
    "errors without words, and its id": _says(ValidationErrors=[{"Message": ""}]),
    "errors that are none, and its id": _says(ValidationErrors=5),
}


@pytest.mark.parametrize(
    ("kind", "odd"),
    [
        *(("bills", odd) for odd in ANSWERS),
        *(("credit_notes", odd) for odd in list(ANSWERS)[:3]),
        ("invoices", "one id for two"),
    ],
)
def test_an_answer_of_something_else_is_looked_up_and_said(books: Books, between: Between, kind: str, odd: str) -> None:
    known = add(books, kind)
    push(books, kind)
    documents = [add(books, kind) for _ in range(3)]
    its_id = str(books.row(kind, known)["xero_id"])
    between.edit(
        lambda said: ANSWERS[odd](kind, its_id, said[PRICED[kind][1]]) and None, path=collection(kind), method="PUT"
    )
    push(books, kind)
    assert_once(books, kind, known, *documents)
    [told] = books.world.query(
        "SELECT count(*) AS count FROM xero_sync.connection_event"
        " WHERE document LIKE %s AND message LIKE '%%a search found it in Xero%%'",
        f"% {books.row(kind, documents[0])['number']}",
    )
    assert told["count"] or odd == "two of one number"


REMARKS: dict[str, dict[str, Any]] = {
    "the contact": {"Contact": {"ContactID": str(uuid4())}},
    "currency AUD in QicWorks, XPF": {"CurrencyCode": "XPF"},
    "date 2026-10-05 in QicWorks, 2000-01-01": {"Date": "/Date(946684800000+0000)/"},
    "address": {"Url": "https://example.org/"},
}


@pytest.mark.parametrize("remark", REMARKS)
def test_what_is_otherwise_in_the_answer_is_said(books: Books, between: Between, remark: str) -> None:
    document = add(books, "invoices")
    between.edit(lambda said: said["Invoices"][0].update(REMARKS[remark]), path="/Invoices", method="PUT")
    push(books, "invoices")
    assert_once(books, "invoices", document)
    told = books.world.query(
        "SELECT message FROM xero_sync.connection_event WHERE document IS NOT NULL ORDER BY id DESC"
    )
    assert told[0]["message"].startswith(remark)


ODD: list[dict[str, Any]] = [
    *(
        {name: odd}
        for name in ("ValidationErrors", "Warnings")
        for odd in (5, True, "no", {"Message": "no"}, [5, None, []])
    ),
    *({"Status": odd} for odd in (["DRAFT"], {"a": 1}, "DRA\x00FT", "x" * 100_000, 5)),
    *({"LineItems": odd} for odd in (5, ["x"], [{"TaxType": "A\x00B"}], [{"Tracking": [5]}], [{"Tracking": {"a": 1}}])),
    *({"Contact": ["x"]}, {"Total": 10**300}, {"Url": [["x"]]}, {"InvoiceNumber": ["x"]}, {"Date": ["x"]}),
]


def test_an_odd_element_is_no_accident_and_nothing_goes_twice(books: Books, between: Between) -> None:
    """In the answer to what is sent, in what is looked up, and by id; each document has an oddity of its own."""
    documents = [add(books, "bills", number=f"ODD-{place:02d}") for place in range(len(ODD))]
    places = {f"ODD-{place:02d}": odd for place, odd in enumerate(ODD)}

    def change(method: str, path: str, answer: Said) -> Said | None:
        if answer[0] != 200 or "/Invoices" not in path:
            return None
        said = json.loads(answer[1])
        for element in said["Invoices"]:
            element.update(places.get(element["InvoiceNumber"], {}))
        return 200, json.dumps(said).encode()

    between.change = change
    for _ in range(2):
        push(books, "bills", retry_failed=True)
        books.pass_time(400)
    for document in documents:
        books.edit("bills", document, due_date=None)
    push(books, "bills", retry_failed=True)
    between.honest()
    for _ in range(3):
        books.pass_time(400)
        push(books, "bills", retry_failed=True)
    assert_once(books, "bills", *documents)


FILES: dict[str, Any] = {
    "an error": {"ErrorNumber": 10, "Message": "A validation exception occurred"},
    "nothing but OK": {"Status": "OK"},
    "text": {"Attachments": ["x"]},
    "an object": {"Attachments": {"AttachmentID": "x"}},
    "none": {"Attachments": []},
    "no id": {"Attachments": [{"FileName": "job sheet.pdf"}]},
    "another file": {"Attachments": [{"AttachmentID": str(uuid4()), "FileName": "other.pdf", "ContentLength": 1}]},
}


def test_an_attachment_is_pushed_when_xero_says_that_it_has_it(books: Books, between: Between) -> None:
    """Those of other documents go on."""
    documents = [add(books, "bills", files=[File()]) for _ in FILES]
    last = add(books, "bills", files=[File()])
    push(books, "bills")
    said = {str(books.row("bills", one)["xero_id"]): body for one, body in zip(documents, FILES.values(), strict=True)}
    books.world.query("UPDATE qicworks.attachment SET content = content || '.'")
    between.instead = lambda method, path: next(
        ((200, json.dumps(body).encode()) for id, body in said.items() if method == "PUT" and id in path), None
    )
    push(books, "bills")
    assert [books.files("bills", one)[0]["push_state"] == "pushed" for one in documents] == [False] * len(FILES)
    assert books.files("bills", last)[0]["push_state"] == "pushed"
    between.honest()
    books.world.query("UPDATE qicworks.attachment SET push_state = 'ready' WHERE push_state = 'failed'")
    push(books, "bills")
    assert [books.files("bills", one)[0]["push_state"] for one in documents] == ["pushed"] * len(FILES)


def test_a_list_of_attachments_that_is_none_does_not_mean_that_there_are_none(books: Books, between: Between) -> None:
    """Else a file of the same name that somebody put there would give way."""
    for body in FILES.values():
        if body.get("Attachments") == [] or "FileName" in str(body):
            continue
        document = add(books, "bills")
        push(books, "bills")
        path = f"/Invoices/{books.row('bills', document)['xero_id']}/Attachments"
        puts: list[str] = []
        made = json.dumps(body).encode()

        def instead(method: str, of: str, path: str = path, made: bytes = made, puts: list[str] = puts) -> Said | None:
            puts.extend([of] * (method == "PUT"))
            return (200, made) if method == "GET" and of.endswith(path) else None

        books.attach("bills", document, File())
        between.instead = instead
        push(books, "bills")
        between.honest()
        assert puts == []
        push(books, "bills")
        assert books.files("bills", document)[0]["push_state"] == "pushed"
