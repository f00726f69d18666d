"""Checks of priced documents before anything is sent: what Xero is certain to refuse, or would book wrongly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from xero.documents.checking.approval import dated
from xero.documents.checking.departments import tracked
from xero.documents.declaration import Check, CheckResult, PricedDocument, PricedLine, PricedRow
from xero.documents.pricing import cents, line_total, own_tax, rate_in_xero, rate_tax, sent_rate, total

MAX_NUMBER_CHARACTERS = 255
MAX_DESCRIPTION_CHARACTERS = 4000
MAX_AMOUNT = Decimal("9999999999.99")
CURRENCY = re.compile("[A-Z]{3}")
MAX_RATE = Decimal("999999999999.999999")

OR_DEFAULT = " Or choose a default for all lines without one, under Xero › Connections › Settings."

# No document of QicWorks books on these directly: Xero keeps them itself.
SYSTEM_ACCOUNTS = frozenset({"DEBTORS", "CREDITORS", "RETAINEDEARNINGS", "HISTORICAL"})
# Imports' GST is booked on the GST account; whether Xero takes it depends on the document.
UNUSUAL_ACCOUNTS = frozenset({"GST", "ROUNDING"})


def in_force(document: PricedDocument) -> Iterator[CheckResult]:
    row = document.row
    if (is_cancelled := row.status in ("Cancelled", "Archived")) or row.cancellation_done is not None:
        says = f"it is {row.status.lower()} in QicWorks" if is_cancelled else "it was taken back to draft in QicWorks"
        if row.cancellation_done is False:
            yield CheckResult(says, "It is still in Xero: see its open difference for the fix.")
        elif is_cancelled:
            yield CheckResult(says, "Nothing to do. If it should be in Xero, create a new {document}.")
        else:
            yield CheckResult(says, "If it should be in Xero, give the {document} a new number.", "release")


def numbered(document: PricedDocument) -> Iterator[CheckResult]:
    number = (document.number or "").strip()
    if not number:
        yield CheckResult("it has no number", "Give the {document} a number in QicWorks.", "release")
    elif len(number) > MAX_NUMBER_CHARACTERS:
        yield CheckResult(
            "its number is longer than 255 characters", "Shorten the number of the {document}.", "release"
        )
    elif any(unicodedata.category(character) == "Cc" for character in number):
        yield CheckResult(
            "its number contains control characters", "Type the number of the {document} again.", "release"
        )


def addressed(document: PricedDocument) -> Iterator[CheckResult]:
    """To a contact that is linked to this Xero organisation, and in use there."""
    row = document.row
    if row.contact_id is None:
        yield CheckResult("it has no contact", "Choose a customer or supplier on the {document}.", "release")
    elif row.contact_xero_id is None and row.contact_push_state is not None:
        yield _new_contact(row)
    elif row.contact_xero_id is None or not row.contact_is_here:
        yield CheckResult(
            f"its contact {_named(row)} is not linked to this Xero organisation",
            "Add the contact in Xero. Pull contacts ({pull_contacts}). Then choose it on the {document}.",
            "release",
        )
    elif row.contact_erased:
        yield CheckResult(
            "its contact's personal data was erased in QicWorks",
            "Choose another contact on the {document}.",
            "release",
        )
    elif row.contact_merged:
        yield CheckResult(
            f"its contact {_named(row)} was merged into another one in Xero",
            "On the {document}, choose the contact that it was merged into.",
            "release",
        )
    elif not row.contact_is_active:
        yield CheckResult(
            f"its contact {_named(row)} is archived in Xero",
            "Restore the contact in Xero and pull contacts ({pull_contacts}). Or choose another one on the {document}.",
            "either",
        )


def _new_contact(row: PricedRow) -> CheckResult:
    """Why a contact of QicWorks' own is not in Xero yet."""
    match row.contact_push_state:
        case "failed":
            says = f"its contact {_named(row)} is not in Xero ({row.contact_push_error or 'it failed'})"
            todo = f"Open the contact {_named(row)} under Xero › Documents and fix it: "
            todo += "this {document} is then pushed by itself."
        case "draft":
            says = f"its contact {_named(row)} is not in Xero, because it is a draft in QicWorks"
            todo = f"Release the contact {_named(row)} in QicWorks: this {{document}} is then pushed by itself."
        case "skipped":
            says = f"its contact {_named(row)} is not in Xero, because it is set to Skipped in QicWorks"
            todo = "Choose another contact on the {document}, or release that one."
        case _:
            says = f"its contact {_named(row)} is on its way to Xero"
            return CheckResult(says, "No action needed: it is pushed before the {document}.")
    return CheckResult(says, todo)


def _named(row: PricedRow) -> str:
    return f"'{row.contact_name}'" if row.contact_name else "(without a name)"


def is_rate(rate: Decimal) -> bool:
    """Whether Xero can have it as a currency rate."""
    return 0 < rate <= MAX_RATE and rate_in_xero(rate) > 0


def in_currency(document: PricedDocument) -> Iterator[CheckResult]:
    """In one that the organisation has, and at a rate that is one."""
    row = document.row
    if row.currency_is_here is False and (code := row.currency):
        if CURRENCY.fullmatch(code):
            yield CheckResult(
                f"the Xero organisation does not have its currency {code}",
                f"Add the currency {code} in Xero (its plan must allow multiple currencies). Pull currencies "
                "({pull_currencies}): the next push then sends the {document} by itself. Or change the currency of the "
                "{document} and release it.",
                lacks=code,
            )
        else:
            yield CheckResult(
                f"its currency {code} is no code of a currency",
                "Correct the currency of the {document}: three letters, such as AUD.",
                "release",
            )
    if (rate := sent_rate(row)) is not None and not is_rate(rate):
        yield CheckResult(
            f"its currency rate {row.currency_rate:f} is not one that Xero can have",
            "Correct the currency rate of the {document}. Or empty it: Xero then takes the rate of the day.",
            "release",
        )


def with_lines(document: PricedDocument) -> Iterator[CheckResult]:
    if not document.lines:
        yield CheckResult("it has no lines", "Add a line to the {document}.", "release")
    for line in document.lines:
        where = f"line {line.line_number}"
        for finding in (*_described(line), *_booked(line), *_priced(line), *tracked(line)):
            yield replace(finding, says=f"{where}: {finding.says}")
    if document.lines and all(_complete(line) for line in document.lines) and total(document, _taxes(document)) < 0:
        yield CheckResult(
            "its total is less than zero",
            "Correct the amounts of the {document}, or create a credit note instead.",
            "release",
        )


def _complete(line: PricedLine) -> bool:
    return line.quantity is not None and line.unit_price is not None


def _taxes(document: PricedDocument) -> list[Decimal | None]:
    return [own_tax(line, document.row) for line in document.lines]


def taxed_by_rate(document: PricedDocument) -> Iterator[CheckResult]:
    """Of a sale: Xero works its tax out itself."""
    for line, tax in zip(document.lines, _taxes(document), strict=True):
        if tax is not None and not line.tax_is_xeros:
            yield CheckResult(
                f"line {line.line_number}: its tax is {tax} in QicWorks, and the tax code '{line.tax_type}' makes it "
                f"{rate_tax(line, document.row)} in Xero; choose the tax code that fits, or correct the tax"
            )


def _described(line: PricedLine) -> Iterator[CheckResult]:
    text = (line.description or "").strip()
    if not text:
        yield CheckResult("it has no description", "Describe the line on the {document}.", "release")
    elif len(line.description or "") > MAX_DESCRIPTION_CHARACTERS:
        yield CheckResult(
            f"its description is longer than {MAX_DESCRIPTION_CHARACTERS} characters",
            "Shorten the description on the {document}.",
            "release",
        )


def _booked(line: PricedLine) -> Iterator[CheckResult]:
    """On an account and a tax code that are there, in use, and go together."""
    account, tax = line.account_id, line.tax_code_id
    if account is None:
        yield CheckResult("it has no account", f"Choose an account on the {{document}}.{OR_DEFAULT}", "either")
    elif not line.account_is_here or not line.account_code:
        yield CheckResult(
            "its account does not exist in this Xero organisation, or has no account code",
            "Pull the chart of accounts ({pull_chart_of_accounts}). Then choose an account on the {document}.",
            "release",
        )
    elif not line.account_is_active:
        other = (
            "default under Xero › Connections › Settings" if line.account_is_default else "account on the {document}"
        )
        yield CheckResult(
            f"account code '{line.account_code}' is archived or deleted in Xero",
            "Restore the account in Xero and pull the chart of accounts ({pull_chart_of_accounts}). Or choose another "
            f"{other}.",
            "either",
        )
    elif line.account_type == "BANK" or line.account_system in SYSTEM_ACCOUNTS:
        yield CheckResult(
            f"account code '{line.account_code}' is a bank or system account, on which no document can be booked",
            "Choose an income or expense account on the {document}.",
            "release",
        )
    elif line.account_system in UNUSUAL_ACCOUNTS:
        yield CheckResult(f"Xero manages account code '{line.account_code}': check in Xero that it kept the line")
    if tax is None:
        yield CheckResult("it has no tax code", f"Choose a tax code on the {{document}}.{OR_DEFAULT}", "either")
    elif not line.tax_is_here or not line.tax_is_active:
        yield CheckResult(
            f"tax code '{line.tax_type or '?'}' is not in use in this Xero organisation",
            "On the {document}, choose a tax code that is in use in Xero.",
            "release",
        )
    elif account is not None and line.tax_applies is False:
        yield CheckResult(
            f"tax code '{line.tax_type}' cannot be used with account code '{line.account_code}'",
            "On the {document}, choose a tax code for the line. The default of the settings does not fit its account."
            if line.tax_is_default
            else "On the {document}, change the tax code.",
            "release",
        )


def _priced(line: PricedLine) -> Iterator[CheckResult]:
    shown, expected = line.line_total, line_total(line)
    if line.quantity < 0:
        yield CheckResult(
            f"its quantity {line.quantity.normalize():f} is less than zero",
            "Make the quantity positive and the unit price negative, or create a credit note instead of the "
            "{document}.",
            "release",
        )
    if abs(expected) > MAX_AMOUNT:
        yield CheckResult(
            "its amount is larger than Xero can hold", "Correct the amounts on the {document}.", "release"
        )
    if shown is not None and shown != expected:
        yield CheckResult(
            f"the line total {shown.normalize():f} does not equal quantity × unit price ({expected})",
            "Use the same number of decimals in QicWorks (account setting 'financial rounding') as in Xero, and save "
            "the {document} again.",
            "release",
        )
    if shown is not None and cents(shown) != shown:
        yield CheckResult(
            "its total has fractions of a cent", "Round the line total on the {document} to cents.", "release"
        )


PRICED: tuple[Check, ...] = (in_force, numbered, addressed, in_currency, dated, with_lines)
