"""JSON and dates as Xero writes them; the answer that an endpoint gives."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_MS_DATE = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")


def encode(value: Any) -> bytes:
    """JSON with decimals as numbers. Text that is not valid Unicode (a lone surrogate) goes out escaped."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, default=float, separators=(",", ":")).encode()


def decode(body: bytes) -> Any:
    """JSON with fractions as Decimal. ValueError when it is not JSON."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return json.loads(body, parse_float=Decimal)


def ms_date(milliseconds: int, zone: str = "+0000") -> str:
    """Epoch milliseconds as Xero's `/Date(ms+0000)/`."""
    return f"/Date({milliseconds}{zone})/"


def read_ms_date(text: object) -> int | None:
    """The milliseconds of a `/Date(…)/`, None when it is anything else."""
    match = _MS_DATE.match(text) if isinstance(text, str) else None
    return int(match[1]) if match else None


def read_instant(text: str) -> int:
    """Epoch milliseconds of an ISO date with or without zone (none means UTC). ValueError otherwise."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


@dataclass(slots=True)
class Reply:
    """What goes back: status, body and the headers that are not the same for all answers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, encode(value), headers={k.replace("_", "-"): v for k, v in headers.items()})


def text_reply(text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Reply:
    return Reply(status, text.encode(), content_type)
