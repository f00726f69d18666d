"""A document links to its new contact; what a linked contact has otherwise than Xero is on its page."""

from tests.support.own_contacts import OwnBooks
from tests.support.page_runs import words
from tests.support.pages import Client
from tests.support.pushing import Books


def test_from_the_invoice_to_the_contact_and_what_differs(browser: Client, books: Books, airflow_dags: None) -> None:
    own = OwnBooks.of_books(books)
    own.setting("ask")
    there = own.in_xero_active()
    contact = own.contact("Linked & from <b>invoice</b>", email="typed@by.example", tax_number="51 824 753 556")
    document = own.add("invoices", state="draft")
    own.edit("invoices", document, contact_id=contact)
    own.edit("invoices", document, push_state="ready")
    own.push("invoices")
    viewer = browser("viewer")
    page = viewer.read(f"documents/invoices/{document}")
    assert f'/documents/contacts/{contact}">Linked &amp; from &lt;b&gt;' in page
    pulled = own.add("invoices", state="draft")
    assert "/documents/contacts/" not in viewer.read(f"documents/invoices/{pulled}"), "Xero's own have no page"
    own.world.sandbox.change("Contacts", there["ContactID"], TaxNumber="51824753556")
    own.push("contacts", retry_failed=True)
    shown = words(viewer.read(f"documents/contacts/{contact}"))
    assert "Differs from Xero" in shown
    assert "it was linked to a contact that Xero had already" in shown
    for value in ("typed@by.example", there["EmailAddress"], "edit not sent"):
        assert value in shown
    assert "differs" in words(viewer.read("documents?kind=contacts"))
    assert "typed@by.example" in words(viewer.read("differences"))
