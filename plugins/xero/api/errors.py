"""One exception per decision. Each has what happened and what to do about it.

No message contains a token, a secret or an authorisation header: a server's texts pass through `cleaned`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

Limit = Literal["minute", "day", "app", "concurrent", "outage", "busy"]

_SECRETS = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}|(?i:\b(?:bearer|basic)\s+[\w.~+/=-]{8,})")
_IDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_LONG_NUMBERS = re.compile(r"[0-9](?:[ .-]?[0-9]){5,}")
# Control characters, line ends, changes of writing direction, and what a database or encoding cannot store.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]+"
)
_LONGEST = 500


def cleaned(words: object, *secrets: str | None) -> str:
    """Makes a server's text safe for a log and a database: one line, at most 500 characters, without bearer tokens and
    the given secrets (in all usual encodings, in upper or lower case)."""
    text = str(words)
    for spelling in sorted({one for secret in secrets if secret for one in _spellings(secret)}, key=len, reverse=True):
        text = re.sub(re.escape(spelling), "***", text, flags=re.IGNORECASE)
    text = _CONTROL.sub(" ", _SECRETS.sub("***", text)).strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _spellings(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "replace")
    yield from (secret, quote(secret, safe="", errors="replace"), secret.replace("/", "\\/"))
    yield from (encode(raw).decode().rstrip("=") for encode in (base64.b64encode, base64.urlsafe_b64encode))


def without_numbers(said: Any) -> Any:
    """Masks ids and numbers of six digits and more: in payroll they may be tax file or account numbers.

    Leaves out values that are nested deeper than any reason of Xero's."""
    return _rewritten(said, lambda words: _LONG_NUMBERS.sub("***", _IDS.sub("(an id)", words)), _DEEPEST)


def _rewritten(said: Any, rewrite: Callable[[str], str], levels: int) -> Any:
    """Rewrites every text of a JSON value, but not its keys, down to the given level of lists and objects."""
    if isinstance(said, str):
        return rewrite(said)
    if isinstance(said, list | Mapping) and levels == 0:
        return None
    if isinstance(said, list):
        return [_rewritten(one, rewrite, levels - 1) for one in said]
    if isinstance(said, Mapping):
        return {name: _rewritten(one, rewrite, levels - 1) for name, one in said.items()}
    return said


class XeroError(Exception):
    """What went wrong with Xero (`message`) and what to do about it (`correction`), in plain English."""

    def __init__(self, message: str, correction: str) -> None:
        super().__init__(message, correction)
        self.message = message
        self.correction = correction
        self.outcome_unknown = False  # of a write: Xero may have saved it
        self.correlation_id: str | None = None  # by which Xero finds the call; None: no response
        self.server_failed = False  # Xero responded with a 5xx, which it repeats for a write with the same key

    def __str__(self) -> str:
        return f"{self.message} {self.correction}"


class RetryLater(XeroError):
    """A limit (429), or an outage that lasted longer than the client waits. Try again in `seconds`."""

    def __init__(self, seconds: float, limit: Limit, message: str | None = None, correction: str | None = None) -> None:
        said = (
            message
            or f"Xero's limit of calls {_LIMITS[limit]} is reached; the next call is possible in {_duration(seconds)}."
        )
        super().__init__(said, correction or "Nothing to do: the next run resumes where this one stopped.")
        self.seconds = seconds
        self.limit = limit

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.seconds, self.limit, self.message, self.correction)


class NotSent(RetryLater):
    """A write was not sent, because too much time passed between the permit to send it and the sending."""

    def __init__(self) -> None:
        super().__init__(
            0.0,
            "outage",
            "This process was suspended just before it sent a request, so it did not send it.",
            "Nothing to do: a later run sends it. If it happens often, the machine is out of memory or too busy.",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


class ReconnectNeeded(XeroError):
    """The authorisation is broken: none of its organisations can be reached until a user connects again."""


class ConsentFailed(XeroError):
    """The OAuth sign-in was not completed; nothing was connected."""

    def __init__(self, message: str, correction: str = "Begin again with Connect to Xero.") -> None:
        super().__init__(message, correction)


class Disconnected(XeroError):
    """This organisation has disconnected the app; others of the same authorisation are not affected."""


class NotAvailable(XeroError):
    """This organisation does not give access to the data set: a scope, a permission or a subscription is missing."""


class NotMatched(XeroError):
    """The connection is not the one that was saved when it was matched: nothing is read or sent."""


class Misconfigured(XeroError):
    """The Airflow connection is wrong: client id, secret, host, scope or keys."""


class BadAnswer(XeroError):
    """After several attempts the response was still not valid: no JSON, no envelope, or cut short."""


class OutOfBounds(BadAnswer):
    """The response is larger, longer or slower than anything Xero sends. Not requested again; none of it is kept."""


class Refused(XeroError):
    """Xero refused the request. `messages` are its own words, extracted from the response once, here."""

    def __init__(self, status: int, answer: Any = None, *secrets: str | None) -> None:
        self.status = status
        self.messages = [cleaned(words, *secrets) for words in dict.fromkeys(_reasons(answer))][:20]
        said = "; ".join(self.messages) or "it gave no reason"
        super().__init__(
            f"Xero refused the request (HTTP {status}): {said}.".replace("..", "."),
            "Correct what the message names. If it looks right, contact support.",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.messages)


_LIMITS: dict[Limit, str] = {
    "minute": "per organisation and minute",
    "day": "per organisation and day",
    "app": "per app and minute",
    "concurrent": "in flight per organisation",
    "outage": "outage",
}
# The keys of Xero's words, most telling first (Accounting, Payroll AU, Payroll NZ and UK), in whatever case they come.
_WORDS = ("message", "description", "reason", "detail", "title")
_NESTED = ("validationerrors", "invalidfields", "problem")
_DEEPEST = 20  # levels of lists and objects, below which no reason of Xero's lies


def field(said: Any, name: str) -> Any:
    """Returns the value of a key of an error body, in upper or lower case; None if it is missing."""
    if not isinstance(said, Mapping):
        return None
    return next((value for key, value in said.items() if str(key).lower() == name.lower()), None)


def has_reasons(answer: Any) -> bool:
    """Whether the body contains a reason."""
    return any(True for _ in _reasons(answer))


def _reasons(answer: Any) -> Iterator[str]:
    """Yields Xero's reasons: the nested ones, or the general one if there are none."""
    return _messages(_rewritten(answer, str, _DEEPEST))


def _messages(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, list):
        for element in answer:
            yield from _messages(element)
    elif isinstance(answer, Mapping):
        nested = list(_nested(answer))
        yield from nested or _first(field(answer, key) for key in _WORDS)


def _nested(answer: Mapping[str, Any]) -> Iterator[str]:
    """The reasons below this object: of validation errors, wherever they lie (elements, lines, contacts)."""
    for key, value in answer.items():
        if str(key).lower() in _NESTED:
            yield from _messages(value)
        elif isinstance(value, Mapping):
            yield from _nested(value)
        elif isinstance(value, list):
            for element in value:
                if isinstance(element, Mapping):
                    yield from _nested(element)


def _first(words: Iterable[Any]) -> list[str]:
    return next(([word] for word in words if isinstance(word, str) and word), [])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
