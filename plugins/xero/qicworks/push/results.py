"""What became of documents and requests, as data."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class PushState(StrEnum):
    """The values of `push_state`."""

    DRAFT = "draft"
    READY = "ready"
    IN_FLIGHT = "in_flight"
    PUSHED = "pushed"
    FAILED = "failed"
    SKIPPED = "skipped"


class RequestOutcome(StrEnum):
    """How a request was closed: the values of `outcome`."""

    ANSWERED = "answered"
    LOOKED_UP = "looked up"  # its documents were searched for in Xero
    NOT_SENT = "not sent"


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

    @property
    def why(self) -> tuple[str, str]:
        return self.error or "", self.correction or ""
