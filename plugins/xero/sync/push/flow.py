"""Runs a push: resolves open requests, then pushes the ready documents of one kind and organisation."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from xero.documents.declaration import Delivery, Kind, PricedKind
from xero.documents.registry import KINDS
from xero.qicworks import database
from xero.qicworks.connect import connections
from xero.qicworks.connect.seals import Seals
from xero.qicworks.push import lacking_currencies, lacking_departments
from xero.qicworks.push.contacts import new_of_documents, waiting_for_contacts
from xero.qicworks.push.outbox import Outbox, Purpose, PushState, Result
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.connect.clients import OpenClient
from xero.sync.push.attachments import Attachments
from xero.sync.push.batch import Batch
from xero.sync.push.cancelling.cancellations import Cancellations
from xero.sync.push.cancelling.removed_files import RemovedFiles
from xero.sync.push.contacts.along import take_contacts_along
from xero.sync.push.contacts.strategy import Contacts
from xero.sync.push.content.defaults import WHAT_TO_DO, UnfitDefaults
from xero.sync.push.deadlines import QUIET_SECONDS
from xero.sync.push.payroll.leave import Leave
from xero.sync.push.payroll.pay_templates import PayTemplates
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.strategies import Preview, PushStrategy
from xero.sync.push.verdicts import Settled, check_in_xero
from xero.sync.runs.event_line import group, received
from xero.sync.runs.outcome import Outcome
from xero.sync.runs.run import Run, run

log = logging.getLogger(__name__)

STRATEGIES: dict[Delivery, Callable[..., PushStrategy]] = {
    Delivery.BATCH: Batch,
    Delivery.CONTACTS: Contacts,
    Delivery.PAY_TEMPLATE: PayTemplates,
    Delivery.LEAVE: Leave,
}

MAX_TIMES_TAKEN = 2  # by one run, of one document
CONTACTS_FIRST = "No action needed: the next run pushes them. If this continues, see the events of New contacts."
HELD = (
    "No action needed: the next run pushes them. If this continues, find the session that keeps its transaction open."
)


def push(
    kind: Kind,
    connection_id: UUID | str,
    *,
    engine: Engine,
    open_client: OpenClient,
    origin: Origin,
    documents: Sequence[str] | None = None,
    retry_failed: bool = False,
    retry_named: bool = True,
    quiet: float = QUIET_SECONDS,
) -> Outcome:
    """Pushes the ready documents of one connection; the outcome is recorded in the connection event in every case.

    Args:
        documents: Only these, by id or number. None for all that are ready.
        retry_failed: Also all that failed.
        retry_named: A failed one of `documents` is retried.
        quiet: Seconds for which a request without a usable response is left alone before Xero is searched for it.

    Raises:
        Skip: The connection cannot be pushed now.
        XeroError: Not all was done.
    """
    how: dict[str, Any] = {"engine": engine, "open_client": open_client, "origin": origin, "quiet": quiet}
    left = take_contacts_along(
        engine,
        kind,
        connection_id,
        documents,
        lambda contacts, ids, again: push(contacts, connection_id, documents=ids, retry_named=again, **how),
        failed_too=retry_failed,
    )
    again = retry_failed or (documents is not None and retry_named)
    return run(
        engine,
        connection_id,
        Direction.PUSH,
        kind.name,
        origin,
        open_client,
        lambda it: _work(it, kind, documents, again, quiet, left),
        again="Push again",
        payroll=kind.payroll,
    )


def _work(
    it: Run, kind: Kind, names: Sequence[str] | None, retry_failed: bool, quiet: float, contacts_left: str | None
) -> Outcome:
    it.keep_organisation_fresh()
    outbox = Outbox(it.session, it.connection, kind, seals=Seals(it.client.app))
    recorder = ResultRecorder(it, outbox)
    strategy = STRATEGIES[kind.delivery](it, kind, outbox, recorder, quiet)
    cancellations = Cancellations(it, kind, outbox, recorder, strategy.breaker, quiet)
    wanted = None if names is None else outbox.named(names)
    with group(f"recover: {kind.title} of {it.connection.organisation}"):
        if moved := outbox.reset_future_times():
            log.warning("the database's clock was put back: %d open requests wait another minute", moved)
        for request in outbox.open_requests():
            strategy.breaker.attempt("what an earlier run left", partial(strategy.recover, request), known=True)
        cancellations.recover()
        if retry_failed:  # before what this run itself finds to be lost
            log.info("%d failed documents and files are ready again", outbox.retry_failed(wanted))
        if released := lacking_currencies.release(it.session, it.connection, kind, wanted):
            log.info("%d documents are ready again: their currency is in Xero now", released)
        if isinstance(kind, PricedKind) and (
            released := lacking_departments.release(it.session, it.connection, kind, wanted)
        ):
            log.info("%d documents are ready again: their departments are in Xero now", released)
        lost = check_in_xero("it was being sent, but no record of the request exists")
        if kind.delivery is Delivery.CONTACTS:  # looked for by our number before it is sent again
            lost = Result(None)
        recorder.record(
            [Settled(id, version, kind.called(number, id), lost) for id, version, number in outbox.orphaned()],
            held=(PushState.IN_FLIGHT,),
        )
    # Outside of any group of the log, so a failed document is visible.
    cancellations.run(wanted)
    taken: dict[UUID, int] = {}
    held_back: set[UUID] = set()
    unfit, without_default = UnfitDefaults(it, kind, outbox), set[UUID]()
    while True:
        held_back.update(_held(it, kind, wanted))
        without_default.update(unfit.waiting(wanted))
        taken |= dict.fromkeys(held_back | without_default, MAX_TIMES_TAKEN)
        if not strategy.step(wanted, taken):
            break
        log.info("so far %d pushed, %d failed", it.counts.pushed, it.counts.failed)
        it.check_still_on()
    cancellations.run(wanted)  # what was cancelled while it was being pushed
    if isinstance(kind, PricedKind):
        Attachments(it, kind, outbox, recorder).run(wanted)
        RemovedFiles(it, kind, outbox, recorder, strategy.breaker, quiet).run(wanted)
    strategy.breaker.finish()
    it.count_calls()
    if it.counts.calls:  # Xero has responded, so it is connected
        connections.works_again(it.session, it.connection.id)
    log.info("%d calls, %s", it.counts.calls, received(it.counts))
    return _close(it, kind, recorder, Left(len(held_back), contacts_left, len(without_default - held_back)))


def _held(it: Run, kind: Kind, wanted: Sequence[UUID] | None) -> list[UUID]:
    """Documents whose new contact is still on its way to Xero: a later run pushes them."""
    if not isinstance(kind, PricedKind):
        return []
    return waiting_for_contacts(it.session, it.connection, kind, wanted)


@dataclass(frozen=True)
class Left:
    """Documents that stay as they are."""

    without_contact: int
    contacts: str | None  # what to do about these contacts; None: the next run sees to them
    without_default: int


def _close(it: Run, kind: Kind, recorder: ResultRecorder, waiting: Left) -> Outcome:
    parts = [f"{it.counts.pushed} pushed"]
    parts += [f"{it.counts.failed} failed"] if it.counts.failed else []
    parts += [f"{recorder.warnings} with a warning"] if recorder.warnings else []
    parts += [f"{recorder.taken_back} cancelled in Xero"] if recorder.taken_back else []
    parts += [f"{recorder.left_in_xero} cancelled, but still in Xero"] if recorder.left_in_xero else []
    parts += [f"{recorder.attached} attachments"] if recorder.attached else []
    parts += [f"{recorder.unattached} attachments failed"] if recorder.unattached else []
    if recorder.defaulted:
        parts.append(f"{recorder.defaulted} lines with an account, tax code or department from the settings")
    if held := recorder.outbox.held_by_others():
        parts.append(f"{held} left because another session has locked them in the database")
    if waiting.without_contact:
        parts.append(f"{waiting.without_contact} left until their new contact is in Xero")
    if waiting.without_default:
        parts.append(f"{waiting.without_default} left, because a setting that they need no longer fits")
    wrong = it.counts.failed or recorder.unattached
    left = held or waiting.without_contact or waiting.without_default
    remarks = recorder.warnings + recorder.left_in_xero
    status = Status.WARNING if wrong or remarks or left else Status.SUCCESS
    outcome = EventOutcome.DONE_WITH_REMARKS if remarks else EventOutcome.DONE
    if wrong or left:
        outcome = EventOutcome.PARTLY_DONE
    correction = "Open Documents › Failed for the reason and the fix of each."
    wait = WHAT_TO_DO if waiting.without_default else HELD if held else None
    wait = wait or ((waiting.contacts or CONTACTS_FIRST) if waiting.without_contact else None)
    result = it.close(status, outcome, ", ".join(parts), correction if wrong else wait)
    if remarks and not (wrong or left):
        events.succeeded(it.session, it.event_id)
    return result


def preview(
    kind: Kind,
    connection_id: UUID | str,
    *,
    engine: Engine,
    open_client: OpenClient,
    documents: Sequence[str] | None = None,
    retry_failed: bool = False,
) -> Iterator[Preview]:
    """What `push` would refuse and send, request by request. Writes nothing: no event, no state, no request.

    Reads from Xero if the payload depends on what is there: changed drafts, pay templates.
    """
    with database.session(engine) as session:
        connection = connections.one(session, UUID(str(connection_id)))
        it = Run(session, connection, Direction.PUSH, kind.name, Origin(), event_id=0)
        it.open_client(open_client)
        outbox = Outbox(session, connection, kind, failed_too=retry_failed, seals=Seals(it.client.app))
        wanted = None if documents is None else outbox.named(documents)
        for left in [*outbox.open_requests(), *outbox.open_requests(Purpose.CANCEL)]:
            log.warning("an earlier run left a request of %d documents open; a push settles it", len(left.documents))
        recorder = ResultRecorder(it, outbox)
        strategy = STRATEGIES[kind.delivery](it, kind, outbox, recorder)
        yield from Cancellations(it, kind, outbox, recorder, strategy.breaker).preview(wanted)
        held: set[str] = set()
        if waiting := _held(it, kind, wanted):  # pushed after their contacts
            held = {kind.called(one.number, one.id) for one in outbox.read_priced(waiting)}
            ids = new_of_documents(session, connection, kind, wanted, failed_too=retry_failed)
            [contacts] = [one for one in KINDS.values() if one.delivery is Delivery.CONTACTS]
            how: dict[str, Any] = {"engine": engine, "open_client": open_client}
            yield from preview(contacts, connection_id, documents=[str(id) for id in ids], **how)
            log.info("%d documents are pushed after their new contacts", len(held))
        for one in strategy.preview(wanted):
            refused = tuple(each for each in one.refused if each[0] not in held)
            if one.body is not None or refused or one.defaults or one.linked:
                yield replace(one, refused=refused)
