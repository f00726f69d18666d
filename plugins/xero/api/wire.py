"""From Xero's JSON to Python's types: money as Decimal and never float, instants aware and UTC, ids as UUID.

Every reader takes what stood in the JSON and gives None for null and for empty text (`text` keeps empty text).
What does not fit raises ValueError("… cannot be read as …"), which is fit to be shown to an operator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import date as Date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn, TypeVar
from uuid import UUID

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
T = TypeVar("T")
FIRST, LAST = (end.replace(tzinfo=UTC) for end in (datetime.min, datetime.max))  # noqa: DTZ901
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MS_DATE = re.compile(r"/Date\((-?[0-9]{1,18})(?:[+-][0-9]{4})?\)/")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?", re.I
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")
#: Fields whose values are words of Xero's: in capitals in its documentation, but for those of LineAmountTypes.
ENUMS = frozenset(
    {
        *("Status", "ContactStatus", "LeavePeriodStatus", "PayRunStatus"),
        *("Type", "Class", "SystemAccount", "CurrencyCode", "LineAmountTypes"),
        *("CalendarType", "CalculationType", "EarningsType", "RateType"),
    }
)
AMOUNT_TYPES = {"EXCLUSIVE": "Exclusive", "INCLUSIVE": "Inclusive", "NOTAX": "NoTax"}
_UNUSUAL = re.compile(
    rf'"(?:{"|".join(sorted(ENUMS - {"LineAmountTypes"}))})"\s*:\s*"[^"]*[a-z\s]'
    rf'|"LineAmountTypes"\s*:\s*"(?!(?:{"|".join(AMOUNT_TYPES.values())})")'.encode()
)
_LARGEST_EXPONENT = 40  # no amount is larger or finer; a Decimal of 1e999999999 would fill the memory when written out


def loads(body: bytes) -> Any:
    """The JSON of an answer; numbers with a point or an exponent become Decimal. Raises ValueError when it is none."""
    try:
        return _DECODER.decode(body)
    except RecursionError:
        raise ValueError("the answer is nested too deeply to be JSON of Xero") from None
    except ValueError:
        pass
    try:  # msgspec refuses lone surrogates, which one careless name is enough to bring
        return json.loads(body, parse_float=Decimal, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("the answer is nested too deeply to be JSON of Xero") from None
    except ValueError as error:
        place = f" (at byte {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
    raise ValueError(f"the answer is not JSON{place}")


def may_be_unusual(body: bytes) -> bool:
    """Whether an enum in a body may be spelled otherwise. This costs a quarter of looking at the data."""
    return _UNUSUAL.search(body) is not None


def with_usual_enums(data: Any) -> Any:
    """Spells the enums of a response as Xero's documentation does, wherever they are: "Deleted" is DELETED.

    Changes the data itself, and returns it. All else compares enums as they are.
    """
    parts = [data]
    while parts:
        part = parts.pop()
        if isinstance(part, list):
            parts += [one for one in part if isinstance(one, dict | list)]
        elif isinstance(part, dict):
            for name in ENUMS & part.keys():
                if isinstance(value := part[name], str):
                    plain = value.strip().upper()
                    part[name] = plain if name != "LineAmountTypes" else AMOUNT_TYPES.get(plain, value)
            parts += [one for one in part.values() if isinstance(one, dict | list)]
    return data


def text(value: object) -> str | None:
    """Text, unchanged. Refuses NUL and lone surrogates, which PostgreSQL cannot hold."""
    if value is None:
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise _unreadable(value, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _unreadable(value, "text") from None
    return value


def uuid(value: object) -> UUID | None:
    """An id of Xero's, 8-4-4-4-12 hexadecimal digits."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise _unreadable(value, "an id")


def boolean(value: object) -> bool | None:
    """true or false, or one of them as text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _unreadable(value, "true or false")


def number(value: object) -> Decimal | None:
    """An exact number: from an integer, a Decimal, or text such as "12.50". Refuses NaN, infinity and floats."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise _unreadable(value, "a number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise _unreadable(value, "a number")
    if isinstance(value, int) and value.bit_length() > 128:
        raise _unreadable("a very long number", "a number")
    exact = Decimal(value)
    if not exact.is_finite() or abs(exact.adjusted()) > _LARGEST_EXPONENT or _exponent(exact) < -_LARGEST_EXPONENT:
        raise _unreadable(value, "a number")
    return exact


def date(value: object) -> Date | None:
    """A calendar date: of `/Date(ms)/` the UTC day, of ISO text its date (with a zone: the UTC day)."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        return _read(Date.fromisoformat, value, value, "a date")
    moment = _instant(value, "a date")
    return moment.date()


def instant(value: object) -> datetime | None:
    """A moment, aware and UTC, to the microsecond.

    `/Date(ms)/` and `/Date(ms+hhmm)/` count from 1970 in UTC, whatever the offset says; ISO text without a zone is UTC.
    """
    if value is None or value == "":
        return None
    return _instant(value, "a date and time")


def shifted(moment: datetime, by: timedelta) -> datetime:
    """So much later or earlier, as far as a calendar goes."""
    try:
        return moment + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


def _instant(value: object, kind: str) -> datetime:
    if not isinstance(value, str):
        raise _unreadable(value, kind)
    return _read_instant(value, kind)


@lru_cache(maxsize=4096)  # when a record was changed is looked at several times; a page has a thousand
def _read_instant(value: str, kind: str) -> datetime:
    if match := _MS_DATE.fullmatch(value):
        try:
            return _EPOCH + timedelta(milliseconds=int(match[1]))
        except OverflowError:
            raise _unreadable(value, kind) from None
    if _ISO_DATE.fullmatch(value):
        return _read(lambda day: datetime.fromisoformat(day).replace(tzinfo=UTC), value, value, kind)
    if match := _ISO_INSTANT.fullmatch(value):
        day, time, fraction, zone = match.groups()
        iso = f"{day}T{time}{(fraction or '')[:7]}{(zone or 'Z').upper()}"
        return _read(lambda moment: datetime.fromisoformat(moment).astimezone(UTC), iso, value, kind)
    raise _unreadable(value, kind)


def _read(reader: Callable[[str], T], part: str, value: object, kind: str) -> T:
    try:
        return reader(part)
    except (ValueError, OverflowError):
        pass
    raise _unreadable(value, kind)


def _exponent(exact: Decimal) -> int:
    exponent = exact.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unreadable(value: object, kind: str) -> ValueError:
    shown = ascii(value)
    return ValueError(f"{shown if len(shown) <= 80 else shown[:79] + '…'} cannot be read as {kind}")


def word(value: object) -> str | None:
    """Text, or None for whatever else it is: for what is only looked at, and may be left out."""
    return value if isinstance(value, str) else None


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
