"""`python -m xero push`."""

import argparse
import logging
import sys
from typing import Any
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Engine

from xero.cli.terminal import FORESEEN, app_of, complain, out, plain, say_failed
from xero.composition import opener
from xero.documents.declaration import Kind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import EventOutcome
from xero.sync.connect.clients import OpenClient
from xero.sync.push.flow import preview, push
from xero.sync.push.strategies import Preview
from xero.sync.runs import non_participants
from xero.sync.runs.event_line import received
from xero.sync.runs.participants import select_connections_to_push
from xero.sync.runs.requested import DONE, now, record, shown

log = logging.getLogger(__name__)

JSON = msgspec.json.Encoder(decimal_format="number")  # keeps numbers exactly as they are sent


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("kind", choices=[*KINDS, "all"], metavar="KIND", help=", ".join([*KINDS, "all"]))
    command.add_argument("--connection", metavar="NAME", help="only this QicWorks organisation")
    command.add_argument(
        "--document",
        dest="documents",
        metavar="ID_OR_NUMBER",
        action="extend",
        nargs="+",
        help="only these documents, including failed ones",
    )
    command.add_argument("--retry-failed", action="store_true", help="also push all failed documents again")
    command.add_argument("--dry-run", action="store_true", help="show what would be sent and refused, but send nothing")
    command.add_argument("--json", action="store_true", help="with --dry-run: one line of JSON per request")
    command.set_defaults(run=run_push, wrong=command.error)


def run_push(engine: Engine, options: argparse.Namespace) -> int:
    """Exit code 0 only if nothing failed or was refused, and no organisation needs reconnecting."""
    if options.json and not options.dry_run:
        options.wrong("--json needs --dry-run")
    if options.documents is not None and options.kind == "all":
        options.wrong("--document needs one KIND, not all")
    with database.session(engine) as session:
        if problem := non_participants.find_problem(connections.every(session), nobody=True):
            _, message, correction = problem
            complain(f"{message} {correction}")
            return 1
    open_client = opener(engine, app_of)
    failed = 0
    for kind in KINDS.values() if options.kind == "all" else [KINDS[options.kind]]:
        found = select_connections_to_push(
            engine, kind, options.connection, options.documents, retry_failed=options.retry_failed
        )
        for reason in found.left_out:
            complain(f"left out: {reason}")
        for reply in found.undone:
            complain(f"not done: {reply.says}. {reply.correction or ''}")
        if not options.dry_run:
            record(engine, kind, found.undone, Origin(), logged=False)
        if found == ([], [], []) and not options.json:
            out.print(f"{kind.title}: nothing is ready to be pushed")
        # An organisation that is switched off is skipped on purpose, unless it was asked for.
        failed += len(found.undone) + sum(reason.must_reconnect for reason in found.left_out)
        for one in found.taken:
            label = f"{kind.title}, {one['organisation']}"
            try:
                work = _show if options.dry_run else _push
                failed += work(kind, label, one, engine, open_client, options)
            except FORESEEN as error:
                failed += 1
                say_failed(label, error)
            except Exception as error:
                failed += 1
                log.debug("%s", label, exc_info=True)
                say_failed(label, error)
    return 1 if failed else 0


def _push(
    kind: Kind, label: str, one: dict[str, Any], engine: Engine, open_client: OpenClient, options: argparse.Namespace
) -> int:
    outcome = push(
        kind,
        one["connection_id"],
        engine=engine,
        open_client=open_client,
        origin=Origin(),
        documents=one["documents"],
        retry_failed=options.retry_failed,
    )
    counts = outcome.counts
    out.print(
        f"{label}: {outcome.status}: {outcome.message}; {counts.calls} calls, {received(counts)}"
        + ("; see `python -m xero events` for the reasons" if counts.failed else "")
    )
    if one["documents"] is None:
        return outcome.outcome is EventOutcome.PARTLY_DONE
    answers = now(engine, kind, one["connection_id"], one["documents"], one["pushed_before"])
    record(engine, kind, answers, Origin(), logged=False)
    for reply in answers:
        out.print(f"{label}: {reply.says}" + (f". {reply.correction}" if reply.answer not in DONE else ""))
    return sum(reply.answer not in DONE for reply in answers)


def _show(
    kind: Kind, label: str, one: dict[str, Any], engine: Engine, open_client: OpenClient, options: argparse.Namespace
) -> int:
    if one["documents"] is None:
        return _preview(kind, label, one, engine, open_client, options)[1]
    undone = 0
    for reply in now(engine, kind, one["connection_id"], one["documents"], one["pushed_before"], files=False):
        sent, refused = _preview(kind, label, one | {"documents": [reply.id]}, engine, open_client, options)
        found = shown(reply, sent=sent, refused=refused)
        undone += found.answer not in DONE
        if not (sent or refused):
            complain(f"{label}: {found.says}. {found.correction or ''}".rstrip())
    return undone


def _preview(
    kind: Kind, label: str, one: dict[str, Any], engine: Engine, open_client: OpenClient, options: argparse.Namespace
) -> tuple[int, int]:
    """Prints what would be sent and refused. Returns how many would be sent or linked, and refused."""
    refused = sent = linked = 0
    for request in preview(
        kind,
        one["connection_id"],
        engine=engine,
        open_client=open_client,
        documents=one["documents"],
        retry_failed=options.retry_failed,
    ):
        for document, why, correction in request.refused:
            complain(f"{label}: {document} would be refused: {why}. {correction}")
        refused += len(request.refused)
        linked += len(request.linked)
        for line in (*request.linked, *request.defaults):
            complain(f"{label}: {line}")
        if request.body is not None:
            sent += len(request.documents)
            print(plain(_line(request) if options.json else _readable(label, request)))
    if not options.json:
        out.print(f"{label}: nothing was sent; {sent} documents would be sent and {refused} refused")
    sys.stdout.flush()
    return sent + linked, refused


def _line(request: Preview) -> str:
    query = request.query or {}
    line = {"method": request.method, "path": request.path, "query": query, "body": request.body}
    return JSON.encode(line).decode()


def _readable(label: str, shown: Preview) -> str:
    query = f"?{urlencode(shown.query)}" if shown.query else ""
    body = msgspec.json.format(JSON.encode(shown.body)).decode()
    return f"{label}: {', '.join(shown.documents)}\n{shown.method} {shown.path}{query}\n{body}"
