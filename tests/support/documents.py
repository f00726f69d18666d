"""Documents for tests without a database, of the columns that a test is about; all others are NULL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from xero.documents.credit_notes import CreditNoteRow
from xero.documents.declaration import Document, PricedLine
from xero.documents.leave_requests import LeaveDocument, LeaveRow
from xero.documents.payroll import PayDocument, PayLine, PayRow
from xero.documents.purchase_orders import PurchaseOrderRow

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class AnyPricedRow(CreditNoteRow, PurchaseOrderRow):
    """With the columns of every kind of priced document."""


def row_of(kind: type[T], values: Mapping[str, Any]) -> T:
    """Raises TypeError for a value that is no column."""
    return kind(**{field.name: None for field in fields(kind)} | values)  # type: ignore[arg-type]


def priced(
    row: Mapping[str, Any], lines: Iterable[Mapping[str, Any]] = (), of: type[AnyPricedRow] = AnyPricedRow
) -> Document[AnyPricedRow, PricedLine]:
    return Document(row_of(of, row), tuple(row_of(PricedLine, line) for line in lines))


def pay_document(row: Mapping[str, Any], lines: Iterable[Mapping[str, Any]] = ()) -> PayDocument:
    return Document(row_of(PayRow, row), tuple(row_of(PayLine, line) for line in lines))


def leave_document(row: Mapping[str, Any]) -> LeaveDocument:
    return Document(row_of(LeaveRow, row))
