"""New contacts on the pages: what each may be in Xero, and the choice, which a push carries out."""

import re

from tests.support.own_contacts import OwnBooks
from tests.support.page_runs import words
from tests.support.pages import Client
from tests.support.pushing import Books


def test_a_user_links_one_and_creates_one(browser: Client, books: Books, airflow_dags: None) -> None:
    own = OwnBooks.of_books(books)
    there = own.in_xero_active()
    perhaps = own.contact("Somebody & Sons", email=there["EmailAddress"])
    nobody = own.contact("Nobody <b>like</b> it")
    own.push("contacts")
    viewer, user = browser("viewer"), browser("user")
    listed = viewer.read("documents?kind=contacts&state=failed")
    assert "Somebody &amp; Sons" in listed
    assert "Nobody &lt;b&gt;like&lt;/b&gt; it" in listed
    path = f"documents/contacts/{perhaps}"
    shown = viewer.read(path)
    assert "Which contact in Xero is it?" in words(shown)
    assert there["EmailAddress"] in shown
    assert "It is this one" not in shown, "who may not push decides nothing"
    assert "It is this one" in user.read(path)
    assert "Xero has no contact like it" in words(user.read(f"documents/contacts/{nobody}"))
    version = re.search(r'name="version" value="(\d+)"', user.read(path))
    assert version
    stranger = own._truth("Contacts")[-1]["ContactID"]
    seen = {"version": version[1]}
    decide = f"{path}/decide"
    for status, sent in (
        (422, {**seen, "xero_id": "nonsense"}),
        (422, {**seen, "xero_id": stranger}),
        (404, {"version": "99", "xero_id": there["ContactID"]}),
    ):
        assert user.press(decide, sent).status_code == status
    assert viewer.press(decide, {**seen, "xero_id": there["ContactID"]}).status_code == 403
    assert user.press(decide, {**seen, "xero_id": there["ContactID"]}).status_code == 303
    assert user.press(f"documents/contacts/{nobody}/decide", {"version": "1"}).status_code == 303
    own.push("contacts")
    assert str(own.of(perhaps)["xero_id"]) == there["ContactID"]
    assert own.of(nobody)["push_state"] == "pushed"
    assert "Which contact in Xero is it?" not in words(user.read(path))
