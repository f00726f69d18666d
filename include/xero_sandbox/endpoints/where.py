"""Xero's filter language, as far as clients of this server send it.

Status=="ACTIVE" AND (Type!="BANK" OR Code.StartsWith("2")) && UpdatedDateUTC>=DateTime(2026,1,31)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from xero_sandbox.problems import bad_query
from xero_sandbox.wire import read_ms_date

Test = Callable[[dict[str, Any]], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<op>==|!=|>=|<=|&&|\|\||[=<>(),])"""
    r"""|(?P<word>[A-Za-z_][\w.]*))"""
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">=": lambda a, b: a is not None and bool(a >= b),
    "<=": lambda a, b: a is not None and bool(a <= b),
    ">": lambda a, b: a is not None and bool(a > b),
    "<": lambda a, b: a is not None and bool(a < b),
}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "Contains": lambda text, part: part in text,
    "StartsWith": lambda text, part: text.startswith(part),
    "EndsWith": lambda text, part: text.endswith(part),
}
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Test:
    """The filter as a function of a record. Raises the 400 QueryParseException."""
    try:
        tokens = _tokens(text)
        test = _any(tokens)
        if tokens:
            raise ValueError(f"unexpected {tokens[0][1]}")
    except (ValueError, IndexError) as error:
        raise bad_query(f"The filter could not be parsed: {text} ({error})") from error
    return test


def field(record: dict[str, Any], path: str) -> Any:
    """A field's value, dots reaching inside; dates as epoch milliseconds, a missing one as None."""
    value: Any = record
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    milliseconds = read_ms_date(value)
    return value if milliseconds is None else milliseconds


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position, text = [], 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"cannot read {text[position : position + 20]}")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return found


def _any(tokens: list[tuple[str, str]]) -> Test:
    tests = [_all(tokens)]
    while tokens and tokens[0][1].upper() in ("||", "OR"):
        tokens.pop(0)
        tests.append(_all(tokens))
    return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)


def _all(tokens: list[tuple[str, str]]) -> Test:
    tests = [_single(tokens)]
    while tokens and tokens[0][1].upper() in ("&&", "AND"):
        tokens.pop(0)
        tests.append(_single(tokens))
    return tests[0] if len(tests) == 1 else lambda record: all(test(record) for test in tests)


def _single(tokens: list[tuple[str, str]]) -> Test:
    kind, name = tokens.pop(0)
    if name == "(":
        test = _any(tokens)
        _expect(tokens, ")")
        return test
    if kind != "word":
        raise ValueError(f"{name} is not a field")
    if tokens[0][1] == "(":
        path, _, method = name.rpartition(".")
        call = _METHODS.get(method)
        if call is None:
            raise ValueError(f"{method} is not known")
        (part,) = _arguments(tokens)
        return lambda record: call(str(field(record, path) or ""), str(part))
    compare = _COMPARE.get(tokens.pop(0)[1])
    if compare is None:
        raise ValueError(f"no comparison after {name}")
    value = _value(tokens)
    return lambda record: compare(field(record, name), value)


def _expect(tokens: list[tuple[str, str]], what: str) -> None:
    if not tokens or tokens.pop(0)[1] != what:
        raise ValueError(f"{what} is missing")


def _arguments(tokens: list[tuple[str, str]]) -> list[Any]:
    _expect(tokens, "(")
    values = [_value(tokens)]
    while tokens and tokens[0][1] == ",":
        tokens.pop(0)
        values.append(_value(tokens))
    _expect(tokens, ")")
    return values


def _value(tokens: list[tuple[str, str]]) -> Any:
    kind, text = tokens.pop(0)
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind == "number":
        return Decimal(text)
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if text in ("DateTime", "Guid"):
        values = _arguments(tokens)
        return str(values[0]).lower() if text == "Guid" else _moment([int(value) for value in values])
    raise ValueError(f"{text} is not a value")


def _moment(parts: list[int]) -> int:
    year, month, day, *time = parts
    return int(datetime(year, month, day, *time, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc, arg-type]
