"""The words of an event that code reads: its direction, its status, and how it ended."""

from enum import StrEnum

from xero.api import errors


class Direction(StrEnum):
    """What an event is about."""

    PULL = "pull"
    PUSH = "push"
    CONNECT = "connect"
    MAINTENANCE = "maintenance"


class Status(StrEnum):
    """How serious it is: RUNNING until it ends, then one of the others, from harmless to bad."""

    RUNNING = "running"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"

    @property
    def severity(self) -> int:
        return list(Status).index(self)


class EventOutcome(StrEnum):
    """How an event ended. The column has the same values: schema/0024."""

    DONE = "done"
    DONE_WITH_REMARKS = "done_with_remarks"  # done, and something about it is unusual
    PARTLY_DONE = "partly_done"  # some documents failed, some records were rejected, or another step is left
    NOT_AVAILABLE = "not_available"  # Xero does not offer this data set for this organisation
    DIFFERS = "differs"  # QicWorks and Xero do not agree

    NONE_CONNECTED = "none_connected"  # there is no connection at all
    SWITCHED_OFF = "switched_off"
    DELETED = "deleted"
    NEEDS_RECONNECT = "needs_reconnect"
    UNSEALED = "unsealed"  # the row is not what was sealed when it was matched or switched on
    BUSY = "busy"  # another run has the lease
    POSTPONED = "postponed"  # by a limit or an outage; a later run continues
    INTERRUPTED = "interrupted"

    REFUSED = "refused"  # by Xero
    BAD_RESPONSE = "bad_response"
    IMPLAUSIBLE = "implausible"  # the fetched data failed a safety check; nothing was loaded
    MISCONFIGURED = "misconfigured"
    DATABASE_LOCKED = "database_locked"
    DATABASE_FAILED = "database_failed"
    FAILED = "failed"

    WAITING = "waiting"  # a document that was asked for: a later run takes it
    NOT_READY = "not_ready"
    UNKNOWN = "unknown"  # what was asked for does not exist
    AMBIGUOUS = "ambiguous"  # several organisations have it

    CONSENT_DENIED = "consent_denied"  # by the user, at Xero
    CONSENT_FAILED = "consent_failed"
    CONSENT_UNKNOWN = "consent_unknown"  # it did not begin here
    CONSENT_OF_ANOTHER = "consent_of_another"
    CONSENT_USED = "consent_used"
    CONSENT_EXPIRED = "consent_expired"


def outcome_of(error: BaseException) -> EventOutcome:
    """The outcome of an event that this error ends."""
    match error:
        case errors.RetryLater():
            return EventOutcome.POSTPONED
        case errors.Disconnected() | errors.ReconnectNeeded():
            return EventOutcome.NEEDS_RECONNECT
        case errors.NotAvailable():
            return EventOutcome.NOT_AVAILABLE
        case errors.NotMatched():
            return EventOutcome.UNSEALED
        case errors.Misconfigured():
            return EventOutcome.MISCONFIGURED
        case errors.Refused():
            return EventOutcome.REFUSED
        case errors.BadAnswer():
            return EventOutcome.BAD_RESPONSE
        case errors.ConsentFailed():
            return EventOutcome.CONSENT_FAILED
        case _:
            return EventOutcome.FAILED
