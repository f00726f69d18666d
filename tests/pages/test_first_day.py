"""The page First day: what is left of each step, what its buttons do, and for whom."""

import json
import os
import re
from collections.abc import Iterator
from unittest import mock

import pytest
from airflow.models.dag import DagModel
from airflow.utils.session import create_session

from tests.support.differing import differ
from tests.support.own_contacts import OwnBooks
from tests.support.page_runs import words
from tests.support.pages import Browser, Client, allowed, to_xero
from tests.support.pushing import Books, Line
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.pages.synchronise import is_set_up
from xero.qicworks import database
from xero.qicworks.follow.differences import Found, Reason
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Counts, Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.qicworks.views import first_day
from xero.sync.pull.flow import pull

STEPS = ("Set-up data pulled", "Settings", "People and contacts matched", "Dry run", "Pushes on")
SET_UP = [name for name, one in DATASETS.items() if is_set_up(one)]


@pytest.fixture
def path(books: Books) -> str:
    return f"connections/{books.connection_id}/first-day"


def states(browser: Browser, path: str) -> dict[str, str]:
    return _states(browser.read(path))


def _states(html: str) -> dict[str, str]:
    found = re.findall(r'<h2 id="step-\d">\d\. ([^<]+?) <span class="status [^"]*">([^<]+)</span>', html)
    assert tuple(title for title, _ in found) == STEPS
    return dict(found)


def step(html: str, number: int) -> str:
    """What a step says."""
    return words(html.partition(f'id="step-{number}"')[2].partition("</li>\n<li class=")[0].partition("</ol>")[0])


def pull_all(books: Books, *names: str) -> None:
    client = opener(books.world.engine, books.world.app, backoff=(0.02, 0.04))
    for name in names:
        pull(DATASETS[name], books.connection_id, engine=books.world.engine, open_client=client, origin=Origin())


def ended(books: Books, name: str, outcome: EventOutcome, status: Status) -> None:
    """A pull that ended so."""
    with database.session(books.world.engine) as session:
        id = events.open_event(session, books.connection_id, Direction.PULL, name, Origin())
        events.close_event(session, id, status, outcome, Counts(), "it ended")


@pytest.fixture
def loaded(books: Books) -> None:
    """All set-up data is there."""
    with database.session(books.world.engine) as session:
        pull_all(books, *(set(SET_UP) - first_day.loaded(session, books.connection_id)))


@pytest.fixture
def pushes_paused(airflow_dags: None) -> Iterator[None]:
    with create_session() as session:
        session.query(DagModel).filter(DagModel.dag_id.like("push_%")).update({"is_paused": True})
    yield
    with create_session() as session:
        session.query(DagModel).update({"is_paused": False})


@pytest.mark.usefixtures("pushes_paused")
def test_a_new_organisation_is_led_from_step_to_step(browser: Client, books: Books, path: str) -> None:
    own, user, admin, viewer = OwnBooks.of_books(books), browser("user"), browser("admin"), browser("viewer")
    assert states(viewer, path) == dict(zip(STEPS, ["to do", *["not yet"] * 4], strict=True))
    page = user.read(path)
    assert "Never pulled: " in step(page, 1)
    assert all(DATASETS[name].title in step(page, 1) for name in SET_UP)
    assert f"Pull {len(SET_UP)} data sets" in step(page, 1)
    assert "5 of 5 steps left. Next: set-up data pulled" in words(admin.read(f"connections/{books.connection_id}"))

    pull_all(books, *SET_UP[1:])
    assert "Pull 1 data set" in step(user.read(path), 1)
    run = user.press(f"{path}/pull")
    assert re.match(
        rf"/xero/synchronise/pull_{SET_UP[0]}/[^?]+\?first_day={books.connection_id}$", run.headers["location"]
    )
    assert f'href="/xero/{path}">Back' in user.read(run.headers["location"].removeprefix("/xero/"))
    pull_all(books, SET_UP[0])
    now = states(user, path)
    assert (now["Set-up data pulled"], now["Settings"]) == ("done", "optional")
    assert "are not set. A line that has none of its own is refused." in step(user.read(path), 2)

    new = own.contact("Nobody Like It Pty Ltd")
    good = books.add("invoices", number="FD-1", contact_id=new)
    books.world.calls()
    assert states(user, path)["Dry run"] == "to do"
    assert "Ready: 1 contact , 1 invoice ." in step(user.read(path), 4)
    assert states(user, path)["Pushes on"] == "not yet"
    assert books.world.calls() == [], "opening the page asks nothing of Xero"
    asked = user.press(f"{path}/dry-run")
    assert asked.status_code == 200
    assert "1 would wait: their new contact is not sent" in step(asked.text, 4)
    assert "1 would be refused" in step(asked.text, 4), "the setting is to ask"
    assert _states(asked.text)["Dry run"] == "to do"
    own.setting("create")
    asked = user.press(f"{path}/dry-run")
    assert "1 would be sent" in step(asked.text, 4)
    assert "1 sent after their new contact" in step(asked.text, 4)
    assert _states(asked.text)["Dry run"] == "done"
    assert "Invoices: dry run by user: 1 document, of which 0 would be sent, 1 sent after" in step(user.read(path), 4)
    assert [row["push_state"] for row in books.rows("invoices")] == ["ready"], "nothing was sent"
    assert own.created() == []

    page = admin.read(path)
    assert states(admin, path)["Pushes on"] == "to do"
    assert "push_invoices" in step(page, 5)
    admin.press(f"{path}/unpause", {"kind": "invoices"})
    admin.press(f"{path}/unpause", {"kind": "contacts"})
    assert states(admin, path)["Pushes on"] == "optional", "the others are paused, and nothing waits for them"
    with create_session() as session:
        assert not session.get(DagModel, "push_invoices").is_paused  # type: ignore[union-attr]
        assert session.get(DagModel, "push_bills").is_paused  # type: ignore[union-attr]
    own.push("invoices")
    assert books.row("invoices", good)["push_state"] == "pushed"
    done = admin.read(path)
    assert set(_states(done).values()) == {"done", "optional"}
    assert "Every step is done." in words(done)
    assert "steps left" not in words(admin.read(f"connections/{books.connection_id}"))
    assert f'href="/xero/{path}"' in admin.read(f"connections/{books.connection_id}"), "it stays in reach"


def test_a_viewer_sees_what_is_left_and_presses_nothing(
    browser: Client, books: Books, path: str, pushes_paused: None
) -> None:
    viewer = browser("viewer")
    books.add("bills", number="FD-V")
    page = viewer.read(path)
    assert "<form" not in page
    for button in ("pull", "dry-run", "unpause"):
        refused = viewer.press(f"{path}/{button}", {"kind": "bills"})
        assert refused.status_code == 403, button
        assert browser("admin").press(f"{path}/{button}", {"kind": "bills"}, form_token="forged").status_code == 403
    assert _states(viewer.read(f"{path}/dry-run")) == _states(page), "after a reload it is only shown"
    assert browser("admin").press(f"{path}/unpause", {"kind": "made_up"}).status_code == 404
    viewer.read("connections/00000000-0000-0000-0000-000000000000/first-day", 404)


@pytest.mark.usefixtures("loaded", "pushes_paused")
def test_what_is_wrong_is_named_until_it_is_right(browser: Client, books: Books, path: str) -> None:
    admin, world = browser("admin"), books.world
    ended(books, "tax_codes", EventOutcome.BAD_RESPONSE, Status.ERROR)
    for name, one in DATASETS.items():
        if one.payroll:
            ended(books, name, EventOutcome.NOT_AVAILABLE, Status.WARNING)
    page = admin.read(path)
    assert "Failed: Tax codes." in step(page, 1)
    assert "Xero does not offer this organisation (no Xero Payroll, or no permission): " in step(page, 1)
    assert "not linked to an employee" not in step(page, 3), "there is no payroll"
    assert "does not offer payroll for this organisation: " in step(page, 5)
    pull_all(books, "tax_codes")
    assert _states(admin.read(path))["Set-up data pulled"] == "done"

    [account] = world.query("SELECT xero_id FROM qicworks.account WHERE code = '200'")
    OwnBooks.of_books(books).setting("ask", **{"invoices.account": str(account["xero_id"])})
    world.query("UPDATE qicworks.account SET is_active = false WHERE code = '200'")
    page = admin.read(path)
    assert _states(page)["Settings"] == "to do"
    assert "Invoices, default account: account '200 Sales' is archived or deleted in Xero." in step(page, 2)
    world.query("UPDATE qicworks.account SET is_active = true WHERE code = '200'")
    assert _states(admin.read(path))["Settings"] == "optional"

    bad = books.add("invoices", Line(description="<b>odd</b>"), number="FD-<b>", contact_id=None)
    other = books.add("invoices", number="FD-O", contact_id=None)
    checked = admin.press(f"{path}/dry-run")
    assert "2 refused: it has no contact. Choose a customer or supplier on the invoice." in step(checked.text, 4)
    assert "invoice FD-&lt;b&gt;, invoice FD-O" in checked.text
    books.edit("invoices", other, push_state="skipped")
    assert _states(checked.text)["Dry run"] == "to do"
    books.edit("invoices", bad, contact_id=books.contacts[0])
    assert "1 document became ready or changed since the last dry run." in step(admin.read(path), 4)
    with mock.patch.dict(os.environ, AIRFLOW_CONN_XERO_DEFAULT=json.dumps({"conn_type": "xero"})):
        troubled = admin.press(f"{path}/dry-run")
    assert "They could not be checked" in step(troubled.text, 4)
    assert _states(troubled.text)["Dry run"] == "to do"

    failed = books.add("bills", number="FD-F", state="failed", push_error="refused", push_correction="Change it.")
    differ(books, "bills", failed, "bill FD-F", Found(Reason.AMBIGUOUS_MATCH, {}, {"Number": "1"}))
    page = admin.read(path)
    assert "Failed: 1 bill . Fix it first." in step(page, 4)
    assert "1 record of Xero may be another one of a document." in step(page, 3)
    assert _states(page)["People and contacts matched"] == "to do"


@pytest.mark.usefixtures("airflow_dags")
def test_an_organisation_that_is_off_is_switched_on_here(browser: Client, books: Books, path: str) -> None:
    admin, connection = browser("admin"), f"connections/{books.connection_id}"
    admin.press(f"{connection}/switch", {})
    page = admin.read(path)
    assert "This organisation is switched off: nothing of it is pulled or pushed." in step(page, 5)
    for button in ("pull", "dry-run"):
        assert admin.press(f"{path}/{button}").status_code == 409
    back = admin.press(f"{connection}/switch", {"on": "yes", "first_day": "yes"}).headers["location"]
    assert back.startswith(f"/xero/{path}?said=")
    assert "switched off" not in step(admin.read(path), 5)


@pytest.mark.usefixtures("airflow_dags")
def test_match_leads_there(browser: Client, books: Books) -> None:
    admin, world = browser("admin"), books.world
    tenants = [world.sandbox.tenant(number) for number in range(2)]
    known = {
        row["tenant_id"]: row for row in world.query("SELECT * FROM xero_sync.connection WHERE state <> 'deleted'")
    }

    def matched(*wanted: str) -> str:
        back = admin.get(f"/xero/{allowed(to_xero(admin), *tenants)}", follow_redirects=False)
        match = back.headers["location"].removeprefix("/xero/")
        given = {f"organisation:{one}": known[one]["organisation_id"] if one in wanted else "" for one in tenants}
        return str(admin.press(match, given).headers["location"])

    assert matched(tenants[0]).startswith("/xero/connections?said="), "it was connected before"
    for one in tenants:
        admin.press(f"connections/{known[one]['id']}/delete")
    assert matched(tenants[0]).startswith(f"/xero/connections/{known[tenants[0]]['id']}/first-day?said=")
    admin.press(f"connections/{known[tenants[0]]['id']}/delete")
    several = matched(*tenants)
    page = admin.read(several.removeprefix("/xero/"))
    for one in tenants:
        assert f'href="/xero/connections/{known[one]["id"]}/first-day"' in page
    assert admin.read("first-day").count("/first-day") == len(known)
