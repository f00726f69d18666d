"""What a user does on the pages, in a real browser and through Airflow's frame; each page is looked at on the way."""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Frame, FrameLocator, Locator, Page, expect

from demo.planted import VOIDED
from tests.support.browser import PATIENCE, Witness, complaints, launched, login
from tests.support.differing import EDITED
from tests.support.stack import Stack
from xero.qicworks import database
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Reason

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

FRAMED = "/plugin/xero/xero"  # Airflow's address of a page of ours
HOME = "Australia/Adelaide"
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
SAME_NAME = "Huon Valley Refrigeration Pty Ltd"
DEPOT = "TEPTC Darwin Depot"
CUSTOMER, FIRST = "Larrakia Cold Stores Pty Ltd", "FD-0001"  # of the first day
MATCHED = """
    SELECT connection.id, organisation_id, tenant_id
      FROM xero_sync.connection
      JOIN qicworks.organisation ON organisation.id = organisation_id
     WHERE organisation.name = %s AND state <> 'deleted'
"""
REVENUE = """
    SELECT xero_id, code FROM qicworks.account
     WHERE connection_id = %s AND class = 'REVENUE' AND is_active AND code <> '' ORDER BY code LIMIT 1
"""
NEW_CUSTOMER = """
    INSERT INTO qicworks.contact (organisation_id, name, email, push_state)
    VALUES (%s, %s, 'accounts@larrakia.example', 'ready') RETURNING id
"""
NEW_INVOICE = """
    INSERT INTO qicworks.invoice (organisation_id, number, contact_id, issue_date, due_date, currency, sub_total,
                                  total_tax, total, balance)
    VALUES (%s, %s, %s, current_date, current_date + 14, 'AUD', 100, 10, 110, 110) RETURNING id
"""
NEW_LINE = """
    INSERT INTO qicworks.document_line (parent_type, parent_id, line_number, description, quantity, unit_price)
    VALUES ('invoice', %s, 1, 'Cold room service', 1, 100) RETURNING id
"""
LAST = """
    SELECT run_id, map_index FROM xero_sync.connection_event AS event
      JOIN xero_sync.connection ON connection.id = event.connection_id
     WHERE connection.tenant_name = %s AND event.data_set = 'contacts' ORDER BY event.id DESC LIMIT 1
"""
REFUSED = """
    SELECT invoice.id, number, organisation.name AS organisation, tenant_id
      FROM qicworks.invoice
      JOIN qicworks.organisation ON organisation.id = invoice.organisation_id
      JOIN xero_sync.connection ON connection.organisation_id = organisation.id
     WHERE invoice.push_state = 'failed' AND invoice.currency = 'USD' LIMIT 1
"""
AS_REFUSED = """
    UPDATE qicworks.invoice AS copy
       SET push_state = 'failed', push_error = refused.push_error, push_correction = refused.push_correction
      FROM qicworks.invoice AS refused WHERE copy.id = %s AND refused.id = %s RETURNING copy.id, copy.number
"""
PUSHED = """
    SELECT invoice.id, number, connection.id AS connection_id
      FROM qicworks.invoice
      JOIN xero_sync.connection ON connection.organisation_id = invoice.organisation_id
     WHERE connection.state = 'connected' AND invoice.push_state = 'pushed' ORDER BY number LIMIT 1
"""
TABS = 60  # presses of the Tab key within which everything on a page is reached


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    """The admin's, in Adelaide. Whatever happened, what was connected here takes no part in later pulls."""
    try:
        with launched() as browser:
            yield login(browser, stack, viewport=WIDE, timezone_id=HOME, locale="en-AU", color_scheme="light")
    finally:
        stack.query(
            "UPDATE xero_sync.connection SET enabled = false FROM xero_sync.token"
            " WHERE token.id = token_id AND airflow_conn_id = 'xero_app' RETURNING connection.id"
        )


def test_from_consent_to_a_document_that_failed_and_back(stack: Stack, page: Page) -> None:
    witness = Witness(page, stack.place.ui)
    page.goto("/")
    page.get_by_role("link", name="Xero", exact=True).click()
    xero = page.frame_locator("iframe")
    expect(xero.get_by_role("heading", name="Overview", exact=True)).to_be_visible()
    look_at(page, "overview", narrow=True)

    other = connects(stack, page, xero)
    has_its_first_day(stack, page)
    page.goto(f"{FRAMED}/connections")
    switches_by_keyboard(page, xero, other)
    look_at(page, "connections")

    deletes(stack, page, xero, SAME_NAME)
    pulls_contacts(page, xero, other)
    look_at(page, "synchronise")
    reads_the_event(stack, page, xero, other)
    page.goto(f"{FRAMED}/documents")
    pushes_what_failed(stack, page, xero)
    what_was_voided_stays_voided(stack, page, xero)
    decides_about_a_difference(stack, page, xero)
    deletes(stack, page, xero, other)

    assert not witness.errors
    assert not witness.strangers


def connects(stack: Stack, page: Page, xero: FrameLocator) -> str:
    """Both organisations that wait: one is suggested by its name, the other, which is returned, is matched by hand."""
    waiting = {one["name"] for one in stack.sandbox("GET", "organisations") if "app" not in one["connected"]}
    [other] = waiting - {SAME_NAME}
    xero.get_by_role("navigation", name="Xero").get_by_role("link", name="Connections").click()
    xero.get_by_role("link", name="Connect to Xero").click()
    expect(page.locator("iframe")).to_have_count(0)
    app = page.get_by_role("region", name="Xero app xero_app")
    app.get_by_role("button", name="Connect to Xero").click()

    for name in (SAME_NAME, other):
        page.get_by_label(name).check()
    page.get_by_role("button", name="Allow access").click()

    expect(page.get_by_role("heading", name="Match organisations")).to_be_visible()
    assert page.url.startswith(stack.place.ui)
    expect(page.get_by_label(SAME_NAME)).to_have_value(organisation(stack, SAME_NAME))
    expect(page.get_by_label(other)).to_have_value("")
    page.get_by_label(other).select_option(DEPOT)
    look_at(page, "match")
    page.get_by_role("button", name="Save").click()
    for name in (SAME_NAME, DEPOT):
        expect(page.get_by_role("link", name=f"First day of {name}")).to_be_visible()
    return other


def has_its_first_day(stack: Stack, page: Page) -> None:
    """From the match to the first invoice in Xero, of a customer that Xero did not have."""
    [about] = stack.query(MATCHED, DEPOT)
    airflow(stack, "PATCH", "push_invoices", {"is_paused": True})
    page.get_by_role("link", name=f"First day of {DEPOT}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"First day of {DEPOT}")
    look_at(page, "first-day-begun")
    button = page.get_by_role("button", name=re.compile(r"Pull \d+ data sets"))
    button.click()
    # Runs of what Xero does not offer this organisation fail, as they were asked for.
    expect(page.locator("section.run").first).to_be_visible()
    expect(page.locator("section.run[hx-get]")).to_have_count(0, timeout=3 * PATIENCE)
    page.get_by_role("link", name="Back to the first day").click()
    expect(step(page, 1)).to_contain_text("done")

    add_an_invoice_of_a_new_customer(stack, about["organisation_id"])
    step(page, 2).get_by_role("link", name="Settings").click()
    [account] = stack.query(REVENUE, about["id"])
    page.locator("#setting-new-contacts").select_option("create")
    page.locator("#setting-invoices-account").select_option(str(account["xero_id"]))
    page.locator("#setting-invoices-tax-code").select_option("OUTPUT")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Settings saved.")
    page.goto(f"/xero/connections/{about['id']}/first-day")
    expect(step(page, 3)).to_contain_text("Each is created there with its first document")
    expect(step(page, 5)).to_contain_text("Do the dry run first.")

    step(page, 4).get_by_role("button", name="Dry run").click()
    expect(step(page, 4)).to_contain_text("1 checked, 1 sent after their new contact")
    expect(step(page, 4).get_by_role("heading", level=2)).to_contain_text("done")
    assert stack.query("SELECT FROM qicworks.invoice WHERE number = %s AND push_state = 'ready'", FIRST)
    look_at(page, "first-day", full_page=True)
    page.get_by_role("button", name="Unpause push_invoices").click()
    expect(page.get_by_role("status")).to_contain_text("The DAG push_invoices is on.")
    assert airflow(stack, "GET", "push_invoices")["is_paused"] is False

    step(page, 4).get_by_role("link", name="1 invoice").click()
    page.get_by_role("checkbox", name=FIRST).check()
    page.get_by_role("button", name="Push now").click()
    expect(page.locator("section.run h2 .status")).to_have_text("success")
    expect(row(page, FIRST)).to_contain_text("pushed")
    page.goto(f"/xero/connections/{about['id']}/first-day")
    for number in (1, 4, 5):
        expect(step(page, number).get_by_role("heading", level=2)).to_contain_text("done")
    [pushed] = stack.query("SELECT xero_id FROM qicworks.invoice WHERE number = %s", FIRST)
    there = stack.sandbox("GET", f"organisations/{about['tenant_id']}/Invoices")
    [invoice] = [one for one in there if one["InvoiceID"] == str(pushed["xero_id"])]
    named = (invoice["Contact"]["Name"], invoice["Status"], invoice["LineItems"][0]["AccountCode"])
    assert named == (CUSTOMER, "DRAFT", account["code"])
    contacts = stack.sandbox("GET", f"organisations/{about['tenant_id']}/Contacts")
    assert len([one for one in contacts if one["Name"] == CUSTOMER]) == 1


def step(page: Page, number: int) -> Locator:
    """Of the first day."""
    return page.locator("ol.steps > li").nth(number - 1)


def add_an_invoice_of_a_new_customer(stack: Stack, organisation_id: Any) -> None:
    """Ready to be pushed; its line has neither account nor tax code."""
    [customer] = stack.query(NEW_CUSTOMER, organisation_id, CUSTOMER)
    [made] = stack.query(NEW_INVOICE, organisation_id, FIRST, customer["id"])
    assert stack.query(NEW_LINE, made["id"])
    assert stack.query("UPDATE qicworks.invoice SET push_state = 'ready' WHERE id = %s RETURNING id", made["id"])


def airflow(stack: Stack, method: str, dag_id: str, body: Any = None) -> dict[str, Any]:
    answer = stack.api.session.request(method, f"{stack.place.airflow}/api/v2/dags/{dag_id}", json=body, timeout=30)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def organisation(stack: Stack, name: str) -> str:
    """Its id in QicWorks."""
    [found] = stack.query("SELECT id FROM qicworks.organisation WHERE name = %s", name)
    return str(found["id"])


def row(where: Page | FrameLocator, text: str) -> Locator:
    return where.get_by_role("row").filter(has_text=text)


# -- looking


def look_at(page: Page, name: str, narrow: bool = False, full_page: bool = False) -> None:
    """Axe finds nothing in light or dark, nothing goes over the edge; a picture, if anybody wants one."""
    frame = ours(page)
    assert complaints(frame) == []
    keep(page, name, full_page)
    page.emulate_media(color_scheme="dark")
    assert complaints(frame, "color-contrast") == []
    page.set_viewport_size(NARROW)
    over_the_edge = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert frame.evaluate(over_the_edge) <= 0, name
    if narrow:
        keep(page, "narrow")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")


def ours(page: Page) -> Frame:
    """The document that is ours, when it is there: framed, or the page itself."""
    framed = page.locator("iframe").element_handle() if "/plugin/" in page.url else None
    frame = framed.content_frame() if framed else page.main_frame
    assert frame
    expect(frame.get_by_role("heading", level=1)).to_be_visible()
    return frame


def keep(page: Page, name: str, full_page: bool = False) -> None:
    if folder := os.environ.get("XERO_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full_page)


# -- doing


def switches_by_keyboard(page: Page, xero: FrameLocator, name: str) -> None:
    """Off; then a link. On again by the mouse."""
    switch = row(xero, name).get_by_role("switch")
    expect(switch).to_be_visible()
    xero.locator("main").focus()
    press_until_focused(page, switch)
    page.keyboard.press("Space")
    expect(row(xero, name).locator(".status").first).to_have_text("off")
    expect(switch).not_to_be_checked()
    switch.click()
    expect(row(xero, name).locator(".status").first).to_have_text("connected")
    expect(switch).to_be_checked()

    switch.focus()
    press_until_focused(page, row(xero, name).get_by_role("link", name="Edit"))
    page.keyboard.press("Enter")
    expect(xero.get_by_role("heading", level=1)).to_have_text(DEPOT)
    page.goto(f"{FRAMED}/connections")


def press_until_focused(page: Page, wanted: Locator) -> None:
    for _ in range(TABS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {wanted}")


def pulls_contacts(page: Page, xero: FrameLocator, name: str) -> None:
    """And watches the run until it is over. The other organisation of the same consent is deleted by then."""
    page.goto(f"{FRAMED}/connections")
    row(xero, name).get_by_role("link", name="Synchronise").click()
    xero.get_by_role("checkbox", name="Contacts").check()
    xero.get_by_role("button", name="Pull", exact=True).click()
    expect(xero.locator("section.run h2 .status")).to_have_text("success")
    expect(row(xero, DEPOT).filter(has_text="success")).to_contain_text("calls")


def reads_the_event(stack: Stack, page: Page, xero: FrameLocator, name: str) -> None:
    """That pull's, at the viewer's time of day, and from there Airflow's own page of its task log."""
    xero.get_by_role("navigation", name="Xero").get_by_role("link", name="Events").click()
    event = row(xero, "pull contacts").first
    expect(event).to_contain_text(DEPOT)
    expect(event).to_contain_text("success")
    at = event.locator("time")
    local = datetime.fromisoformat(at.get_attribute("datetime") or "").astimezone(ZoneInfo(HOME))
    expect(at).to_contain_text(f"{local:%-I:%M}")
    expect(at).to_have_attribute("title", re.compile(f"{local:%-d %B %Y}.*{local:%-I:%M:%S}.* AC[DS]T"))
    look_at(page, "events")

    [(run, mapped)] = [(one["run_id"], one["map_index"]) for one in stack.query(LAST, name)]
    event.get_by_role("link", name="Task log").click()
    expect(page.locator("iframe")).to_have_count(0)
    expect(page).to_have_url(re.compile(f"/dags/pull_contacts/runs/{re.escape(quote(run))}/tasks/pull/mapped/{mapped}"))
    expect(page.get_by_text("extract").first).to_be_visible()


def pushes_what_failed(stack: Stack, page: Page, xero: FrameLocator) -> None:
    """A currency is not in Xero; QicWorks changes it, and the page from before is good enough for another try."""
    failed = refused_once_more(stack)
    invoices = xero.get_by_role("navigation", name="Types of document").get_by_role("link", name="Invoices")
    invoices.click()
    expect(invoices).to_have_attribute("aria-current", "page")
    xero.get_by_label("State").select_option("failed")
    xero.get_by_label("Organisation").select_option(label=failed["organisation"])
    xero.get_by_label("Number begins with").fill(failed["number"])
    xero.get_by_role("button", name="Show").click()
    ours(page).wait_for_url(re.compile("text="))  # the page before has that row too
    expect(xero.get_by_role("checkbox", name=failed["number"])).to_have_count(1)
    expect(row(xero, failed["number"])).to_contain_text("the Xero organisation does not have its currency USD")
    expect(row(xero, failed["number"])).to_contain_text("Or change the currency of the invoice")
    look_at(page, "documents")

    stack.query("UPDATE qicworks.invoice SET currency = 'AUD' WHERE id = %s RETURNING id", failed["id"])
    xero.get_by_role("checkbox", name=failed["number"]).check()
    xero.get_by_role("button", name="Retry").click()
    expect(xero.locator("section.run h2 .status")).to_have_text("success")
    expect(row(xero, failed["number"])).to_contain_text("pushed")
    [pushed] = stack.query("SELECT push_state, xero_id FROM qicworks.invoice WHERE id = %s", failed["id"])
    assert pushed["push_state"] == "pushed"
    there = stack.sandbox("GET", f"organisations/{failed['tenant_id']}/Invoices")
    [invoice] = [one for one in there if one["InvoiceID"] == str(pushed["xero_id"])]
    assert (invoice["InvoiceNumber"], invoice["Status"], invoice["CurrencyCode"]) == (failed["number"], "DRAFT", "AUD")


def refused_once_more(stack: Stack) -> dict[str, Any]:
    """A copy of an invoice that was refused for its currency, as failed as that one, which the demo compares."""
    [refused] = stack.query(REFUSED)
    id = stack.copy_invoice(refused["id"], f"{refused['number']}-copy")
    [copy] = stack.query(AS_REFUSED, id, refused["id"])
    return refused | copy


def what_was_voided_stays_voided(stack: Stack, page: Page, xero: FrameLocator) -> None:
    """The demo voids an invoice in Xero. However often it is looked at: all pages show it, with the two ways out."""
    for _ in range(2):
        stack.run("pull_document_status")
    [voided] = stack.query("SELECT id, push_state, xero_status FROM qicworks.invoice WHERE number = %s", VOIDED.number)
    assert (voided["push_state"], voided["xero_status"]) == ("pushed", "VOIDED")
    name = f"invoice {VOIDED.number}"
    xero.get_by_role("navigation", name="Xero").get_by_role("link", name="Overview").click()
    expect(xero.get_by_role("listitem").filter(has_text="QicWorks and Xero differ")).not_to_have_count(0)
    page.goto(f"{FRAMED}/differences")
    article = xero.get_by_role("article").filter(has_text=name)
    for choice in ("If that was right, cancel it in QicWorks, too.", "If not, give it a new number and release it"):
        expect(article).to_contain_text(choice)
    article.get_by_role("link", name=name).click()
    expect(xero.get_by_role("heading", level=1)).to_contain_text("pushed, differs")
    expect(xero.get_by_role("article")).to_contain_text("voided in Xero")
    page.goto(f"{FRAMED}/events?text={VOIDED.number}&direction=pull")
    expect(row(xero, "it was voided in Xero")).to_have_count(1)


def decides_about_a_difference(stack: Stack, page: Page, xero: FrameLocator) -> None:
    """A pushed invoice was edited in Xero: it does not look fine until both sides agree, whatever a user decides."""
    [invoice] = stack.query(PUSHED)
    about = About(invoice["connection_id"], "invoices", invoice["id"], f"invoice {invoice['number']}")
    engine = database.engine(f"{stack.place.postgres}/qicworks")
    try:
        with database.session(engine) as session:
            differences.compare(session, about, [EDITED], tuple(Reason))
        xero.get_by_role("navigation", name="Xero").get_by_role("link", name="Overview").click()
        differing = xero.get_by_role("listitem").filter(has_text="QicWorks and Xero differ")
        differing.get_by_role("link").first.click()
        expect(xero.get_by_role("heading", level=1)).to_have_text("Differences between QicWorks and Xero")
        look_at(page, "differences")
        page.goto(f"{FRAMED}/documents/invoices/{about.document_id}")
        expect(xero.get_by_role("heading", level=1)).to_contain_text("pushed, differs")
        look_at(page, "document")
        for button, said in (("Keep QicWorks'", "will be kept"), ("Acknowledge for 7 days", "It stays open")):
            pressed = xero.get_by_role("article").get_by_role("button", name=button)
            xero.locator("main").focus()
            press_until_focused(page, pressed)
            page.keyboard.press("Enter")
            expect(xero.get_by_role("status")).to_contain_text(said)
        expect(xero.get_by_role("article")).to_contain_text("Acknowledged by")
        expect(xero.get_by_role("heading", level=1)).to_contain_text("pending, differs")
    finally:
        with database.session(engine) as session:
            differences.compare(session, about, [], tuple(Reason))
        stack.query("UPDATE qicworks.invoice SET push_state = 'pushed' WHERE id = %s RETURNING id", about.document_id)
        engine.dispose()
    page.goto(f"{FRAMED}/documents/invoices/{about.document_id}")
    expect(xero.get_by_role("heading", level=1).locator(".status")).to_have_text("pushed")


def deletes(stack: Stack, page: Page, xero: FrameLocator, name: str) -> None:
    """At Xero, too; nobody else's."""
    others = connected(stack) - {name}
    page.goto(f"{FRAMED}/connections")
    row(xero, name).get_by_role("link", name="Delete").click()
    xero.get_by_role("button", name="Delete the connection").click()
    expect(xero.get_by_role("status")).to_contain_text(name)
    expect(row(xero, name)).to_have_count(0)
    assert connected(stack) == others


def connected(stack: Stack) -> set[str]:
    """The organisations that the user's app may work with, as Xero sees it."""
    return {one["tenantName"] for one in stack.sandbox("GET", "connections").get("user", [])}
