"""Faulty sample documents, one for each fault, with the expected messages.

`BEFORE` are found before anything is sent; `IN_XERO` are refused by Xero, because QicWorks cannot know.
"""

from dataclasses import replace

from demo.samples import CALL_OUT, HIRE, PARTS, Line, Sample


def wrong(number: str, error: str, correction: str, *lines: Line, contact: str | None = "customer 3") -> Sample:
    """An invoice with one fault, in its lines or its contact."""
    job = "000060 What can go wrong"
    return Sample("invoice", number, job, contact, lines or (CALL_OUT,), error=error, correction=correction)


def otherwise(sample: Sample, **columns: object) -> Sample:
    return replace(sample, columns={**sample.columns, **columns})


TWICE = ("North", "South")  # of one tracking category

BEFORE = (
    wrong("", "it has no number", "Give the invoice"),
    wrong("IV-3001", "it has no contact", "Choose a customer or supplier", contact=None),
    wrong("IV-3002", "is not linked to this Xero organisation", "Pull contacts", contact="stranger 0"),
    wrong("IV-3003", "was merged into another one", "choose the contact that it was merged into", contact="merged 0"),
    wrong("IV-3004", "is archived in Xero", "Restore the contact in Xero", contact="archived 0"),
    replace(wrong("IV-3005", "it has no date", "Set the date"), days_ago=None),
    replace(wrong("IV-3006", "it has no lines", "Add a line"), lines=()),
    wrong("IV-3007", "line 1: it has no description", "Describe the line", Line(" ", "1", "10")),
    wrong("IV-3008", "longer than 4000 characters", "Shorten the description", Line("x" * 4001, "1", "10")),
    wrong("IV-3009", "line 1: it has no account", "Choose an account", Line("Labour", "1", "10", None)),
    wrong("IV-3010", "account code '290' is archived", "Restore the account", Line("Digger", "1", "10", "290")),
    wrong("IV-3011", "'091' is a bank or system", "Choose an income or expense", Line("Labour", "1", "10", "091")),
    wrong("IV-3012", "'610' is a bank or system", "Choose an income or expense", Line("Labour", "1", "10", "610")),
    wrong("IV-3013", "line 1: it has no tax code", "Choose a tax code", Line("Labour", "1", "10", tax=None)),
    wrong(
        "IV-3014",
        "'TAX003' is not in use",
        "choose a tax code that is in use in Xero",
        Line("Wine", "1", "9", tax="TAX003"),
    ),
    wrong(
        "IV-3015",
        "tax code 'INPUT' cannot be used with account code '200'",
        "On the invoice IV-3015, change the tax code. Then release it.",
        Line("Labour", "1", "10", tax="INPUT"),
    ),
    wrong(
        "IV-3016",
        "its quantity -2 is less than zero",
        "Make the quantity positive",
        Line("Labour", "-2", "10"),
        CALL_OUT,
    ),
    wrong("IV-3017", "larger than Xero can hold", "Correct the amounts", Line("Tunnel", "99999", "999999.99")),
    wrong(
        "IV-3018",
        "the line total 31.11 does not equal quantity × unit price (31.12)",
        "Use the same number of decimals",
        Line("Cable, by the metre", "3.333", "9.3355", line_total="31.11"),
    ),
    wrong("IV-3019", "fractions of a cent", "Round the line total", Line("Bolts", "3", "0.3333", line_total="0.9999")),
    wrong("IV-3020", "'Old depot' is archived", "Pull tracking", Line("Labour", "1", "10", departments=("Old depot",))),
    wrong("IV-3021", "of the same tracking category", "Keep one", Line("Labour", "1", "10", departments=TWICE)),
    wrong("IV-3022", "its total is less than zero", "create a credit note", Line("Refund", "1", "-10")),
    otherwise(wrong("IV-3103", "does not have its currency USD", "Add the currency USD in Xero"), currency="USD"),
    otherwise(
        Sample("bill", "B-3001", "", "supplier 2", (PARTS,), error="cancelled in QicWorks", correction="Nothing to do"),
        status="Cancelled",
    ),
    Sample("bill", "B-3002", "", None, (PARTS,), error="it has no contact", correction="Choose a customer or supplier"),
    Sample(
        "expense",
        "EX-3001",
        "",
        "supplier 2",
        (Line("Parking", "1", "12", None, None),),
        error="it has no account; line 1: it has no tax code",
        correction="Choose an account on the expense EX-3001",
    ),
    Sample(
        "credit_note",
        "CR-3001",
        contact="archived 0",
        lines=(CALL_OUT,),
        columns={"side": "customer"},
        error="is archived in Xero",
        correction="Restore the contact in Xero",
    ),
    Sample(
        "purchase_order",
        "PQ-3001",
        "",
        "supplier 2",
        (HIRE,),
        columns={"delivery_instructions": "Ring first. " * 50},
        error="delivery instructions are longer than 500 characters",
        correction="Shorten the delivery instructions",
    ),
    Sample(
        "purchase_order",
        "PQ-3002",
        "",
        "supplier 2",
        (PARTS,),
        columns={"status": "Archived"},
        error="it is archived in QicWorks",
        correction="Nothing to do",
    ),
)

# Only Xero can know these. Numbers in braces are numbers of documents that others created in Xero.
GONE_CONTACT, GONE_ACCOUNT = "gone 0", "453"  # archived in Xero after the pull
IN_XERO = (
    wrong("{taken invoice}", "Invoice # must be unique", "new number"),
    wrong("{deleted invoice}", "not of valid status for modification", "A"),
    wrong("IV-3101", "contact with the specified contact details has been archived", "Restore", contact=GONE_CONTACT),
    Sample(
        "expense",
        "EX-3101",
        "",
        "supplier 2",
        (Line("Printer paper", "1", "42", GONE_ACCOUNT, "INPUT"),),
        error="Account code '453' has been archived",
        correction="account",
    ),
    Sample(
        "credit_note",
        "{taken credit note}",
        contact="customer 3",
        lines=(CALL_OUT,),
        columns={"side": "customer"},
        error="must be unique",
        correction="number",
    ),
    Sample(
        "purchase_order",
        "{taken order}",
        "",
        "supplier 2",
        (PARTS,),
        error="Order number must be unique",
        correction="number",
    ),
)

WRONG = (*BEFORE, *IN_XERO)
