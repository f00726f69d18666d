"""What all of Payroll AU has in common: its root, who has access, pages of a hundred without counts, and how records
are written and refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from xero_sandbox.collection import Collection, Record, Row
from xero_sandbox.endpoints import unknown
from xero_sandbox.endpoints.calling import Call, Endpoint, envelope
from xero_sandbox.endpoints.listing import number
from xero_sandbox.problems import Problem, no_payroll, not_found
from xero_sandbox.wire import Reply, decode, encode, json_reply

ROOT = "/payroll.xro/1.0"
PAGE_SIZE = 100
T = TypeVar("T")

#: Makes the fields to write (with the key) and the error messages from a sent element and the results of the elements
#: before it.
Draft = Callable[[Record, Sequence[Record]], tuple[Record, list[str]]]


def payroll_get(path: str, handle: Callable[[Call], Reply], scope: str) -> Endpoint:
    """A GET below the root, open to the scope and its .read, refused without payroll or the payroll role."""
    return Endpoint("GET", ROOT + path, _with_payroll(handle), (scope, f"{scope}.read"))


def payroll_post(path: str, handle: Callable[[Call], Reply], scope: str) -> Endpoint:
    return Endpoint("POST", ROOT + path, _with_payroll(handle), (scope,))


def _with_payroll(handle: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    def with_payroll(call: Call) -> Reply:
        if not (call.organisation.payroll and call.world.settings.payroll_role):
            raise no_payroll(call.world.settings.payroll_refusal)
        return handle(call)

    return with_payroll


def hundred(call: Call, rows: Sequence[T]) -> Sequence[T]:
    """The page that is asked for, the first when none is."""
    first = (max(number(call, "page", 1), 1) - 1) * PAGE_SIZE
    return rows[first : first + PAGE_SIZE]


def found(call: Call, collection: Collection) -> Row:
    """The row of the path's id; 404 when there is none."""
    row = collection.rows.get(call.parts["id"]) or collection.rows.get(call.parts["id"].lower())
    if row is None:
        raise not_found()
    return row


def elements(call: Call, wrapped: str | None = None) -> list[Record]:
    """The body: a bare array of objects, or what an object has under `wrapped`, where that is let through."""
    try:
        body: Any = decode(call.body)
    except ValueError as error:
        raise bad_data("JSON for post data was invalid") from error
    if wrapped and isinstance(body, dict):
        body = body.get(wrapped)
    if not isinstance(body, list) or not body or not all(isinstance(element, dict) for element in body):
        raise bad_data("JSON for post data was invalid, an array of objects is expected")
    return body


def bad_data(message: str) -> Problem:
    """400: what was sent cannot be read."""
    return Problem(json_reply({"ErrorNumber": 17, "Type": "PostDataInvalidException", "Message": message}, 400))


def write(call: Call, collection: Collection, sent: Sequence[Record], draft: Draft) -> Reply:
    """Writes the elements and answers with the whole records, or refuses them; see the switch payroll_partial."""
    fields: list[Record] = []
    words: list[list[str]] = []
    for element in sent:
        try:
            drafted, against = draft(element, fields)
        except (ValueError, TypeError) as error:
            raise bad_data(f"JSON for post data was invalid, {error}") from error
        fields.append({} if against else drafted)
        words.append(against)
    some = any(not against for against in words)
    if any(words) and (call.world.settings.payroll_partial == "all" or not some):
        raise refusal(collection, sent, words)
    written = [
        (against and with_words(element, against)) or _put(call, collection, record)
        for element, record, against in zip(sent, fields, words, strict=True)
    ]
    return answer(call, collection, written)


def _put(call: Call, collection: Collection, fields: Record) -> Record:
    key = fields[collection.kind.key]
    if key in collection.rows:
        return collection.change(key, fields, call.world.clock)
    return collection.add(fields, call.world.clock)


def answer(call: Call, collection: Collection, records: Sequence[Record]) -> Reply:
    bodies = [encode(record) for record in records]
    if call.world.settings.unknown_fields:
        bodies = [unknown.add(collection.kind, body) for body in bodies]
    return envelope(call, collection.kind.plural, bodies)


def with_words(element: Record, words: Sequence[str]) -> Record:
    return {**element, "ValidationErrors": [{"Message": message} for message in dict.fromkeys(words)]}


def refusal(collection: Collection, sent: Sequence[Record], words: Sequence[Sequence[str]]) -> Problem:
    """400 with the elements as they were sent, each wrong one with its error messages."""
    elements = [with_words(*pair) if pair[1] else pair[0] for pair in zip(sent, words, strict=True)]
    head = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
    return Problem(json_reply({**head, collection.kind.plural: elements}, 400))
