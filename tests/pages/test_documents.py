"""Documents: what is listed, pushed and previewed, and for whom."""

import json
import re
from datetime import date
from html import unescape
from unittest import mock
from uuid import UUID

import pytest
from airflow.models.dag import DagModel
from airflow.utils.session import create_session

from tests.support.cancelling import delete
from tests.support.differing import differ
from tests.support.odd_columns import MOMENTS, TEXTS
from tests.support.page_runs import become, run_of, words
from tests.support.pages import Client
from tests.support.pushing import Books, Line
from xero.api.settings import API_HOST
from xero.documents.registry import KINDS
from xero.qicworks.follow.differences import Found, Reason


def numbers(html: str) -> list[str]:
    return re.findall(r'data-label="Number"><a [^>]*>([^<]*)<', html)


@pytest.fixture(scope="module")
def leave(books: Books) -> UUID:
    """Of a made-up employee."""
    organisation = {"organisation_id": books.organisation_id}
    [staff] = books._insert("qicworks.staff", {**organisation, "first_name": "Kirra", "last_name": "Okonkwo-Test"})
    days = {"start_date": date(2026, 11, 2), "end_date": date(2026, 11, 6), "hours": 38}
    [leave] = books._insert("qicworks.leave_request", {**organisation, "staff_id": staff, "title": "Operation", **days})
    return leave


def test_lists_by_kind_state_and_number(browser: Client, books: Books, leave: UUID) -> None:
    refused = "The <b>account</b> is archived"
    wrong = books.add("invoices", number="L-1", state="failed", push_error=refused, push_correction="Choose another.")
    books.add("invoices", number="L-2")
    books.add("invoices", number="L-3", state="draft")
    viewer = browser("viewer")
    every = viewer.read("documents?kind=invoices")
    assert numbers(every)[:3] == ["L-3", "L-2", "L-1"], "newest first"
    assert "The &lt;b&gt;account&lt;/b&gt; is archived" in every
    assert "Choose another." in every
    assert 'type="checkbox"' not in every, "who may not push has nothing to tick"
    assert numbers(viewer.read("documents?kind=invoices&state=failed&text=l-")) == ["L-1"]
    assert numbers(viewer.read(f"documents?kind=invoices&state=waits&connection={books.connection_id}")) == ["L-2"]
    assert "No invoice matches" in viewer.read("documents?kind=invoices&text=%25")
    assert all(kind.title in words(every) for kind in KINDS.values())
    assert "1 failed" in words(every)
    for path, status in {
        "documents?kind=made_up": 404,
        "documents?before=x": 422,
        "documents?connection=x": 404,
        f"documents/bills/{wrong}": 404,
    }.items():
        viewer.read(path, status)
    page = words(viewer.read(f"documents/invoices/{wrong}"))
    assert "Invoice L-1" in page
    assert "Choose another." in page


def switch(kind: str, *, paused: bool) -> None:
    with create_session() as session:
        session.query(DagModel).filter_by(dag_id=f"push_{kind}").update({"is_paused": paused})


@pytest.mark.parametrize("kind", ["bills", "credit_notes"])
def test_what_waits_for_a_dag_that_is_switched_off_says_so(
    browser: Client, books: Books, airflow_dags: None, kind: str
) -> None:
    viewer, says = browser("viewer"), f"the DAG push_{kind} is paused in Airflow"
    switch(kind, paused=True)
    try:
        assert says not in words(viewer.read(f"documents?kind={kind}")), "nothing waits for it"
        books.add(kind, number="OFF-1")
        shown = viewer.read(f"documents?kind={kind}")
        assert says in words(shown)
        assert f"/dags/push_{kind}" in shown
        assert "is paused in Airflow" not in words(viewer.read("documents?kind=invoices"))
    finally:
        switch(kind, paused=False)
    assert says not in words(viewer.read(f"documents?kind={kind}"))


def test_a_page_ends_where_the_next_one_begins(browser: Client, books: Books) -> None:
    for number in range(3):
        books.add("bills", Line(), number=f"P-{number}")
    with mock.patch("xero.pages.documents.LIMIT", 2):
        first = browser("viewer").read("documents?kind=bills&text=P-")
        [older] = re.findall(r'href="/xero/(documents\?[^"]*before=[^"]*)"', first)
        second = browser("viewer").read(unescape(older))
    assert numbers(first) + numbers(second) == ["P-2", "P-1", "P-0"]


def test_a_date_that_no_calendar_has_is_shown(browser: Client, books: Books) -> None:
    """PostgreSQL's infinity, and what happened to such a bill."""
    id = books.add("expenses", number="D-1")
    books.world.query("UPDATE qicworks.expense SET due_date = 'infinity', issue_date = '-infinity' WHERE id = %s", id)
    viewer = browser("viewer")
    assert "-infinity" in viewer.read("documents?kind=expenses&text=D-")
    assert "-infinity infinity" in " ".join(re.findall(r"-?infinity", viewer.read(f"documents/expenses/{id}")))


ODD = [
    *({"number": f"O-{number}"} for number in TEXTS[::5]),
    *({"created_at": at, "updated_at": at, "pushed_at": at} for at in MOMENTS),
    {"total": "NaN", "sub_total": "NaN", "total_tax": "NaN", "currency": "\ufffe", "reference": "\x01"},
]


def test_an_odd_document_is_listed_shown_and_previewed(browser: Client, books: Books) -> None:
    """Among others; and the list goes on after it."""
    viewer, editor = browser("viewer"), browser("op")
    for odd in ODD:
        id = books.add("expenses", Line(), number="O-0")
        books.edit("expenses", id, **odd)
        number = odd.get("number", "O-0")
        with mock.patch("xero.pages.documents.LIMIT", 1):
            listed = viewer.read("documents?kind=expenses")
            for older in re.findall(r'href="/xero/(documents\?[^"]*before=[^"]*)"', listed):
                viewer.read(unescape(older))
        page = viewer.read(f"documents/expenses/{id}")
        editor.read(f"documents/expenses/{id}/preview")
        moments = [str(at).partition(" ")[0] for name, at in odd.items() if name == "updated_at" and "+14" not in at]
        assert all(page.count(moment) >= 2 for moment in moments), "when it was changed, and first pushed"
        assert number.strip() in unescape(page)
        books.world.query("DELETE FROM qicworks.expense WHERE id = %s", id)


def test_whose_leave_it_is_is_not_told_to_everybody(browser: Client, books: Books, leave: UUID) -> None:
    user, viewer = browser("user"), browser("viewer")
    for path in "documents?kind=leave_requests", f"documents/leave_requests/{leave}":
        assert "Okonkwo-Test" in user.read(path)
        assert "Okonkwo-Test" not in viewer.read(path)
        assert "2026-11-02" in viewer.read(path)
        assert "Operation" not in user.read(path)
    assert "2026-11-02" in user.read("documents?kind=leave_requests&text=okonkwo")
    assert "2026-11-02" not in user.read("documents?kind=leave_requests&text=smith")
    assert "2026-11-02" in viewer.read("documents?kind=leave_requests&text=smith"), "nobody finds out by searching"


def test_pushing_what_is_ticked(browser: Client, books: Books, airflow_dags: None) -> None:
    user = browser("user")
    failed = books.add("credit_notes", number="T-1", state="failed", push_error="refused")
    ready, draft = books.add("credit_notes", number="T-2"), books.add("credit_notes", number="T-3", state="draft")
    listed = user.read("documents?kind=credit_notes&text=T-")
    ticks = dict(re.findall(r'name="id" value="([^"]+)" aria-label="[^"]*"( disabled)?', listed))
    assert ticks == {str(failed): "", str(ready): "", str(draft): " disabled"}
    both = {"kind": "credit_notes", "id": [str(failed), str(ready)]}
    assert browser("viewer").press("documents/push", both).status_code == 403
    for wrong, status in (
        ({"kind": "credit_notes"}, 422),
        ({"kind": "credit_notes", "id": "x"}, 404),
        ({"kind": "credit_notes", "id": str(draft)}, 409),
        ({"kind": "invoices", "id": str(ready)}, 404),
        ({"kind": "credit_notes", "id": [str(UUID(int=n)) for n in range(501)]}, 422),
    ):
        assert user.press("documents/push", wrong).status_code == status, wrong
    answer = user.press("documents/push", both)
    run = run_of(answer.headers["location"])
    conf = user.get(f"/api/v2/dags/push_credit_notes/dagRuns/{run[1]}").json()["conf"]
    assert conf["connection"] == str(books.connection_id)
    assert sorted(conf["document_ids"]) == sorted([str(failed), str(ready)])
    path = answer.headers["location"].removeprefix("/xero/").partition("?")[0]
    assert words(user.read(path)).count(" failed ") == 1
    books.push("credit_notes", documents=conf["document_ids"])
    become(run, "success")
    after = user.read(path)
    assert set(numbers(after)) == {"T-1", "T-2"}
    assert words(after).count(" pushed ") == 2


def test_links_into_xero_only_where_it_is_xero(browser: Client, books: Books, airflow_dags: None) -> None:
    id = books.add("purchase_orders", number="X-1")
    books.push("purchase_orders", documents=[str(id)])
    row = books.row("purchase_orders", id)
    assert "go.xero.com" not in browser("viewer").read("documents?kind=purchase_orders")
    with mock.patch("xero.pages.document.API_HOST", books.world.sandbox.url):
        for path in "documents?kind=purchase_orders", f"documents/purchase_orders/{id}":
            assert f"https://go.xero.com/AccountsPayable/PurchaseOrders/View/{row['xero_id']}" in browser("op").read(
                path
            )
    assert API_HOST == "https://api.xero.com"
    sides = {"customer": "AccountsReceivable/ViewCredit", "supplier": "AccountsPayable/ViewCredit"}
    for side, part in sides.items():
        page = KINDS["credit_notes"].page
        assert page
        assert part in page({"side": side, "xero_id": "1"})


def test_a_preview_shows_what_would_be_sent_and_sends_nothing(browser: Client, books: Books) -> None:
    id = books.add("invoices", Line("12.3456", "3", "Cable <2.5 mm>"), number="V-1")
    bad = books.add("invoices", Line(account="610"), number="V-2")
    pushed = books.add("invoices", number="V-3", state="pushed")
    path = f"documents/invoices/{id}/preview"
    browser("user").read(path, 403)
    books.world.calls()
    shown = browser("op").read(path)
    [body] = re.findall(r"<pre[^>]*>(.*?)</pre>", shown, re.DOTALL)
    sent = json.loads(unescape(body))
    assert sent["Invoices"][0]["InvoiceNumber"] == "V-1"
    assert sent["Invoices"][0]["LineItems"][0]["UnitAmount"] == 12.3456
    assert "<2.5" not in shown
    assert "PUT /api.xro/2.0/Invoices" in words(shown)
    assert "This invoice cannot be pushed: " in words(browser("op").read(f"documents/invoices/{bad}/preview"))
    assert "Nothing would be sent" in words(browser("op").read(f"documents/invoices/{pushed}/preview"))
    assert books.writes() == []
    assert books.row("invoices", id)["push_state"] == "ready"


def test_a_cancelled_document_says_whether_xero_still_has_it(browser: Client, books: Books) -> None:
    id = books.add("bills", number="B-7")
    books.push("bills")
    books.edit("bills", id, status="Cancelled")
    operator, path = browser("op"), f"documents/bills/{id}"
    assert "The next push takes it back in Xero" in words(operator.read(path))
    shown = words(operator.read(f"{path}/preview"))
    assert "Request to Xero: POST /api.xro/2.0/Invoices" in shown
    assert '"Status": "DELETED"' in shown
    books.push("bills")
    assert "It is cancelled in QicWorks, and no longer in Xero" in words(operator.read(path))
    assert "Nothing would be sent. It is cancelled in QicWorks, and no longer in Xero" in words(
        operator.read(f"{path}/preview")
    )


@pytest.mark.parametrize("kind", ["expenses", "purchase_orders"])
def test_a_cancellation_that_waits_is_counted_listed_and_on_the_overview(
    browser: Client, books: Books, airflow_dags: None, kind: str
) -> None:
    """Also one of a document that is deleted; one with an open difference is shown as that."""
    viewer, user, word = browser("viewer"), browser("user"), KINDS[kind].word

    def listed(state: str = "waits") -> str:
        return viewer.read(f"documents?kind={kind}&state={state}&connection={books.connection_id}")

    def late() -> list[str]:
        needs = viewer.read("").partition("</section>")[0]
        return re.findall(rf"Cancellation pending for over an hour</span> <a [^>]*kind={kind}&[^>]*>([^<]*)<", needs)

    books.world.query(f"UPDATE qicworks.{KINDS[kind].table} SET push_state = 'skipped'")  # of other tests
    documents = [books.add(kind, number=f"C-{number}") for number in range(4)]
    books.push(kind)
    switch(kind, paused=True)
    try:
        assert "paused in Airflow" not in words(listed())
        for document in documents[:3]:
            books.edit(kind, document, status="Archived" if kind == "purchase_orders" else "Cancelled")
        delete(books, kind, documents[3])
        shown = listed()
        assert "paused in Airflow" in words(shown)
        assert "4 pending or sending" in words(shown)
        assert numbers(shown) == ["C-2", "C-1", "C-0"]
        assert f"1 {word} was deleted in QicWorks after the push" in words(shown)
        assert words(shown).count(" pushed, cancellation pending ") == 3
        ticks = user.read(f"documents?kind={kind}&state=waits")
        assert re.findall(r'type="checkbox" name="id"[^>]*disabled', ticks) == []
        assert numbers(listed("pushed")) == ["C-2", "C-1", "C-0"], "they are that, too"
        assert late() == [], "it is on its way"
        books.world.query("UPDATE xero_sync.cancellation SET cancelled_at = cancelled_at - interval '61 minutes'")
        assert [one.rpartition(" ")[2] for one in late()] == ["(4)"]
        found = Found(Reason.CANCELLED_IN_QICWORKS, {"status": "cancelled"}, {"status": "AUTHORISED"})
        differ(books, kind, documents[0], f"{word} C-0", found)
        assert numbers(listed()) == ["C-2", "C-1"]
        assert "3 pending or sending" in words(listed())
        assert [one.rpartition(" ")[2] for one in late()] == ["(3)"]
        differ(books, kind, documents[0], f"{word} C-0")
    finally:
        switch(kind, paused=False)
    books.push(kind)
    assert numbers(listed()) == []
    assert "deleted in QicWorks" not in words(listed())
    assert late() == []
