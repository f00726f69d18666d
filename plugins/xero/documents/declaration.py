"""What a kind of document is: its rows in QicWorks, how it becomes Xero's JSON, how it is recognised in Xero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from xero.documents.parts.arriving import Arrival, Defaults
from xero.documents.parts.attachments import AttachmentRow, Links

Record = Mapping[str, Any]  # of Xero's, as it was read
Json = dict[str, Any]  # as it is sent


@dataclass(frozen=True, kw_only=True)
class DocumentRow:
    """The columns that the statements of every kind return.

    A value for which Python has no type is an `OutOfRange`, for any type of field: `odd_values` refuses its
    document before any check reads it.
    """

    id: UUID
    push_version: int
    xero_id: UUID | None
    called_by: ClassVar[str | None] = None  # the column with what its users call it; pay and leave have none


@dataclass(frozen=True, kw_only=True)
class PricedRow(DocumentRow):
    """A document with priced lines, its contact, and the lock dates of its organisation."""

    number: str | None
    reference: str | None
    job_number: str | None
    status: str
    issue_date: date | None
    due_date: date | None
    currency: str | None  # one that is not filled in is the organisation's own; None: which that is, is not known
    currency_rate: Decimal | None  # None: Xero takes the rate of the day
    base_currency: str | None  # the organisation's own; None: not known
    currency_is_here: bool | None  # the organisation has it in Xero; None: not known
    line_amount_types: str
    sub_total: Decimal
    total_tax: Decimal
    total: Decimal
    contact_id: UUID | None
    contact_xero_id: UUID | None
    contact_name: str | None
    contact_push_state: str | None  # of QicWorks' own contact; None: it was pulled
    contact_push_error: str | None
    contact_is_here: bool | None
    contact_is_active: bool | None
    contact_merged: bool | None
    contact_merged_to: UUID | None
    contact_erased: bool
    period_lock_date: date | None
    end_of_year_lock_date: date | None
    links: Links
    cancellation_done: bool | None  # whether Xero no longer has it; None: it is not cancelled since its push
    called_by: ClassVar[str | None] = "number"


@dataclass(frozen=True, kw_only=True)
class PricedLine:
    """A line of a document, and the account, tax code and departments that it is booked on."""

    id: UUID
    parent_id: UUID
    line_number: int
    description: str | None
    quantity: Decimal
    unit_price: Decimal
    line_total: Decimal | None
    tax_amount: Decimal | None
    xero_line_id: UUID | None
    account_id: UUID | None
    account_xero_id: UUID | None
    account_code: str | None
    account_type: str | None
    account_system: str | None
    account_is_active: bool | None
    account_is_here: bool | None
    tax_code_id: UUID | None
    tax_type: str | None
    tax_rate: Decimal | None
    tax_is_active: bool | None
    tax_is_here: bool | None
    tax_applies: bool | None
    first_option_id: UUID | None
    first_option_xero_id: UUID | None
    first_category_xero_id: UUID | None
    first_option_name: str | None
    first_option_is_here: bool | None
    first_option_is_active: bool | None
    second_option_id: UUID | None
    second_option_xero_id: UUID | None
    second_category_xero_id: UUID | None
    second_option_name: str | None
    second_option_is_here: bool | None
    second_option_is_active: bool | None
    account_is_default: bool = False  # the line has none: that of the settings
    tax_is_default: bool = False  # the same, its tax code
    tax_is_xeros: bool = False  # it was taken over from Xero, and the line is as it was then
    department: str | None = None  # QicWorks' own
    department_is_taken: bool = False  # the line has no option of its own: the first is that of its department
    department_is_lacking: bool = False  # the same, and there is no such option
    department_category: str | None = None  # in which it is looked for; None: none is chosen

    @property
    def takes_defaults(self) -> bool:
        """Whether something of it comes from the settings."""
        return self.account_is_default or self.tax_is_default or self.department_is_taken

    @property
    def departments(self) -> tuple[Department, Department]:
        """The first and the second; one that is not chosen has no ids."""
        first = Department(
            self.first_option_id,
            self.first_option_xero_id,
            self.first_category_xero_id,
            self.first_option_name,
            self.first_option_is_here,
            self.first_option_is_active,
        )
        second = Department(
            self.second_option_id,
            self.second_option_xero_id,
            self.second_category_xero_id,
            self.second_option_name,
            self.second_option_is_here,
            self.second_option_is_active,
        )
        return first, second


@dataclass(frozen=True)
class Department:
    """A tracking option that a line is booked on."""

    id: UUID | None
    xero_id: UUID | None
    category_xero_id: UUID | None
    name: str | None
    is_here: bool | None
    is_active: bool | None


RowT = TypeVar("RowT", bound=DocumentRow, covariant=True)
LineT = TypeVar("LineT", covariant=True)


@dataclass(frozen=True)
class Document(Generic[RowT, LineT]):
    """One document as QicWorks has it, and its lines in order."""

    row: RowT
    lines: tuple[LineT, ...] = ()
    arrival: Arrival = Arrival.DRAFT  # the status in which one with priced lines is sent, or was

    @property
    def id(self) -> UUID:
        return self.row.id

    @property
    def version(self) -> int:
        return self.row.push_version

    @property
    def xero_id(self) -> UUID | None:
        return self.row.xero_id

    @property
    def number(self) -> str | None:
        """What its users call it: its number, of a contact the name; pay and leave have none."""
        return getattr(self.row, self.row.called_by) if self.row.called_by else None


AnyDocument = Document[Any, Any]
PricedDocument = Document[PricedRow, PricedLine]
Then = Literal["release", "approve", "either", "retry"]


@dataclass(frozen=True)
class CheckResult:
    """What a check found before anything was sent. Without a correction it is a warning and does not stop the push.
    `correction`: what to do, with the places {document} and {pull_contacts} (how to pull any data set); `then`: how to
    push again afterwards; `lacks`: the currency without which it is not pushed, and with which it is by itself;
    `lacks_department`: the same of an option in Xero."""

    says: str
    correction: str | None = None
    then: Then | None = None
    lacks: str | None = None
    lacks_department: bool = False


Check = Callable[[AnyDocument], Iterator[CheckResult]]


class Likeness(Enum):
    """Whether a record of Xero's is the document that was sent."""

    SAME = 2
    PERHAPS = 1
    ADDRESS_OF_ANOTHER = -1  # of a document that may have been deleted and entered again as this one
    OTHER = 0


class Delivery(Enum):
    """How documents are sent: fifty to a request, contacts looked for first; one pay template; one leave request."""

    BATCH = "batch"
    CONTACTS = "contacts"
    PAY_TEMPLATE = "pay template"
    LEAVE = "leave"


@dataclass(frozen=True)
class Kind:
    """A kind of document. `name` is that of its DAG and events, `word` what one of them is called in messages."""

    priced: ClassVar[bool] = False
    name: str
    word: str
    title: str
    help: str
    scope: str
    table: str  # in schema qicworks
    delivery: Delivery
    row: type[DocumentRow] = field(kw_only=True)  # what the statement that reads documents returns
    line: type | None = field(default=None, kw_only=True)  # the same, of their lines
    page: Callable[[Record], str] | None = field(default=None, kw_only=True)  # where a user of Xero sees one
    private: tuple[str, ...] = field(default=(), kw_only=True)  # columns that are emptied when its person is erased
    #: File and name in include/sql of a statement that finds work which no document asks for, by connection_id.
    also_due: tuple[str, str] | None = field(default=None, kw_only=True)
    due_anywhere: bool = field(
        default=False, kw_only=True
    )  # with connection_id null it finds that of all organisations
    replays: bool = field(default=False, kw_only=True)  # a lost request may be repeated under its idempotency key
    look_first: bool = field(default=False, kw_only=True)  # Xero accepts duplicates: searched before a creation
    label: str = field(default="number", kw_only=True)  # the column by which users name one; not of pay and leave
    settled_by: str = field(default="settle_document", kw_only=True)  # the statement of push/outbox that keeps results
    gone: frozenset[str] = field(
        default=frozenset({"REJECTED"}), kw_only=True
    )  # statuses of what is taken back in Xero

    @property
    def payroll(self) -> bool:
        return self.delivery in (Delivery.PAY_TEMPLATE, Delivery.LEAVE)

    @property
    def label_column(self) -> str:
        """The column by which its users name one."""
        return "id" if self.payroll else self.label

    def called(self, number: str | None, id: UUID) -> str:
        """What one is called in messages: its number, as far as it can be printed on a line; without one its id."""
        printed = "".join(character if character.isprintable() else " " for character in number or "")
        return f"{self.word} {' '.join(printed.split()) or id}"


@dataclass(frozen=True)
class PricedKind(Kind):
    """A document with priced lines. `payload` makes the element of a request, without its Xero id; `identity` what it
    is known by later (JSON, and taken from the same document); `likeness` compares that with a record of Xero's;
    `lookups` are the queries that together list every record that could be one of those identities."""

    priced: ClassVar[bool] = True
    path: str
    envelope: str
    key: str  # field of the id
    number: str  # field of the number
    records: str  # the table in schema qicworks with their records in Xero
    payload: Callable[[Document[Any, PricedLine]], Json]
    identity: Callable[[Document[Any, PricedLine]], Json]
    likeness: Callable[[Json, Record], Likeness]
    lookups: Callable[[Sequence[Json]], Iterator[dict[str, str]]]
    checks: tuple[Check, ...]
    query: Mapping[str, str]
    defaults: tuple[Defaults, ...]
    replays: bool = field(default=True, kw_only=True)
    row: type[PricedRow] = field(default=PricedRow, kw_only=True)
    line: type = field(default=PricedLine, kw_only=True)
    editable: frozenset[str] = frozenset({"DRAFT"})  # statuses in which an edit may still change it
    deletable: frozenset[str] = frozenset({"DRAFT", "SUBMITTED"})  # statuses in which a cancellation deletes it
    gone: frozenset[str] = field(default=frozenset({"DELETED", "VOIDED"}), kw_only=True)
    addressed: bool = False  # carries our own address, which identifies our documents
    paid: bool = False  # Xero lists the payments of one; its table has paid_to_date, its records amount_paid
    shows_online: Callable[[AttachmentRow], bool] = lambda attachment: False  # whether customers may see one online
