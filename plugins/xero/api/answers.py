"""Reads responses, within limits: gzip, JSON, envelope, the server's time, and whether a refusal is Xero's own."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import requests

from xero.api import limits, wire
from xero.api.errors import BadAnswer, OutOfBounds, has_reasons

T = TypeVar("T")

ENVELOPED = ("/api.xro/", "/payroll.xro/")

# A page of a thousand invoices with many lines has some 20 MB, and comes in seconds.
MAX_BYTES_ON_WIRE = 32 << 20
MAX_BYTES_UNPACKED = 128 << 20
YEARS = range(1990, 2200)  # of a server's clock; not .NET's zero, which Xero sends if it has no date
MAX_PARTS = 100  # of a gzip
MAX_VALUES = 3_000_000  # in a response: 128 MB of brackets would be gigabytes of objects
MAX_PAGES = 5_000  # of one reading: as many calls as an organisation has in a day
_CHUNK_BYTES = 1 << 16

# Keys of Xero's own error bodies, in lower case (Accounting, Payroll, OAuth).
_OWN_KEYS = frozenset({"errornumber", "type", "message", "elements", "title", "status", "detail", "problem", "error"})
_CORRELATION_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_MARKUP = re.compile(r"<[a-z!/?]", re.IGNORECASE)
_MIN_WORDS = 4  # of a sentence of Xero's: "Access Denied" and "Bad Request" are from proxies in front of Xero


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful response of Xero: `data` is JSON as `wire.loads` reads it, with its enums spelled as usual;
    `bytes_received` the compressed size, `bytes_unpacked` the size without gzip."""

    data: Any
    server_time: datetime | None
    bytes_received: int
    bytes_unpacked: int
    status: int
    headers: Mapping[str, str]


def bad(path: str, why: str) -> BadAnswer:
    """Returns the BadAnswer for an invalid response."""
    return BadAnswer(
        f"Unexpected response for {path}: {why}.",
        "Check the host in the Airflow connection; if it is right, the next run resumes where this one stopped.",
    )


def out_of_bounds(what: str, bound: str) -> OutOfBounds:
    """Returns the OutOfBounds for a response far larger than any of Xero's."""
    return OutOfBounds(
        f"{what} is out of bounds: {bound}.",
        "It was not read any further, and nothing of it is kept. Check the host in the Airflow connection, and the "
        "proxies between here and Xero.",
    )


def too_many_pages(path: str) -> OutOfBounds:
    """Returns the OutOfBounds for a list that does not end."""
    return out_of_bounds(f"The list {path}", f"it has more than {MAX_PAGES:,} pages")


def receive(response: requests.Response, what: str) -> bytes:
    """Returns the body as it came, compressed or not. Raises OutOfBounds if it is too large."""
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
        body += chunk
        if len(body) > MAX_BYTES_ON_WIRE:
            raise out_of_bounds(what, f"it has more than {MAX_BYTES_ON_WIRE >> 20} MB")
    response.raw.read(decode_content=False)  # raises if fewer bytes came than were announced
    return bytes(body)


def unpacked(body: bytes, encoding: str, what: str) -> bytes:
    """Returns the body without gzip. Raises ValueError if that is broken, OutOfBounds if it is too large."""
    if encoding.lower() not in ("gzip", "x-gzip"):
        return body
    made, rest, parts = bytearray(), body, 0
    try:
        while rest:
            if (parts := parts + 1) > MAX_PARTS:
                raise out_of_bounds(what, f"its gzip has more than {MAX_PARTS} parts")
            unpacker = zlib.decompressobj(31)
            made += unpacker.decompress(rest, MAX_BYTES_UNPACKED + 1 - len(made))
            if len(made) > MAX_BYTES_UNPACKED:
                raise out_of_bounds(what, f"it unpacks to more than {MAX_BYTES_UNPACKED >> 20} MB")
            if not unpacker.eof:
                raise ValueError("its gzip is broken or cut short")
            rest = unpacker.unused_data
    except zlib.error:
        raise ValueError("its gzip is broken or cut short") from None
    return bytes(made)


def read(response: requests.Response, body: bytes, path: str) -> Answer:
    """Reads a successful response. Raises BadAnswer if it cannot be one of Xero's."""
    data, unpacked_size = (None, 0) if response.status_code == 204 else _decoded(response, body, path)
    if isinstance(data, ValueError):
        raise bad(path, str(data))
    envelope = data if isinstance(data, dict) else {}
    if path.startswith(ENVELOPED) and not envelope:
        raise bad(path, "it has no envelope")
    return Answer(
        data,
        _server_time(envelope, response.headers),
        len(body),
        unpacked_size,
        response.status_code,
        response.headers,
    )


def unchanged(response: requests.Response, body: bytes) -> Answer:
    """Reads a 304, the response to If-Modified-Since if nothing has changed: there are no records."""
    return Answer({}, _server_time({}, response.headers), len(body), 0, response.status_code, response.headers)


def listed(data: Any, envelope: str) -> list[Any] | None:
    """The list under the envelope of a response; None if there is none."""
    found = data.get(envelope) if isinstance(data, dict) else None
    return found if isinstance(found, list) else None


def announced(data: Any, name: str) -> int | None:
    """A number under `pagination` (`itemCount`, `pageSize`, `pageCount`); None if there is none."""
    pagination = data.get("pagination") if isinstance(data, dict) else None
    value = pagination.get(name) if isinstance(pagination, dict) else None
    return int(value) if isinstance(value, int | str) and re.fullmatch("[0-9]{1,12}", str(value)) else None


def or_none(read: Callable[[Any], T | None], value: object) -> T | None:
    """The value as a reader of `xero.api.wire` returns it; None if it cannot be read."""
    try:
        return read(value)
    except ValueError:
        return None


def correlation_id(headers: Mapping[str, str]) -> str | None:
    """The id by which Xero finds the call in its own logs; None if there is none, or it is not an id."""
    found = _CORRELATION_ID.fullmatch(headers.get("Xero-Correlation-Id", "").strip())
    return found[0] if found else None


def _decoded(response: requests.Response, body: bytes, path: str) -> tuple[Any, int]:
    """The JSON of a response, or the ValueError why there is none; and its size in bytes without gzip."""
    what = f"The response for {path}"
    try:
        plain = unpacked(body, response.headers.get("Content-Encoding", ""), what)
        if len(plain) > MAX_VALUES and sum(map(plain.count, (b"{", b"[", b","))) > MAX_VALUES:
            raise out_of_bounds(what, f"it has more than {MAX_VALUES:,} values")
        data = wire.loads(plain)
        if path.startswith(ENVELOPED) and wire.may_be_unusual(plain):
            wire.with_usual_enums(data)
        return data, len(plain)
    except ValueError as error:
        return ValueError(str(error)), 0


@dataclass(frozen=True, slots=True)
class Reason:
    """The body of a response other than 200: JSON, or a sentence. `own`: whether it can be Xero's, and not that of a
    proxy or content network, whose pages say nothing about the organisation or its records."""

    said: Any
    own: bool
    bytes_unpacked: int = 0


def reason(response: requests.Response, body: bytes, path: str) -> Reason:
    """Reads the reason of a refusal. Xero's own are JSON with its keys, one sentence without markup, or empty."""
    if not body.strip():
        return Reason(None, own=True)
    said, size = _decoded(response, body, path)
    if not isinstance(said, ValueError):
        keys = {str(key).lower() for key in said} if isinstance(said, Mapping) else set()
        return Reason(
            said, own=bool(keys & _OWN_KEYS) or isinstance(said, list) or has_reasons(said), bytes_unpacked=size
        )
    try:
        plain = unpacked(body, response.headers.get("Content-Encoding", ""), path)
    except ValueError:
        return Reason(None, own=False)
    sentence = plain[:2000].decode("utf-8", "replace").strip()
    own = not _MARKUP.search(sentence) and len(sentence.split()) >= _MIN_WORDS
    return Reason(sentence if own else None, own, len(plain))


def _server_time(envelope: Mapping[str, Any], headers: Mapping[str, str]) -> datetime | None:
    """The server's time, from the envelope or the Date header; None if neither can be read, or is a plausible time."""
    moment = or_none(wire.instant, envelope.get("DateTimeUTC"))
    known = [one for one in (moment, limits.http_date(headers.get("Date", ""))) if one and one.year in YEARS]
    return known[0] if known else None
