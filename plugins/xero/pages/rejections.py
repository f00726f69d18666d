"""Rejected records, with the reasons. They may be personal data: only for users who may edit connections."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from xero.datasets.registry import DATASETS
from xero.pages.access import EditorDep
from xero.pages.database import SessionDep
from xero.pages.rendering import page
from xero.pages.synchronise import live
from xero.qicworks.connect import connections
from xero.qicworks.pull import rejections

router = APIRouter()

LIMIT = 50


@router.get("/rejections")
def show(request: Request, who: EditorDep, session: SessionDep, connection: str = "", before: str = "") -> Response:
    if before and not (before.isdecimal() and len(before) < 19):
        raise HTTPException(422, "This page of the list cannot be found. Start with the newest.")
    chosen = live(session, connection) if connection else None
    found, end = rejections.open_page(
        session, chosen.id if chosen else None, int(before) if before else None, LIMIT, data_sets=who.event_scope
    )
    return page(
        request,
        "rejections.html",
        who,
        found=found,
        titles={name: dataset.title for name, dataset in DATASETS.items()},
        known=connections.every(session),
        chosen=chosen,
        first=not before,
        older=urlencode({"connection": connection, "before": end}) if end else None,
        read=_readable,
    )


def _readable(record: dict[str, Any] | None) -> str:
    """The values that are not empty, one on each line."""
    given = {name: value for name, value in (record or {}).items() if value is not None}
    return msgspec.json.format(msgspec.json.encode(given)).decode()
