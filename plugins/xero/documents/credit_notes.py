"""Credit notes, to customers and from suppliers. Allocating them is left to Xero's users."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xero.documents import pricing
from xero.documents.checking.approval import approvable
from xero.documents.checks import PRICED, taxed_by_rate
from xero.documents.declaration import (
    CheckResult,
    Delivery,
    Document,
    Json,
    Likeness,
    PricedKind,
    PricedLine,
    PricedRow,
    Record,
)
from xero.documents.parts.arriving import PURCHASES, SALES, Defaults

TYPES = {"customer": "ACCRECCREDIT", "supplier": "ACCPAYCREDIT"}
BOOKS = {"customer": "AccountsReceivable", "supplier": "AccountsPayable"}


@dataclass(frozen=True, kw_only=True)
class CreditNoteRow(PricedRow):
    side: str  # customer, supplier


CreditNote = Document[CreditNoteRow, PricedLine]


def payload(document: CreditNote) -> Json:
    row = document.row
    return pricing.header(
        document,
        purchase=row.side == "supplier",
        Type=TYPES[row.side],
        CreditNoteNumber=row.number,
        Reference=row.reference if row.side == "customer" else None,  # suppliers' ones have none
    )


def likeness(identity: Json, record: Record) -> Likeness:
    """They carry no address: type, contact and number, and the same day and amount."""
    if record.get("Type") != identity["Type"] or not pricing.same_contact(identity, record):
        return Likeness.OTHER
    if not pricing.same_text(identity["CreditNoteNumber"], record.get("CreditNoteNumber")):
        return Likeness.OTHER
    exact = pricing.same_day(identity["Date"], record) and pricing.same_total(identity, record)
    return Likeness.SAME if exact else Likeness.PERHAPS


def lookups(identities: Sequence[Json]) -> Iterator[dict[str, str]]:
    """All of those days, because a filter may not match an unusual number; and by number, because a user may have
    changed the date in Xero."""
    first, last = pricing.days(identities)
    on = "DateTime({0.year},{0.month},{0.day})".format
    yield {"where": f"Date>={on(first)} AND Date<={on(last)}"}
    yield from pricing.where_numbers("CreditNoteNumber", [one["CreditNoteNumber"].strip() for one in identities])


def of_customers(document: CreditNote) -> Iterator[CheckResult]:
    if document.row.side == "customer":
        yield from taxed_by_rate(document)


CREDIT_NOTES = PricedKind(
    name="credit_notes",
    word="credit note",
    title="Credit notes",
    help="Credit notes to customers and from suppliers, as drafts.",
    scope="accounting.invoices accounting.attachments",
    table="credit_note",
    delivery=Delivery.BATCH,
    row=CreditNoteRow,
    path="/api.xro/2.0/CreditNotes",
    envelope="CreditNotes",
    key="CreditNoteID",
    number="CreditNoteNumber",
    records="credit_note_record",
    payload=payload,
    identity=lambda document: pricing.identity(document, payload(document), "Type", "CreditNoteNumber", "Date"),
    likeness=likeness,
    lookups=lookups,
    checks=(*PRICED, approvable, of_customers),
    query={"unitdp": "4"},
    defaults=(
        Defaults("credit notes to customers", SALES, "customer"),
        Defaults("credit notes from suppliers", PURCHASES, "supplier", "supplier_"),
    ),
    shows_online=lambda attachment: attachment.side == "customer",
    look_first=True,  # suppliers' numbers are not unique
    page=lambda row: f"https://go.xero.com/{BOOKS[row['side']]}/ViewCreditNote.aspx?creditNoteID={row['xero_id']}",
)
