"""What a body says: its elements, dates and numbers. What cannot be read is a 400 for the whole call."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from xero_sandbox.collection import Record
from xero_sandbox.documents import day
from xero_sandbox.endpoints.calling import Call
from xero_sandbox.problems import Problem
from xero_sandbox.wire import decode, json_reply, read_ms_date, text_reply

LARGEST = 3_500_000
_DAY = re.compile(r"^(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?$")
_MOST = Decimal(10) ** 13


def malformed(why: str) -> Problem:
    message = f"JSON for post data was invalid, {why}"
    return Problem(json_reply({"ErrorNumber": 17, "Type": "PostDataInvalidException", "Message": message}, 400))


def elements(call: Call, plural: str) -> list[Record]:
    """The objects of a body: {plural: [...]}, an array, or one object alone."""
    if len(call.body) > LARGEST:
        raise Problem(text_reply("Request Entity Too Large", 413))
    try:
        body = decode(call.body)
    except ValueError as error:
        raise malformed(str(error)) from error
    found = body.get(plural, [body]) if isinstance(body, dict) else body
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise malformed(f"{plural} must be one or more objects")
    return found


def read_date(value: object) -> str:
    """A date in any of Xero's ways of writing as it goes over the wire."""
    milliseconds = read_ms_date(value)
    match = _DAY.match(value) if isinstance(value, str) else None
    try:
        if milliseconds is not None:
            return day(datetime.fromtimestamp(milliseconds / 1000, UTC).date())
        if match:
            return day(date(*(int(part) for part in match.groups())))
    except (ValueError, OverflowError):
        pass
    raise malformed(f"Could not convert string to DateTime: {value}.")


def read_number(value: object) -> Decimal:
    """A number, or text that is one."""
    try:
        if isinstance(value, (int, Decimal, str)) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and abs(number) < _MOST:
                return number
    except InvalidOperation:
        pass
    raise malformed(f"Could not convert string to decimal: {value}.")


def read_text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise malformed("Could not convert an object or an array to text.")
    return str(value).strip()


def typed(element: Record, dates: tuple[str, ...]) -> Record:
    """The element without nulls but of dates, which are read, its parts known to be objects and arrays of objects."""
    known = {name: value for name, value in element.items() if value is not None or name in dates}
    for name in dates:
        if known.get(name) is not None:
            known[name] = read_date(known[name])
    if not isinstance(known.get("Contact", {}), dict):
        raise malformed("Contact must be an object.")
    for line in objects(known.get("LineItems", []), "LineItems"):
        objects(line.get("Tracking") or [], "Tracking")
    return known


def objects(value: object, name: str) -> list[Record]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise malformed(f"{name} must be an array of objects.")
    return value
