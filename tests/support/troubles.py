"""What can go wrong with one request, and how a push is led through it and out again."""

from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.support.calls import Forward, intercepted, is_write
from tests.support.pushing import PRICED, Books, File, Line
from xero.api.errors import XeroError
from xero.sync.runs.outcome import Skip

#: The requests that carry documents; attachments have a path of their own.
DOCUMENTS = r"/(Invoices|CreditNotes|PurchaseOrders)\?"
BEYOND = 400  # seconds: Xero has forgotten the key


@dataclass(frozen=True)
class Trouble:
    """An order for the sandbox, and the options of the client that runs into it."""

    kind: str
    order: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    impatient: bool = False  # it does not wait for the response to what it writes


AT_ONCE: dict[str, Any] = {"backoff": ()}  # a client that never tries again: the next run has to
TROUBLES = {
    "the answer is lost": Trouble("lost_answer"),
    "the answer is lost, and the run ends": Trouble("lost_answer", client=AT_ONCE),
    "cut before it arrives": Trouble("cut", client=AT_ONCE),
    "cut before it arrives, again and again": Trouble("cut", {"times": 3}),
    "500, kept under the key": Trouble("500"),
    "500, but saved": Trouble("500_saved"),
    "503": Trouble("503"),
    "503, but saved": Trouble("503_saved"),
    "a page of HTML": Trouble("html"),
    "a page of HTML that says 200": Trouble("html", {"status": 200}, AT_ONCE),
    "an empty 200": Trouble("empty", client=AT_ONCE),
    "half of the answer": Trouble("truncate", client=AT_ONCE),
    "half of the answer, in good form": Trouble("malformed", client=AT_ONCE),
    "too slow for the client": Trouble("hold_answer", client=AT_ONCE, impatient=True),
    "429 for a moment": Trouble("429", {"retry_after": 0}),
    "429 for ten minutes": Trouble("429", {"retry_after": 600}),
    "429 for the day": Trouble("429", {"retry_after": 40_000, "problem": "day"}),
    "the token has expired": Trouble("token_expired"),
}


def fill(books: Books, kind: str, *, alike: bool = False) -> None:
    """Two documents, one of them with files; bills and suppliers' credit notes of one number and contact."""
    number = f"R-{len(books.rows(kind)) + 7000}"
    twins: dict[str, Any] = {"number": number, "contact": 1} if kind == "bills" else {}
    if kind == "credit_notes":
        twins = {"number": number, "contact": 1, "side": "supplier"}
    other = "210.10" if alike else "99.95"
    books.add(kind, Line("12.3456", "3"), Line("173.06"), files=[File(), File("b.txt", b"b", "text/plain")], **twins)
    books.add(kind, Line(other, description="Call-out"), **twins)


def _impatiently(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
    return forward(timeout=(60.0, 0.05)) if is_write(request) else forward()


def lead_through(books: Books, kind: str, trouble: Trouble, *, beyond: bool, path: str = DOCUMENTS) -> None:
    """Pushes into the trouble; then time passes or not, and further runs have to bring it to an end."""
    books.world.fault(kind=trouble.kind, path=path, method="PUT", **trouble.order)
    with intercepted(_impatiently) if trouble.impatient else nullcontext(), suppress(XeroError, Skip):
        books.push(kind, client=trouble.client)
    [fault] = books.world.sandbox.control("GET", "faults")
    assert fault["hits"] >= 1, "nothing went wrong"
    books.world.sandbox.control("DELETE", "faults")
    books.world.query("UPDATE xero_sync.call_budget SET not_before = NULL, closed_by = NULL")
    if beyond:
        books.pass_time(BEYOND)
    books.drain(kind)


__all__ = ["BEYOND", "DOCUMENTS", "PRICED", "TROUBLES", "Trouble", "fill", "lead_through"]
