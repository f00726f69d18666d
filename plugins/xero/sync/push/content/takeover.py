"""What a document takes over from its record in Xero, as columns of QicWorks: the changes made there, all or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Set
from decimal import Decimal
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.api.errors import cleaned
from xero.documents.checks import is_rate
from xero.documents.declaration import PricedDocument, PricedKind, PricedLine, Record
from xero.documents.pricing import cents, rate_in_xero, totals
from xero.qicworks.push.takeovers import Takeovers
from xero.sync.push.content.changes import PRICING, TYPES, Change, of_line, of_new_line, paired
from xero.sync.push.content.content import NOTHING, Value, contact_of, fields_of, of_document, of_record

Columns = dict[str, Any]

#: Field of Xero's → the column, and how it is read.
PLAIN: dict[str, tuple[str, Callable[[object], Any]]] = {
    "Reference": ("reference", wire.text),
    "Date": ("issue_date", wire.date),
    "DueDate": ("due_date", wire.date),
    "CurrencyCode": ("currency", wire.text),
    "CurrencyRate": ("currency_rate", lambda rate: rate),  # read with its currency
    "LineAmountTypes": ("line_amount_types", wire.text),
    "DeliveryDate": ("delivery_date", wire.date),
    "DeliveryAddress": ("delivery_address", wire.text),
    "AttentionTo": ("attention_to", wire.text),
    "Telephone": ("telephone", wire.text),
    "DeliveryInstructions": ("delivery_instructions", wire.text),
}
CODE = re.compile("[A-Z]{3}")
AMOUNTS = {"SubTotal": "sub_total", "TotalTax": "total_tax", "Total": "total"}
#: Field of a line → its columns, and those fields that make its tax.
COLUMNS: dict[str, tuple[str, ...]] = {
    "description": ("description",),
    "quantity": ("quantity",),
    "unit price": ("unit_price",),
    "account": ("account_id",),
    "tax code": ("tax_code_id",),
    "tax": ("tax_amount",),
    "departments": ("tracking_option_id", "second_tracking_option_id"),
}


class CannotTake(ValueError):
    """Something that was changed in Xero has no place in QicWorks; what, is its message."""


class Reader:
    """Reads the columns of one document from its record."""

    def __init__(self, kind: PricedKind, document: PricedDocument, record: Record, known: Takeovers) -> None:
        self.kind = kind
        self.document = document
        self.record = record
        self.known = known
        self.lines = wire.objects(record.get("LineItems"))

    def header(self, changes: Iterable[Change]) -> Columns:
        """Of the fields that were changed."""
        names = {name: key for key, (name, _) in fields_of(self.kind).items()}
        taken: Columns = {}
        for one in changes:
            if one.field not in names or one.of_total:
                continue
            key = names[one.field]
            if key == self.kind.number:
                taken["number"] = wire.text(self.record.get(key)) or ""
                if not taken["number"].strip():
                    raise CannotTake("it has no number in Xero")
            elif key == "Contact":
                taken["contact_id"] = self._contact()
            elif key in PLAIN:
                column, read = PLAIN[key]
                taken[column] = read(self.record.get(key))
            else:
                raise CannotTake(f"the {one.field} cannot be changed in QicWorks")
        return taken | self._in_currency(taken)

    def _in_currency(self, taken: Columns) -> Columns:
        """The currency and its rate, which are taken over together. A rate that QicWorks leaves to Xero stays so; the
        organisation's own currency has none."""
        if not taken.keys() & {"currency", "currency_rate"}:
            return {}
        own, theirs = self.document.row, (wire.text(self.record.get("CurrencyCode")) or "").strip().upper()
        if "currency" in taken and not CODE.fullmatch(theirs):
            raise CannotTake(f"its currency in Xero is '{cleaned(theirs)}', which is no code of a currency")
        if "currency" not in taken and theirs != own.currency:
            raise CannotTake("its currency rate in Xero is one of another currency")
        code = {"currency": theirs} if "currency" in taken else {}
        if own.currency_rate is None:
            return {**code, "currency_rate": None}
        if own.base_currency is None:
            raise CannotTake("it has a currency rate, and the organisation's own currency is not known")
        return {**code, "currency_rate": None if theirs == own.base_currency else self._rate()}

    def _rate(self) -> Decimal:
        said = self.record.get("CurrencyRate")
        if said is None or said == "":
            raise CannotTake("Xero does not say its currency rate")
        try:
            rate = wire.number(said)
        except ValueError:
            rate = None
        if rate is None or not is_rate(rate):
            raise CannotTake(f"its currency rate in Xero is {cleaned(said)}, which is no rate")
        return rate_in_xero(rate)

    def totals(self) -> Columns:
        return {
            column: wire.number(self.record.get(key))
            for key, column in AMOUNTS.items()
            if self.record.get(key) is not None
        }

    def _contact(self) -> UUID:
        found = self.known.contact(wire.uuid(contact_of(self.record)))
        if found is None:
            raise CannotTake("its contact in Xero is not in QicWorks: pull contacts")
        return found

    def changed_lines(self, changes: Iterable[Change]) -> tuple[list[Columns], list[UUID]]:
        """Of each line what was changed, or all if it is new; and the ids of those that Xero no longer has."""
        wanted = {one.field for one in changes}
        ours, theirs = of_document(self.kind, self.document), of_record(self.kind, self.record)
        own_types = TYPES not in wanted and _differ(ours.header, theirs.header, TYPES)
        by_line = dict(zip(map(id, ours.lines or ()), self.document.lines, strict=True))
        by_record = dict(zip(map(id, theirs.lines or ()), self.lines, strict=True))
        taken, removed = [], []
        for place, our, their in paired(ours.lines or (), theirs.lines or ()):
            if our is None:
                taken += [self._line(by_record[id(their)])] if of_new_line(place) in wanted else []
            elif their is None:
                removed += [by_line[id(our)].id] if of_line(place) in wanted else []
            elif names := {name for name in {**our.values, "tax": our.rate_tax} if of_line(place, name) in wanted}:
                own = own_types or any(_differ(our.values, their.values, name) for name in PRICING - names)
                taken.append(self._part(by_record[id(their)], by_line[id(our)], names, as_there=not own))
        return taken, removed

    def _part(self, line: Record, own: PricedLine, names: Set[str], *, as_there: bool) -> Columns:
        """These fields of a line. `as_there`: all that makes its tax is then Xero's, and so is its tax."""
        columns = {column for name in names for column in COLUMNS[name]}
        taken = {name: value for name, value in self._line(line).items() if name in {*columns, "xero_line_id"}}
        if names & {*PRICING, "tax"}:
            quantity, price = taken.get("quantity", own.quantity), taken.get("unit_price", own.unit_price)
            taken["line_total"] = cents(quantity * price)
            taken["tax_amount"] = wire.number(line.get("TaxAmount")) if as_there else None  # None: as the rate makes it
        return {"id": own.id, **taken}

    def _line(self, line: Record) -> Columns:
        quantity, price = wire.number(line.get("Quantity")), wire.number(line.get("UnitAmount"))
        account = self.known.account(wire.uuid(line.get("AccountID")))
        tax = self.known.tax_code(wire.text(line.get("TaxType")))
        if quantity is None or price is None:
            raise CannotTake("a line has no quantity or price in Xero")
        if account is None or tax is None:
            raise CannotTake("an account or tax code of a line is not in QicWorks: pull both")
        first, second = self._departments(line)
        return {
            "description": wire.text(line.get("Description")),
            "quantity": quantity,
            "unit_price": price,
            "line_total": cents(quantity * price),
            "tax_amount": wire.number(line.get("TaxAmount")),
            "account_id": account,
            "tax_code_id": tax,
            "tracking_option_id": first,
            "second_tracking_option_id": second,
            "xero_line_id": wire.uuid(line.get("LineItemID")),
        }

    def _departments(self, line: Record) -> tuple[UUID | None, UUID | None]:
        ids = [wire.uuid(one.get("TrackingOptionID")) for one in wire.objects(line.get("Tracking"))]
        found = [self.known.tracking_option(one) for one in ids]
        if None in found or len(found) > 2:
            raise CannotTake("a department of a line is not in QicWorks: pull tracking categories")
        first, second = [*found, None, None][:2]
        return first, second


def take_over(
    kind: PricedKind, document: PricedDocument, record: Record, changes: Collection[Change], known: Takeovers
) -> bool:
    """Writes these changes of Xero's over the document, and nothing else of it; the totals if they depend on them.

    Returns False if it was edited since, or may not be written.

    Raises:
        CannotTake: Nothing was written.
    """
    reader = Reader(kind, document, record, known)
    try:
        header = reader.header(changes)
        lines, removed = reader.changed_lines(changes)
    except ValueError as error:
        raise error if isinstance(error, CannotTake) else CannotTake(str(error)) from None
    if any(map(is_of_amounts, changes)):
        header |= reader.totals()
    return known.write(kind.table, document.id, document.version, header, lines, removed)


def is_of_amounts(change: Change) -> bool:
    """Whether the totals depend on it."""
    return change.of_line or change.of_total or change.field == TYPES


def _differ(ours: Mapping[str, Value], theirs: Mapping[str, Value], name: str) -> bool:
    return ours.get(name, NOTHING).same != theirs.get(name, NOTHING).same


def add_up(kind: PricedKind, document: PricedDocument, known: Takeovers) -> None:
    """Writes the totals of lines of which some are as in Xero and others are QicWorks'."""
    taxes = [line.get("TaxAmount") for line in kind.payload(document)["LineItems"]]
    known.write(
        kind.table,
        document.id,
        document.version,
        dict(zip(AMOUNTS.values(), totals(document, taxes), strict=True)),
        [],
        [],
    )
