"""What a document takes over from its record in Xero, as columns of QicWorks. All of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from xero.api import wire
from xero.documents.declaration import PricedDocument, PricedKind, PricedLine, Record
from xero.documents.pricing import cents
from xero.qicworks.push.takeovers import Takeovers
from xero.sync.push.content.changes import Change, paired
from xero.sync.push.content.content import HEADER, fields_of, of_document, of_record

Columns = dict[str, Any]

#: Field of Xero's → the column, and how it is read.
PLAIN: dict[str, tuple[str, Callable[[object], Any]]] = {
    "Reference": ("reference", wire.text),
    "Date": ("issue_date", wire.date),
    "DueDate": ("due_date", wire.date),
    "CurrencyCode": ("currency", wire.text),
    "LineAmountTypes": ("line_amount_types", wire.text),
    "DeliveryDate": ("delivery_date", wire.date),
    "DeliveryAddress": ("delivery_address", wire.text),
    "AttentionTo": ("attention_to", wire.text),
    "Telephone": ("telephone", wire.text),
    "DeliveryInstructions": ("delivery_instructions", wire.text),
}
AMOUNTS = {"SubTotal": "sub_total", "TotalTax": "total_tax", "Total": "total"}


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

    def header(self, changes: Collection[Change]) -> Columns:
        """Of the fields that were changed; and the totals, if they depend on one of them."""
        names = {name: key for key, (name, _) in fields_of(self.kind).items()}
        taken: Columns = {}
        for one in changes:
            if one.field not in names or one.of_total:
                continue
            key = names[one.field]
            if key == self.kind.number:
                taken["number"] = wire.text(self.record.get(key))
            elif key == "Contact":
                taken["contact_id"] = self._contact()
            elif key in PLAIN:
                column, read = PLAIN[key]
                taken[column] = read(self.record.get(key))
            else:
                raise CannotTake(f"the {one.field} cannot be changed in QicWorks")
        if any(map(is_of_amounts, changes)):
            for key, column in AMOUNTS.items():
                if self.record.get(key) is not None:
                    taken[column] = wire.number(self.record.get(key))
        return taken

    def _contact(self) -> UUID:
        contact = self.record.get("Contact")
        found = self.known.contact(wire.uuid(contact.get("ContactID")) if isinstance(contact, Mapping) else None)
        if found is None:
            raise CannotTake("its contact in Xero is not in QicWorks: pull contacts")
        return found

    def changed_lines(self) -> tuple[list[Columns], list[UUID]]:
        """Lines that are new or differ, and the ids of those that Xero no longer has."""
        ours, theirs = of_document(self.kind, self.document), of_record(self.kind, self.record)
        by_line = dict(zip(map(id, ours.lines or ()), self.document.lines, strict=True))
        by_record = dict(zip(map(id, theirs.lines or ()), self.lines, strict=True))
        taken, removed = [], []
        for _, our, their in paired(ours.lines or (), theirs.lines or ()):
            if their is None:
                assert our is not None
                removed.append(by_line[id(our)].id)
            elif our is None:
                taken.append(self._line(by_record[id(their)], None))
            elif any(our.values[name].same != their.values[name].same for name in our.values.keys() & their.values):
                taken.append(self._line(by_record[id(their)], by_line[id(our)]))
        return taken, removed

    def _line(self, line: Record, own: PricedLine | None) -> Columns:
        quantity, price = wire.number(line.get("Quantity")), wire.number(line.get("UnitAmount"))
        account = self.known.account(wire.uuid(line.get("AccountID")))
        tax = self.known.tax_code(wire.text(line.get("TaxType")))
        if quantity is None or price is None:
            raise CannotTake("a line has no quantity or price in Xero")
        if account is None or tax is None:
            raise CannotTake("an account or tax code of a line is not in QicWorks: pull both")
        first, second = self._departments(line)
        return {
            "id": own.id if own else None,
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
    """Writes these changes of Xero's over the document; if one is of a line, all lines.

    Returns False if it was edited since, or may not be written.

    Raises:
        CannotTake: Nothing was written.
    """
    reader = Reader(kind, document, record, known)
    try:
        header = reader.header(changes)
        lines, removed = reader.changed_lines() if any(one.of_line for one in changes) else ([], [])
    except ValueError as error:
        raise error if isinstance(error, CannotTake) else CannotTake(str(error)) from None
    return known.write(kind.table, document.id, document.version, header, lines, removed)


def is_of_amounts(change: Change) -> bool:
    """Whether the totals depend on it."""
    return change.of_line or change.of_total or change.field == HEADER["LineAmountTypes"][0]
