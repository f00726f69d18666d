"""Valid sample documents of realistic jobs, to be pushed to each of the demo's organisations.

Fields are columns of the document's table in schema `qicworks`. The contact is given by its role: "customer 0" is the
first customer that was pulled. `wrong_samples` has the faulty documents.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Line:
    """A line: account by code, tax code by type, departments by name."""

    description: str | None
    quantity: str
    unit_price: str
    account: str | None = "200"
    tax: str | None = "OUTPUT"
    departments: tuple[str, ...] = ()
    line_total: str | None = None  # as QicWorks shows it; None: quantity × unit price


@dataclass(frozen=True)
class Sample:
    """A document and the expected result. `error` and `correction` are parts of the messages if it is to fail."""

    table: str
    number: str
    job: str = ""  # number and name
    contact: str | None = "customer 0"
    lines: tuple[Line, ...] = ()
    line_amount_types: str = "Exclusive"
    files: tuple[str, ...] = ()
    push_state: str = "ready"
    days_ago: int | None = 5  # since it was issued; None: it has no date
    days_to_pay: int | None = 14
    columns: dict[str, Any] = field(default_factory=dict)  # further columns of its table
    error: str | None = None
    correction: str | None = None


LOCKED = -1  # days ago: the last day of the period that is locked in Xero

LABOUR = Line("Labour, two plumbers", "7.5", "94.1875", departments=("North", "Installation"))
PIPE = Line('Copper pipe 20 mm × 6 m "Type B"', "12.345", "3.3333", departments=("North",))
CALL_OUT = Line("Call-out and first hour", "1", "143", "210")
PARTS = Line("Fittings and consumables", "24", "1.8725", "310", "INPUT")
HIRE = Line("Excavator hire, 1.7 t, with trailer", "2", "385.5", "315", "INPUT", ("South", "Installation"))
LUNCH = Line("Lunch with the site manager – café", "1", "64.8", "420", "INPUT")
DIESEL = Line("Diesel, 46.32 L", "46.32", "1.9795", "449", "TAX002", ("Eyre & Mallee",))

INVOICES = (
    Sample(
        "invoice",
        "IV-2001",
        "000051 Café fit-out, Glebe",
        lines=(LABOUR, PIPE, Line("Gas compliance certificate", "1", "85", tax="EXEMPTOUTPUT")),
        files=("certificate.pdf", "before & after.jpg"),
        columns={"reference": "Order 88123"},
    ),
    Sample(
        "invoice",
        "IV-2002",
        "000052 Hot water, unit 7",
        "customer 1",
        (CALL_OUT, Line("Hot water system 315 L, supplied and installed", "3", "33.3333", "200")),
        "Inclusive",
    ),
    Sample(
        "invoice",
        "IV-2003",
        "000053 Flood relief, church hall",
        "customer 2",
        (Line("Labour, donated at cost", "4", "61.25", "260", "BASEXCLUDED"),),
        "NoTax",
        files=("job sheet.txt",),
    ),
    Sample(
        "invoice",
        "IV-2004",
        "000054 Progress claim 2 of 4, Harbour St",
        lines=(Line("Progress claim 2 of 4\nas agreed on site", "0.25", "48210.5"), Line("Retention", "1", "-602.63")),
        days_to_pay=30,
    ),
    # Xero accepts a draft dated in a locked period, but it cannot be approved there: pushed, with a warning.
    Sample("invoice", "IV-2005", "000048 Winter maintenance", "customer 1", (CALL_OUT,), days_ago=LOCKED),
    Sample("invoice", "IV-2006", "000055 Not finished yet", "customer 2", (LABOUR,), push_state="draft"),
)

BILLS = (
    Sample(
        "bill",
        "TI-4471",
        "000051 Café fit-out, Glebe",
        "supplier 0",
        (PARTS, HIRE),
        files=("delivery docket 4471.pdf",),
        days_to_pay=30,
    ),
    # The number is the supplier's own, so two suppliers may use the same one.
    Sample("bill", "TI-4471", "", "supplier 1", (Line("Tip fees, 3.2 t", "3.2", "146.3636", "429", "INPUT"),)),
    Sample(
        "bill",
        "2026/118",
        "000052 Hot water, unit 7",
        "supplier 1",
        (
            Line("Hot water system 315 L", "1", "1214.4", "310", "INPUT", ("South",)),
            Line("Pipe threading machine", "1", "2980", "710", "CAPEXINPUT"),
        ),
        "Inclusive",
    ),
)
EXPENSES = (
    Sample(
        "expense",
        "EX-0301",
        "000053 Flood relief, church hall",
        "supplier 0",
        (DIESEL, LUNCH),
        "Inclusive",
        ("receipt.png",),
        columns={"expense_type": "Credit card"},
    ),
    Sample("expense", "EX-0302", "", "supplier 1", (Line("Train to Newcastle", "2", "9.7", "493", "INPUT"),)),
)
CREDIT_NOTES = (
    Sample(
        "credit_note",
        "CR-0071",
        "000051 Café fit-out, Glebe",
        lines=(Line("Labour charged twice", "1.25", "94.1875", departments=("North", "Installation")),),
        files=("credit.txt",),
        columns={"side": "customer", "reference": "IV-2001"},
    ),
    Sample(
        "credit_note",
        "SC-88",
        "",
        "supplier 0",
        (Line("Fittings sent back", "6", "1.8725", "310", "INPUT"),),
        columns={"side": "supplier"},
    ),
)
PURCHASE_ORDERS = (
    Sample(
        "purchase_order",
        "PQ-0101",
        "000054 Progress claim 2 of 4, Harbour St",
        "supplier 0",
        (HIRE, Line("Backflow valve 50 mm", "2", "412.0825", "310", "INPUT")),
        files=("site plan.pdf",),
        columns={
            "delivery_address": "14 Harbour Street\nWollongong NSW 2500",
            "attention_to": "Site office",
            "telephone": "02 9555 0123",
            "delivery_instructions": "Gate 3, before 7 am – ring first",
            "reference": "Stage 2",
        },
    ),
    Sample("purchase_order", "PQ-0102", "", "supplier 1", (PARTS,), "Inclusive"),
    Sample("purchase_order", "PQ-0103", "", "supplier 1", (PARTS,), push_state="draft", columns={"status": "Draft"}),
)

SOUND = (*INVOICES, *BILLS, *EXPENSES, *CREDIT_NOTES, *PURCHASE_ORDERS)
