"""What became of documents and requests, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from xero.documents.declaration import Json
from xero.qicworks.follow.differences import OF_CONTENT, Found, Reason


class PushState(StrEnum):
    """The values of `push_state`."""

    DRAFT = "draft"
    READY = "ready"
    IN_FLIGHT = "in_flight"
    PUSHED = "pushed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Purpose(StrEnum):
    """What a request is for: the values of `purpose`."""

    PUSH = "push"  # to create or change its documents
    CANCEL = "cancel"  # to delete one in Xero; leave: to reject it


class RequestOutcome(StrEnum):
    """How a request was closed: the values of `outcome`."""

    ANSWERED = "answered"
    LOOKED_UP = "looked up"  # its documents were searched for in Xero
    NOT_SENT = "not sent"


@dataclass(frozen=True)
class PushedContent:
    """What was last pushed of a document, as hashes: of all that was sent, and by field of both sides."""

    payload: str
    sent: Json
    answered: Json
    agreed: bool = True


@dataclass(frozen=True)
class Twin:
    """A record in Xero that a new document may be. `is_certain`: number, contact, date and total are the same.

    `shown`: number, date, total, currency and status of the record; `seen`: a hash of what identifies it.
    """

    xero_id: UUID
    is_certain: bool
    shown: Json
    seen: str


@dataclass(frozen=True)
class Adopting:
    """What becomes of a new document that may be in Xero already: held back for its `twins`, or linked.

    `linked`: the decision that is carried out, and `by` whom it is; `void`: decisions that no longer hold.
    """

    twins: tuple[Twin, ...] = ()
    linked: int | None = None
    by: str = ""
    void: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of a document. `state` None: nothing is known of it in Xero, so it becomes ready again."""

    state: PushState | None  # PUSHED, FAILED; READY: it is in Xero and must be changed there
    xero_id: UUID | None = None
    xero_status: str | None = None
    error: str | None = None
    correction: str | None = None
    forget: bool = False  # what it was in Xero before is not what it is now
    line_ids: tuple[tuple[UUID, UUID], ...] = ()  # (line of QicWorks, line of Xero)
    remarks: tuple[str, ...] = ()  # warnings about a document that is in Xero
    number_taken: bool = False  # Xero refused its number, which is used already, perhaps by this document
    is_unclear: bool = False  # FAILED, and Xero may have it in a record that is not known
    lacks: str | None = None  # FAILED, until the organisation has this currency
    lacks_department: bool = False  # FAILED, until each of its departments has an option in Xero
    record: Mapping[str, Any] | None = None  # Xero's, that this is known from
    content: PushedContent | None = None  # what was pushed; None: nothing, or it is not known
    differences: tuple[Found, ...] | None = None  # from Xero's record now; None: not compared
    judged: tuple[Reason, ...] = OF_CONTENT  # the reasons that were compared
    adopting: Adopting | None = None  # it may be in Xero already, typed in by hand

    @property
    def why(self) -> tuple[str, str]:
        return self.error or "", self.correction or ""
