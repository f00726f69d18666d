"""Listing a collection: If-Modified-Since, where, order, pages."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from operator import attrgetter

from xero_sandbox.collection import Collection, Row
from xero_sandbox.endpoints import unknown
from xero_sandbox.endpoints.calling import Call, envelope
from xero_sandbox.endpoints.where import field, parse
from xero_sandbox.problems import bad_condition, bad_query, not_found
from xero_sandbox.wire import Reply, read_instant

DEFAULT_PAGE_SIZE = 100


def modified_since(call: Call) -> tuple[int, bool] | None:
    """(second, whether it is included), None when not asked for or not honoured. ISO, or HTTP's own way of writing
    dates, which pyxero sends."""
    text = call.headers.get("if-modified-since")
    if not text or not call.world.settings.filters:
        return None
    try:
        moment = read_instant(text) // 1000 if text[:1].isdigit() else _http_date(text)
    except ValueError as error:
        raise bad_condition() from error
    return moment, call.world.settings.ims_bound == "inclusive"


def _http_date(text: str) -> int:
    """Seconds since the epoch of `Mon, 30 Nov 2026 17:00:00 GMT`."""
    moment = parsedate_to_datetime(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def ordered(call: Call, collection: Collection) -> list[Row]:
    """All rows in the order asked for, "Field [ASC|DESC]"; by key when none is."""
    text = call.params.get("order", "").strip()
    if not text or not call.world.settings.sorts:
        return collection.by_key()
    terms = [term.split() for term in text.split(",")]
    if any(len(term) not in (1, 2) or term[-1].upper() not in ("ASC", "DESC", term[0].upper()) for term in terms):
        raise bad_query(f"The order could not be parsed: {text}")
    if terms == [["UpdatedDateUTC", "ASC"]] or terms == [["UpdatedDateUTC"]]:
        return collection.by_updated()

    def build(_: list[Row] | None) -> list[Row]:
        rows = collection.by_key()
        for name, *direction in reversed(terms):
            values = {row.key: _sortable(row, name) for row in rows}
            if rows and not any(present for present, _ in values.values()):
                raise bad_query(f"No property or field '{name}' exists")
            rows = sorted(rows, key=lambda row: values[row.key], reverse=direction == ["DESC"])
        return rows

    return collection.view(("order", text), build)


def _sortable(row: Row, name: str) -> tuple[bool, object]:
    """Absent values first; numbers apart from text cannot meet, a field has one type."""
    if name == "UpdatedDateUTC":
        return True, row.updated_ms
    value = field(row.record, name)
    return (True, value) if isinstance(value, (int, Decimal)) else (value is not None, str(value or "").casefold())


def select(
    call: Call, collection: Collection, keep: Callable[[Row], bool] | None = None, name: object = None
) -> list[Row]:
    """The rows that the query asks for. `keep` is the endpoint's own filter, `name` tells one from another."""
    rows, where = ordered(call, collection), call.params.get("where")
    since = modified_since(call) if collection.kind.dated else None
    if since is None and not where and keep is None:
        return rows
    test = parse(where) if where else None

    def build(_: list[Row] | None) -> list[Row]:
        chosen = rows
        if since:
            first_ms = (since[0] + (0 if since[1] else 1)) * 1000
            if rows is collection.by_updated():
                chosen = rows[bisect_left(rows, first_ms, key=attrgetter("updated_ms")) :]
            else:
                chosen = [row for row in chosen if row.updated_ms >= first_ms]
        if keep:
            chosen = [row for row in chosen if keep(row)]
        if test:
            try:
                chosen = [row for row in chosen if test(row.record)]
            except TypeError as error:
                raise bad_query(f"The filter compares what cannot be compared: {where}") from error
        return chosen

    settings = call.world.settings
    return collection.view((call.params.get("order"), settings.sorts, where, since, name), build)


def number(call: Call, name: str, default: int) -> int:
    try:
        return int(call.params.get(name) or default)
    except ValueError as error:
        raise bad_query(f"{name} must be a number") from error


def page_of(call: Call, rows: list[Row]) -> tuple[list[Row], dict[str, int] | None]:
    """One page of the rows, and what the answer says about it."""
    settings = call.world.settings
    size = min(max(number(call, "pageSize", DEFAULT_PAGE_SIZE), 1), settings.max_page_size)
    page = max(number(call, "page", 1), 1)
    about = {"page": page, "pageSize": size, "pageCount": math.ceil(len(rows) / size), "itemCount": len(rows)}
    return rows[(page - 1) * size : page * size], about if settings.pagination_object else None


def listed(call: Call, collection: Collection, bodies: list[bytes], pagination: dict[str, int] | None = None) -> Reply:
    if call.world.settings.unknown_fields:
        bodies = [unknown.add(collection.kind, body) for body in bodies]
    reply = envelope(call, collection.kind.plural, bodies, pagination)
    call.world.drift(call.organisation.tenant_id, collection)
    return reply


def single(call: Call, collection: Collection) -> Reply:
    """GET /…/{id}: the record, with any status. 404 for an unknown one."""
    row = collection.rows.get(call.parts["id"]) or collection.rows.get(call.parts["id"].lower())
    if row is None:
        raise not_found()
    body = unknown.add(collection.kind, row.body) if call.world.settings.unknown_fields else row.body
    return envelope(call, collection.kind.plural, [body])
