"""What is certain to be refused, or to come out wrong, before anything is sent: it costs no call.

Corrections speak to QicWorks' users; {document} is put in by whoever shows them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from xero.documents.declaration import Check, Finding, PricedDocument, PricedLine, PricedRow
from xero.documents.pricing import cents, line_total, own_tax, rate_tax, total

LONGEST_NUMBER = 255
LONGEST_DESCRIPTION = 4000
LARGEST = Decimal("9999999999.99")

# No document of QicWorks books on these directly: Xero keeps them itself.
SYSTEM_ACCOUNTS = frozenset({"DEBTORS", "CREDITORS", "RETAINEDEARNINGS", "HISTORICAL"})
# Imports' GST is booked on the GST account; whether Xero takes it depends on the document.
UNUSUAL_ACCOUNTS = frozenset({"GST", "ROUNDING"})


def in_force(document: PricedDocument) -> Iterator[Finding]:
    if (status := document.row.status) in ("Cancelled", "Archived"):
        yield Finding(f"it is {status.lower()} in QicWorks", "Nothing to do, or make the {document} anew.")


def numbered(document: PricedDocument) -> Iterator[Finding]:
    number = (document.number or "").strip()
    if not number:
        yield Finding("it has no number", "Give the {document} a number in QicWorks, then push again.")
    elif len(number) > LONGEST_NUMBER:
        yield Finding("its number is longer than 255 characters", "Shorten the number of the {document}, push again.")
    elif any(unicodedata.category(character) == "Cc" for character in number):
        yield Finding("its number holds control characters", "Type the number of the {document} anew, then push again.")


def addressed(document: PricedDocument) -> Iterator[Finding]:
    """To a contact that is linked to this Xero organisation, and in use there."""
    row = document.row
    if row.contact_id is None:
        yield Finding("it has no contact", "Choose a customer or supplier on the {document}, then push again.")
    elif row.contact_xero_id is None or not row.contact_is_here:
        yield Finding(
            f"its contact {_named(row)} is not linked to this Xero organisation",
            "Add the contact in Xero, pull contacts, choose it on the {document}, then push again.",
        )
    elif row.contact_erased:
        yield Finding(
            "its contact was erased here, with the personal data of somebody",
            "Choose another contact on the {document}, then push again.",
        )
    elif row.contact_merged:
        yield Finding(
            f"its contact {_named(row)} was merged into another one in Xero",
            "Choose the contact that it was merged into on the {document}, then push again.",
        )
    elif not row.contact_is_active:
        yield Finding(
            f"its contact {_named(row)} is archived in Xero",
            "Restore the contact in Xero and pull contacts, or choose another one on the {document}; then push again.",
        )


def _named(row: PricedRow) -> str:
    return f"'{row.contact_name}'" if row.contact_name else "(without a name)"


def dated(document: PricedDocument) -> Iterator[Finding]:
    """In an open period: drafts are accepted in a locked one, but nobody can approve them."""
    day = document.row.issue_date
    if day is None:
        yield Finding("it has no date", "Set the date of the {document}, then push again.")
        return
    for name, lock in (
        ("period lock date", document.row.period_lock_date),
        ("end of year lock date", document.row.end_of_year_lock_date),
    ):
        if isinstance(lock, date) and day <= lock:
            yield Finding(f"its date {day} is not after the {name} {lock} in Xero: nobody can approve the draft there")
            return


def with_lines(document: PricedDocument) -> Iterator[Finding]:
    if not document.lines:
        yield Finding("it has no lines", "Add a line to the {document}, then push again.")
    for line in document.lines:
        where = f"line {line.line_number}"
        for finding in (*_described(line), *_booked(line), *_priced(line), *_tracked(line)):
            yield Finding(f"{where}: {finding.says}", finding.correction)
    if document.lines and all(_complete(line) for line in document.lines) and total(document, _taxes(document)) < 0:
        yield Finding(
            "its total is less than zero",
            "Make a credit note of the {document}, or correct its amounts; then push again.",
        )


def _complete(line: PricedLine) -> bool:
    return line.quantity is not None and line.unit_price is not None


def _taxes(document: PricedDocument) -> list[Decimal | None]:
    return [own_tax(line, document.row) for line in document.lines]


def taxed_by_rate(document: PricedDocument) -> Iterator[Finding]:
    """Of a sale: Xero works its tax out itself."""
    for line, tax in zip(document.lines, _taxes(document), strict=True):
        if tax is not None:
            yield Finding(
                f"line {line.line_number}: its tax is {tax} in QicWorks, and the tax code '{line.tax_type}' "
                f"makes it {rate_tax(line, document.row)} in Xero; choose the tax code that fits, or correct the tax"
            )


def _described(line: PricedLine) -> Iterator[Finding]:
    text = (line.description or "").strip()
    if not text:
        yield Finding("it has no description", "Describe the line on the {document}, then push again.")
    elif len(line.description or "") > LONGEST_DESCRIPTION:
        yield Finding(
            f"its description is longer than {LONGEST_DESCRIPTION} characters",
            "Shorten the description on the {document}, then push again.",
        )


def _booked(line: PricedLine) -> Iterator[Finding]:
    """On an account and a tax code that are there, in use, and go together."""
    account, tax = line.account_id, line.tax_code_id
    if account is None:
        yield Finding("it has no account", "Choose an account on the {document}, then push again.")
    elif not line.account_is_here or not line.account_code:
        yield Finding(
            "its account is not one of this Xero organisation, or has no code there",
            "Pull the chart of accounts, choose an account on the {document}, then push again.",
        )
    elif not line.account_is_active:
        yield Finding(
            f"account code '{line.account_code}' is archived or deleted in Xero",
            "Restore the account in Xero and pull the chart of accounts, or choose another one on the {document}; "
            "then push again.",
        )
    elif line.account_type == "BANK" or line.account_system in SYSTEM_ACCOUNTS:
        yield Finding(
            f"account code '{line.account_code}' is a bank or system account, on which no document can be booked",
            "Choose an income or expense account on the {document}, then push again.",
        )
    elif line.account_system in UNUSUAL_ACCOUNTS:
        yield Finding(
            f"account code '{line.account_code}' is kept by Xero itself: look in Xero whether the line stands there"
        )
    if tax is None:
        yield Finding("it has no tax code", "Choose a tax code on the {document}, then push again.")
    elif not line.tax_is_here or not line.tax_is_active:
        yield Finding(
            f"tax code '{line.tax_type or '?'}' is not in use in this Xero organisation",
            "Revert the {document} to draft, choose a tax code that Xero has, push again.",
        )
    elif account is not None and line.tax_applies is False:
        yield Finding(
            f"tax code '{line.tax_type}' cannot be used with account code '{line.account_code}'",
            "Revert the {document} to draft, change the tax code, push again.",
        )


def _priced(line: PricedLine) -> Iterator[Finding]:
    shown, expected = line.line_total, line_total(line)
    if line.quantity < 0:
        yield Finding(
            f"its quantity {line.quantity.normalize():f} is less than zero",
            "Turn the sign of the unit price instead, or make a credit note of the {document}; then push again.",
        )
    if abs(expected) > LARGEST:
        yield Finding("its amount is larger than Xero can hold", "Correct the amounts on the {document}, push again.")
    if shown is not None and shown != expected:
        yield Finding(
            f"the line total {shown.normalize():f} is not quantity times unit price, to the cent: {expected}",
            "Use the same number of decimals in QicWorks (account setting 'financial rounding') as in Xero, save the "
            "{document} anew, then push again.",
        )
    if shown is not None and cents(shown) != shown:
        yield Finding(
            "its total has fractions of a cent", "Round the line total on the {document} to cents, then push again."
        )


def _tracked(line: PricedLine) -> Iterator[Finding]:
    chosen = [department for department in line.departments if department.id]
    for department in chosen:
        if not department.is_here or not department.is_active:
            yield Finding(
                f"department '{department.name}' is archived or not in this Xero organisation",
                "Pull tracking categories, choose another department on the {document}, then push again.",
            )
    if len(chosen) == 2 and line.first_category_xero_id == line.second_category_xero_id:
        yield Finding(
            "both its departments belong to the same tracking category",
            "Keep one department of each tracking category on the {document}, then push again.",
        )


PRICED: tuple[Check, ...] = (in_force, numbered, addressed, dated, with_lines)
