"""The page Match: who waits is seen side by side, decided, and each link can be undone; a viewer only looks."""

import re

import pytest

from tests.support.employees import add_member, employ, members
from tests.support.own_contacts import OwnBooks
from tests.support.page_runs import words
from tests.support.pages import Client
from tests.support.pushing import Books
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.sync.follow import pulling


@pytest.fixture(autouse=True)
def nobody_waits(world: World) -> None:
    world.sandbox.settings(limits=False)
    for table in ("link_candidate", "link_decision"):
        world.query(f"DELETE FROM xero_sync.{table}")
    world.query("DELETE FROM qicworks.leave_request")
    world.query("DELETE FROM qicworks.staff WHERE match_state = 'none'")


def fields(world: World, what: str, **ids: object) -> dict[str, str]:
    return {"connection": world.connection_id(), "what": what, **{name: str(id) for name, id in ids.items()}}


def pull_contacts(own: OwnBooks) -> None:
    from xero.composition import opener
    from xero.qicworks.runs.events import Origin

    engine = own.world.engine
    how = {"engine": engine, "open_client": opener(engine, own.world.app, backoff=(0.02, 0.04)), "origin": Origin()}
    assert pulling.pull(DATASETS["contacts"], own.connection_id, **how).status in ("success", "warning")


def test_people_are_linked_told_apart_and_created(browser: Client, world: World, airflow_dags: None) -> None:
    viewer, user = browser("viewer"), browser("user")
    one = employ(world, "Kim <b>", "Lee", "kim@x.example")["EmployeeID"]
    other = employ(world, "Sam", "Dow", "sam@x.example")["EmployeeID"]
    new = employ(world, "Jo", "Fox", "jo@x.example")["EmployeeID"]
    kim, sam, jo = (add_member(world, *name, None) for name in (("Kim <b>", "Lee"), ("Sam", "Dow"), ("Jo", "Fox")))
    world.pull("staff")
    assert "3 people may be in Xero already" in words(viewer.read(""))
    shown = viewer.read("links")
    assert "3 people wait" in words(shown)
    assert "Kim &lt;b&gt; Lee" in shown
    assert "Same name, email missing on one side" in words(shown)
    assert "<button>Not the same</button>" not in shown, "who may not pull decides nothing"
    assert "Not the same" in user.read("links")
    assert "Sam Dow" not in words(user.read("links?search=KIM"))
    told_apart = fields(world, "staff", own_id=kim, xero_id=one)
    shown = user.read("links")
    [pair] = re.findall(rf'value="({kim}:{one}:\w+)"', shown)
    [many] = re.findall(r'value="([\w:-]+ [\w:-]+ [\w:-]+)"', shown)
    assert "Link the 3 likely people on this page" in words(shown)
    assert pair in many.split()
    link = fields(world, "staff", pairs=pair)
    for status, sent in (
        (422, {**link, "pairs": "nonsense"}),
        (422, {**link, "pairs": ""}),
        (422, {**link, "pairs": f"{kim}:{one}"}),
        (404, {**link, "pairs": f"{pair}0"}),
        (422, {**link, "what": "invoice"}),
        (404, {**link, "pairs": pair.replace(one, other)}),
        (404, {**link, "connection": sam}),
        (404, {**link, "connection": world.connection_id(1)}),
    ):
        assert user.press("links/link", sent).status_code == status, sent
    for path, sent in (
        ("link", link),
        ("not-same", told_apart),
        ("link", fields(world, "staff", pairs=many)),
        ("create", fields(world, "staff", id=one)),
        ("undo", fields(world, "staff", own_id=kim, seen="x")),
    ):
        assert viewer.press(f"links/{path}", sent).status_code == 403, path
        assert user.post(f"/xero/links/{path}", data=sent).status_code == 403, "without the form's token"
    assert members(world)[kim]["xero_id"] is None
    assert user.press("links/link", link).status_code == 303
    assert user.press("links/link", link).status_code == 404, "twice"
    assert user.press("links/not-same", fields(world, "staff", own_id=sam, xero_id=other)).status_code == 303
    assert user.press("links/create", fields(world, "staff", id=new)).status_code == 303
    assert "Nobody waits" in words(user.read(f"links?connection={world.connection_id()}"))
    world.pull("staff")
    rows = world.rows("staff")
    assert (str(rows[one]["id"]), rows[other]["match_state"], rows[new]["match_state"]) == (kim, "created", "created")
    assert [members(world)[id]["xero_id"] for id in (sam, jo)] == [None, None]

    listed = user.read(f"links?state=linked&search=kim@x&connection={world.connection_id()}")
    assert "Undo link" in listed
    undo = f"links/undo?what=staff&own_id={kim}&connection={world.connection_id()}"
    assert "Nothing depends on it" in words(user.read(undo))
    world.query(
        "INSERT INTO qicworks.leave_request (organisation_id, staff_id, title, start_date, end_date, hours)"
        " SELECT organisation_id, id, 'Time off', '2026-11-02', '2026-11-02', 7.6 FROM qicworks.staff WHERE id = %s",
        kim,
    )
    assert "Leave requests: 1 not sent yet" in words(user.read(undo))
    seen = re.search(r'name="seen" value="(\w+)"', user.read(undo))
    assert seen
    assert user.press("links/undo", fields(world, "staff", own_id=kim, seen="old")).status_code == 404
    world.query("UPDATE qicworks.leave_request SET push_state = 'ready' WHERE staff_id = %s", kim)
    world.query("UPDATE qicworks.leave_request SET push_state = 'in_flight' WHERE staff_id = %s", kim)
    assert "cannot be undone now" in words(user.read(undo))
    assert user.press("links/undo", fields(world, "staff", own_id=kim, seen=seen[1])).status_code == 409
    world.query("UPDATE qicworks.leave_request SET push_state = 'ready' WHERE staff_id = %s", kim)
    assert user.press("links/undo", fields(world, "staff", own_id=kim, seen=seen[1])).status_code == 303
    assert members(world)[kim]["xero_id"] is None
    assert "nobody: the link was undone" in words(user.read("links"))
    assert "1 person waits" in words(user.read("links"))
    world.query("DELETE FROM qicworks.leave_request")


def test_contacts(browser: Client, books: Books, airflow_dags: None) -> None:
    own = OwnBooks.of_books(books)
    user = browser("user")
    own._truth("Contacts")
    theirs = own.in_xero_active()
    own.pull_contacts()
    certain = own.contact(f"  {theirs['Name'].upper()} ", "ready")
    another = next(
        one
        for one in own._truth("Contacts")
        if one["ContactStatus"] == "ACTIVE" and one["ContactID"] != theirs["ContactID"] and len(one["Name"].split()) > 1
    )
    likely = own.contact(" ".join(reversed(another["Name"].split())), "ready")
    nobody = own.contact("Nobody At All Zzz", "ready")
    pull_contacts(own)
    assert (str(own.of(certain)["xero_id"]), own.of(certain)["push_state"]) == (theirs["ContactID"], "pushed")
    assert [own.of(one)["push_state"] for one in (likely, nobody)] == ["ready", "ready"]
    shown = user.read("links")
    assert "1 contact waits" in words(shown)
    assert "Similar name" in words(shown)
    assert "Link the 1 likely contact on this page" in words(user.read("links"))
    [pair] = set(re.findall(rf'value="({likely}:\S+)"', user.read("links")))
    assert user.press("links/link", fields(books.world, "contact", pairs=pair[:-1])).status_code == 404
    assert user.press("links/link", fields(books.world, "contact", pairs=pair)).status_code == 303
    assert str(own.of(likely)["xero_id"]) == another["ContactID"]
    invoice = own.add("invoices", contact_id=certain)
    for one in (certain, likely):
        undo = user.read(f"links/undo?what=contact&own_id={one}&connection={books.world.connection_id()}")
        if one == certain:
            assert "Invoices: 1 not sent yet" in words(undo)
        seen = re.search(r'name="seen" value="(\w+)"', undo)
        assert seen
        assert user.press("links/undo", fields(books.world, "contact", own_id=one, seen=seen[1])).status_code == 303
        row = own.of(one)
        assert (row["xero_id"], row["push_state"], row["connection_id"]) == (None, "failed", None)
    pull_contacts(own)
    own.setting("create")
    assert [own.of(one)["xero_id"] for one in (certain, likely)] == [None, None], "no pull links them again"
    own.push("contacts", retry_failed=True)
    there = {str(own.of(one)["xero_id"]) for one in (certain, likely)}
    assert there.isdisjoint({theirs["ContactID"], another["ContactID"]}), "nor does a push"
    created = f"links/undo?what=contact&own_id={nobody}&connection={books.world.connection_id()}"
    assert "QicWorks created this contact in Xero" in words(user.read(created))
    # Linked by a push before any pull brought the record: the row is the record's, too, until the link is undone.
    fresh = own.contact("Alone Before The Pull", "ready")
    own.setting("ask")
    own.push("contacts")
    sole = own.world.sandbox.control(
        "POST",
        f"organisations/{own.world.sandbox.tenant()}/Contacts",
        {"Name": "Alone Before The Pull", "ContactStatus": "ACTIVE", "EmailAddress": ""},
    )["ContactID"]
    own.push("contacts", retry_failed=True)
    assert (str(own.of(fresh)["xero_id"]), own.of(fresh)["connection_id"]) == (sole, own.connection_id)
    undo = user.read(f"links/undo?what=contact&own_id={fresh}&connection={books.world.connection_id()}")
    seen = re.search(r'name="seen" value="(\w+)"', undo)
    assert seen
    assert user.press("links/undo", fields(books.world, "contact", own_id=fresh, seen=seen[1])).status_code == 303
    [pulled] = books.world.query("SELECT id, push_state, name FROM qicworks.contact WHERE xero_id = %s", sole)
    assert (pulled["push_state"], pulled["name"], pulled["id"] == fresh) == (None, "Alone Before The Pull", False)
    assert (own.of(fresh)["xero_id"], own.of(fresh)["connection_id"]) == (None, None)
    assert invoice
