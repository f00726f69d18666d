"""Differences: what is listed, said and counted, who decides about them, and what a pushed document then looks like."""

import re
from datetime import date, timedelta
from html import unescape
from unittest import mock
from uuid import UUID, uuid4

import pytest

from tests.support.both_sides import day
from tests.support.differing import EDITED, VOIDED, differ, put_off, seen_of
from tests.support.page_runs import words
from tests.support.pages import Browser, Client
from tests.support.pushing import Books, Line
from xero.pages.differences.deciding import DAYS
from xero.qicworks.database import session
from xero.qicworks.follow import differences, wording
from xero.qicworks.follow.differences import Difference, Found, Reason, Settled
from xero.qicworks.follow.wording import WORDS

PAY = Found(Reason.PAY_DIFFERS, {"Gross": "1234.50"}, {"Gross": "1200.00"})


@pytest.fixture(autouse=True)
def none_before(books: Books) -> None:
    books.world.query("DELETE FROM xero_sync.difference")


def pushed(books: Books, number: str, kind: str = "invoices") -> UUID:
    return books.add(kind, number=number, state="pushed")


def labels(html: str) -> list[str]:
    found = re.findall(r'<h[23] id="difference-\d+">(.*?) <span class="status[^>]*>(.*?)</span>', html)
    return [f"{re.sub('<[^>]+>', '', name)}: {badge}" for name, badge in found]


def test_every_reason_and_every_end_has_its_words() -> None:
    assert set(wording.TITLES) == set(Reason)
    assert set(wording.SETTLED) == set(Settled)
    assert len(set(wording.TITLES.values())) == len(Reason)


def test_lists_open_ones_with_both_sides_and_settled_ones_apart(browser: Client, books: Books) -> None:
    viewer, ids = browser("viewer"), [pushed(books, f"D-{n}") for n in range(2)]
    bill = pushed(books, "D-2", "bills")
    assert "No open difference." in words(viewer.read("differences"))
    differ(books, "invoices", ids[0], "invoice D-0", EDITED, VOIDED)
    differ(books, "invoices", ids[1], "invoice D-1", VOIDED)
    differ(books, "invoices", ids[1], "invoice D-1")
    differ(books, "bills", bill, "bill D-2", VOIDED)
    differ(books, "contacts", None, "contacts", Found(Reason.RECORDS_DIFFER, {"records": "4"}, {"records": "5"}))

    page = viewer.read("differences")
    assert labels(page) == [
        "contacts: records differ",
        "bill D-2: voided in Xero",
        "invoice D-0: voided in Xero",
        "invoice D-0: edited in Xero",
    ]
    assert "Date 2026-10-05 2026-10-06" in words(page)
    assert "Reference – <b>PO</b> 7" in words(page)
    assert WORDS[Reason.VOIDED_IN_XERO].correction in words(page)
    assert "<b>PO</b>" not in page
    assert f'href="/xero/documents/invoices/{ids[0]}"' in page
    assert '<form method="post"' not in page, "who may not push decides nothing"
    settled = viewer.read("differences?state=settled")
    assert labels(settled) == ["invoice D-1: voided in Xero"]
    assert "QicWorks and Xero agree" in words(settled)
    assert labels(viewer.read("differences?kind=bills")) == ["bill D-2: voided in Xero"]
    assert labels(viewer.read(f"differences?connection={books.connection_id}&kind=contacts")) == [
        "contacts: records differ"
    ]
    assert "No open difference matches." in words(viewer.read("differences?kind=expenses"))
    for path, status in {
        "kind=made_up": 404,
        "before=x": 422,
        "before=" + "9" * 5000: 422,
        "connection=x": 404,
    }.items():
        viewer.read(f"differences?{path}", status)

    with mock.patch("xero.pages.differences.listing.LIMIT", 3):
        first = viewer.read("differences")
        [older] = re.findall(r'href="/xero/(differences\?[^"]*before=[^"]*)"', first)
        assert labels(first) + labels(viewer.read(unescape(older))) == labels(page)


def test_a_pushed_document_that_differs_does_not_look_fine(browser: Client, books: Books) -> None:
    viewer, user = browser("viewer"), browser("user")
    id, fine = pushed(books, "F-1", "expenses"), pushed(books, "F-2", "expenses")
    assert words(viewer.read("documents?kind=expenses&text=F-")).count(" pushed ") == 2
    differ(books, "expenses", id, "expense F-1", EDITED)
    listed = viewer.read("documents?kind=expenses&text=F-")
    assert words(listed).count(" pushed, differs ") == 1
    assert "1 differs" in words(listed)
    assert re.findall(r'class="status (\w+)">pushed, differs<', listed) == ["warning"]
    differing = viewer.read("documents?kind=expenses&state=differs")
    assert "F-1" in words(differing)
    assert "F-2" not in words(differing)
    assert "No expense differs." in words(
        viewer.read(f"documents?kind=expenses&state=differs&connection={books.world.connection_id(1)}")
    )
    page = user.read(f"documents/expenses/{id}")
    assert "Expense F-1 pushed, differs" in words(page)
    assert labels(page) == ["expense F-1: edited in Xero"]
    assert page.index("difference-") < page.index("First pushed"), "on top"
    assert "Keep QicWorks'" in words(page)
    assert labels(user.read(f"documents/expenses/{fine}")) == []

    put_off(books, differ(books, "expenses", id, "expense F-1", EDITED)[0].id)
    assert "Expense F-1 pushed, differs" in words(viewer.read(f"documents/expenses/{id}")), "also if it is put off"
    differ(books, "expenses", id, "expense F-1")
    page = user.read(f"documents/expenses/{id}")
    assert "Expense F-1 pushed " in words(page)
    assert "pushed, differs" not in words(page)
    assert labels(page.partition("What happened")[2]) == ["expense F-1: edited in Xero"], "its history"
    assert "No longer acknowledge" not in page


def test_the_overview_counts_what_no_one_has_acknowledged(browser: Client, books: Books) -> None:
    viewer = browser("viewer")
    differ(books, "bills", pushed(books, "O-1", "bills"), "bill O-1", EDITED, VOIDED)
    [one, _] = differ(books, "invoices", pushed(books, "O-2"), "invoice O-2", EDITED, VOIDED)
    page = viewer.read("").partition("</section>")[0]
    links = re.findall(r'href="/xero/differences\?([^"]*)">([^<]*)</a>', page)
    to = f"connection={books.connection_id}&amp;kind="
    assert links == [(f"{to}bills", "bills (2)"), (f"{to}invoices", "invoices (2)")]
    assert labels(viewer.read(f"differences?{unescape(links[0][0])}")) == [
        "bill O-1: voided in Xero",
        "bill O-1: edited in Xero",
    ]
    put_off(books, one.id)
    page = viewer.read("").partition("</section>")[0]
    assert "invoices (1)" in page
    assert "1 open difference between QicWorks and Xero was acknowledged for now." in words(page)
    for each in books.world.query("SELECT id FROM xero_sync.difference"):
        put_off(books, each["id"])
    page = viewer.read("").partition("</section>")[0]
    assert "QicWorks and Xero differ" not in page
    assert "No problems found" not in page
    assert "4 open differences between QicWorks and Xero were acknowledged for now." in words(page)
    for each in books.world.query("SELECT id FROM xero_sync.difference"):
        put_off(books, each["id"], days=-1)
    assert "bills (2)" in viewer.read(""), "its time is over"


def seen(books: Books, id: int) -> dict[str, object]:
    """What the form of a page says of the values that it showed."""
    with session(books.world.engine) as db:
        return {"seen": seen_of(db, id)}


def decided(books: Books, id: int) -> dict[str, object]:
    [row] = books.world.query("SELECT * FROM xero_sync.difference WHERE id = %s", id)
    return row


@pytest.mark.parametrize("days", DAYS)
def test_who_may_push_acknowledges_and_the_event_names_them(browser: Client, books: Books, days: int) -> None:
    user, viewer = browser("user"), browser("viewer")
    document = pushed(books, f"A-{days}")
    [one] = differ(books, "invoices", document, f"invoice A-{days}", VOIDED)
    path = f"differences/{one.id}/acknowledge"
    assert viewer.press(path, {"days": days}).status_code == 403
    assert decided(books, one.id)["acknowledged_by"] is None
    answer = user.press(path, {"days": days, "back": "document", **seen(books, one.id)})
    assert answer.headers["location"].startswith(f"/xero/documents/invoices/{document}?said=")
    row = decided(books, one.id)
    [at] = books.world.query("SELECT now() AS now")
    assert row["acknowledged_by"] == "user"
    assert row["acknowledged_until"].date() - at["now"].date() == timedelta(days=days)  # type: ignore[attr-defined]
    event = books.world.event()
    assert (event["direction"], event["data_set"], event["document_id"]) == ("push", "invoices", document)
    assert re.fullmatch(r"voided in Xero: acknowledged until \d+ \w+ \d{4} by user", event["message"])
    page = words(user.read(f"documents/invoices/{document}"))
    assert "Acknowledged by user until" in page
    assert "by user" in page.partition("What happened")[2]

    assert user.press(path, {"days": 0, **seen(books, one.id)}).headers["location"].startswith("/xero/differences?")
    assert decided(books, one.id)["acknowledged_until"] is None
    assert "no longer acknowledged, by user" in books.world.event()["message"]
    for wrong in (8, -7, 9999999, "x"):
        assert user.press(path, {"days": wrong}).status_code == 422
    differ(books, "invoices", document, f"invoice A-{days}")
    assert user.press(path, {"days": days}).status_code == 404, "it is settled"
    assert user.press(f"differences/{2**63 - 1}/acknowledge", {"days": days}).status_code == 404
    assert user.press(f"differences/{2**63}/acknowledge", {"days": days}).status_code == 422


@pytest.mark.parametrize("side", ["qicworks", "xero"])
@pytest.mark.parametrize("approved", [False, True], ids=["draft", "approved"])
def test_what_is_kept_is_what_the_next_push_writes(browser: Client, books: Books, side: str, approved: bool) -> None:
    books.world.sandbox.settings(limits=False)
    document = books.add("bills", Line("100"))
    books.push("bills")
    for act, order in (("approve", {}), ("edit", {"fields": {"Date": "2026-10-08"}}))[0 if approved else 1 :]:
        books.bookkeep(act, invoice=str(books.row("bills", document)["xero_id"]), **order)
    books.world.pull("document_status")
    [difference] = shown_to_all(books)
    user = browser("user")
    assert user.press(f"differences/{difference.id}/keep", {"side": side, "seen": difference.seen}).status_code == 303
    books.push("bills")
    books.world.pull("document_status")
    row = books.row("bills", document)
    if side == "xero":
        assert (row["issue_date"], row["push_state"]) == (date(2026, 10, 8), "pushed")
    elif approved:
        assert (row["issue_date"], row["push_state"]) == (date(2026, 10, 5), "failed")
        assert "cannot be overwritten, because it is already approved there" in row["push_error"]
    else:
        there = books.world.sandbox.record("Invoices", str(row["xero_id"]), books.organisation)
        assert (row["push_state"], day(there["Date"])) == ("pushed", date(2026, 10, 5))
    assert len(shown_to_all(books)) == (side == "qicworks" and approved)


def test_nothing_is_decided_about_values_that_the_page_did_not_show(browser: Client, books: Books) -> None:
    """Another field came to differ after the page was opened."""
    user, document = browser("user"), pushed(books, "S-1", "bills")
    books.edit("bills", document, xero_id=uuid4(), push_state="pushed")
    [one] = differ(books, "bills", document, "bill S-1", EDITED)
    page = user.read(f"documents/bills/{document}")
    [old] = set(re.findall(r'name="seen" value="(\w+)"', page))
    more = Found(EDITED.reason, {**EDITED.ours, "Total": "90.00"}, {**EDITED.theirs, "Total": "100.00"})
    [again] = differ(books, "bills", document, "bill S-1", more)
    assert again.id == one.id
    for action, fields in (("keep", {"side": "qicworks"}), ("acknowledge", {"days": 7})):
        path = f"differences/{one.id}/{action}"
        for said in ({"seen": old}, {}):
            refused = user.press(path, {**fields, **said})
            assert refused.status_code == 404
            assert "changed or settled in the meantime. Reload the page." in words(refused.text)
        assert (decided(books, one.id)["chosen"], decided(books, one.id)["acknowledged_by"]) == (None, None)
    assert books.row("bills", document)["push_state"] == "pushed"
    for state, said in (("draft", "Nothing is overwritten yet"), ("pushed", "The next push overwrites Xero's,")):
        books.edit("bills", document, push_state=state)
        page = user.read(f"documents/bills/{document}")
        [now] = set(re.findall(r'name="seen" value="(\w+)"', page))
        pressed = user.press(f"differences/{one.id}/keep", {"side": "qicworks", "seen": now})
        assert said in words(user.read(pressed.headers["location"].removeprefix("/xero/")))
        assert books.row("bills", document)["push_state"] == ("ready" if state == "pushed" else state)


def shown_to_all(books: Books) -> list[Difference]:
    with session(books.world.engine) as db:
        return differences.listed(db, books.connection_id)


def test_one_side_is_kept_only_of_what_was_edited_in_xero(browser: Client, books: Books) -> None:
    user = browser("user")
    document = pushed(books, "K-1", "credit_notes")
    edited, voided = sorted(
        differ(books, "credit_notes", document, "credit note K-1", EDITED, VOIDED), key=lambda one: one.reason
    )
    listed = user.read("differences?kind=credit_notes")
    assert re.findall(r'action="/xero/differences/(\d+)/keep"', listed) == [str(edited.id)] * 2
    for wrong, status in (({"side": "both"}, 422), ({}, 422)):
        assert user.press(f"differences/{edited.id}/keep", wrong).status_code == status
    assert user.press(f"differences/{voided.id}/keep", {"side": "xero"}).status_code == 409
    [leave] = differ(books, "leave_requests", uuid4(), "leave", EDITED)
    assert user.press(f"differences/{leave.id}/keep", {"side": "xero"}).status_code == 409, "it is corrected by hand"
    assert f"/differences/{leave.id}/keep" not in user.read("differences?kind=leave_requests")
    assert browser("viewer").press(f"differences/{edited.id}/keep", {"side": "xero"}).status_code == 403
    assert decided(books, edited.id)["chosen"] is None
    for side, said in (("xero", "keep Xero's version"), ("qicworks", "keep QicWorks' version")):
        back = {"side": side, "back": "kind=credit_notes&said=x&evil=//y", "seen": edited.seen}
        answer = user.press(f"differences/{edited.id}/keep", back)
        assert re.match(r"/xero/differences\?kind=credit_notes&said=[^&]+$", answer.headers["location"])
        row = decided(books, edited.id)
        assert (row["chosen"], row["chosen_by"]) == (side, "user")
        assert books.world.event()["message"] == f"edited in Xero: {said}, chosen by user"
    [long] = differ(books, "credit_notes", uuid4(), "credit note " + "x" * 400, EDITED)
    pressed = user.press(f"differences/{long.id}/keep", {"side": "xero", "seen": long.seen})
    after = words(user.read(pressed.headers["location"].removeprefix("/xero/")))
    assert "x… will be kept. Nothing is overwritten yet:" in after, "there is no such document"
    assert "user chose to keep QicWorks' version" in words(user.read(f"documents/credit_notes/{document}"))


def test_what_is_decided_of_a_data_set_is_not_its_last_run(browser: Client, books: Books) -> None:
    """Who may trigger its pull decides."""
    [one] = differ(books, "contacts", None, "contacts", Found(Reason.RECORDS_DIFFER, {"records": "4"}))
    before = books.world.query("SELECT * FROM xero_sync.standing ORDER BY 1, 2, 3")
    form = {"days": 7, "seen": one.seen}
    assert browser("user").press(f"differences/{one.id}/acknowledge", form).status_code == 303
    event = books.world.event()
    assert (event["direction"], event["data_set"], event["document"]) == ("pull", "contacts", "contacts")
    assert books.world.query("SELECT * FROM xero_sync.standing ORDER BY 1, 2, 3") == before


def test_pay_is_shown_only_to_those_who_push_it(browser: Client, books: Books) -> None:
    differ(books, "payroll", uuid4(), "pay of Kirra Okonkwo-Test", PAY)
    viewer, user = browser("viewer").read("differences"), browser("user").read("differences")
    assert labels(user) == ["pay of Kirra Okonkwo-Test: pay differs"]
    assert "Gross 1234.50 1200.00" in words(user)
    assert re.search(": pay differs", str(labels(viewer)))
    for hidden in ("Okonkwo-Test", "1234.50", "1200.00", "Gross"):
        assert hidden not in viewer


def test_a_deleted_connection_has_no_open_difference(browser: Client, books: Books) -> None:
    viewer, id = browser("viewer"), pushed(books, "G-1")
    [one] = differ(books, "invoices", id, "invoice G-1", EDITED)
    books.world.query("UPDATE xero_sync.connection SET state = 'deleted' WHERE id = %s", books.connection_id)
    try:
        assert labels(viewer.read("differences")) == []
        assert labels(viewer.read(f"documents/invoices/{id}")) == []
        assert "differs" not in words(viewer.read("documents?kind=invoices&text=G-")).partition("Clear")[2]
        assert "QicWorks and Xero differ" not in viewer.read("")
        assert browser("user").press(f"differences/{one.id}/acknowledge", {"days": 7}).status_code == 404
    finally:
        books.world.query("UPDATE xero_sync.connection SET state = 'connected' WHERE id = %s", books.connection_id)
    assert labels(viewer.read("differences")) == ["invoice G-1: edited in Xero"]


def test_each_by_the_rights_to_its_dag(clerk: Browser, books: Books) -> None:
    """A clerk who may push invoices, and read bills and contacts."""
    ids = {}
    for kind in ("invoices", "bills", "expenses"):
        [one] = differ(books, kind, pushed(books, f"R-{kind}", kind), f"R-{kind}", EDITED)
        ids[kind] = one.id
    for name in ("contacts", "tax_codes"):
        [one] = differ(books, name, None, name, Found(Reason.RECORDS_DIFFER))
        ids[name] = one.id
    page = clerk.read("differences")
    assert sorted(label.partition(":")[0] for label in labels(page)) == ["R-bills", "R-invoices", "contacts"]
    assert set(re.findall(r"/xero/differences/(\d+)/", page)) == {str(ids["invoices"]), str(ids["contacts"])}
    [choices] = re.findall(r'<select name="kind".*?</select>', page, re.DOTALL)
    assert re.findall(r'value="(\w+)"', choices) == ["bills", "contacts", "invoices"]
    assert "You may not read the DAG push_expenses." in words(clerk.read("differences?kind=expenses", 403))
    overview = clerk.read("")
    assert set(re.findall(r"differences\?[^\"]*kind=(\w+)", overview)) == {"invoices", "bills", "contacts"}
    for kind, status in {"invoices": 303, "contacts": 303, "bills": 403, "expenses": 403, "tax_codes": 403}.items():
        form = {"days": 7, **seen(books, ids[kind])}
        assert clerk.press(f"differences/{ids[kind]}/acknowledge", form).status_code == status, kind
    assert clerk.press(f"differences/{ids['bills']}/keep", {"side": "xero"}).status_code == 403
