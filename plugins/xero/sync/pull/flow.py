"""Pulls one data set of one organisation: extract, validate, load, under a lease, with one connection event."""

import logging
from collections.abc import Callable, Sequence
from typing import NoReturn
from uuid import UUID

from sqlalchemy import Engine

from xero.api.errors import OutOfBounds, XeroError
from xero.datasets.declaration import Dataset
from xero.qicworks.connect import settings
from xero.qicworks.runs import events
from xero.qicworks.runs.events import Origin
from xero.qicworks.runs.outcome import Direction, EventOutcome, Status
from xero.sync.connect.clients import OpenClient
from xero.sync.pull.extract import Extract
from xero.sync.pull.load import Load
from xero.sync.pull.records import Progress
from xero.sync.runs import schedule
from xero.sync.runs.event_line import group, received
from xero.sync.runs.outcome import Outcome, PullFailed, Skip
from xero.sync.runs.run import Run, run

__all__ = ["OpenClient", "Origin", "Outcome", "PullFailed", "Skip", "pull"]

log = logging.getLogger(__name__)

#: What else belongs to a load, in its transaction; returns remarks for its event.
Also = Callable[[Run], Sequence[str]]


def nothing_else(it: Run) -> Sequence[str]:
    return ()


def pull(
    dataset: Dataset,
    connection_id: UUID | str,
    *,
    engine: Engine,
    open_client: OpenClient,
    origin: Origin,
    full: bool = False,
    force: bool = False,
    resume: bool = True,
    progress: Progress = lambda records: None,
    also: Also = nothing_else,
) -> Outcome:
    """Pulls, and records how it ended in the connection event.

    Args:
        full: A full refresh, also of what is read by id.
        force: Load however many rows are bad or missing.
        resume: Continue a reading that a killed run began within the last hour. False: read all of it now.
        progress: Called with the number of records of each page.
        also: What else is done in the transaction that loads.

    Raises:
        Skip: Another run is pulling it, or Xero's limit opens much later.
        PullFailed: Too many rows are bad or missing; nothing was loaded.
        XeroError: Xero could not be asked.
    """
    return run(
        engine,
        connection_id,
        Direction.PULL,
        dataset.name,
        origin,
        open_client,
        lambda it: _work(it, dataset, full, force, resume, progress, also),
        again="Pull again",
        payroll=dataset.payroll,
        unavailable=lambda it, error: _unavailable(it, dataset, error),
    )


def _work(it: Run, dataset: Dataset, full: bool, force: bool, resume: bool, progress: Progress, also: Also) -> Outcome:
    if not settings.read(it.session, it.connection.id).pulls(dataset):
        _skip_for_settings(it, dataset)
    with group(f"extract: {dataset.title} of {it.connection.organisation}"):
        it.keep_organisation_fresh()
        read = 0

        def read_more(records: int) -> None:
            nonlocal read
            read += records
            it.show(read)
            progress(records)

        extract = Extract(it.session, it.client, dataset, it.connection, full=full, progress=read_more, resume=resume)
        try:
            extract.run()
        except OutOfBounds:
            extract.drop()  # a later pull must not resume from it
            raise
        it.count_calls()
        log.info("%d calls, %s", it.counts.calls, received(it.counts))
    load = Load(it.session, dataset, it.connection, extract, it.event_id, it.counts, it.correlation_id)
    with group("validate"):
        load.validate(force)
    with group("load"):
        outcome = load.load(lambda: also(it))
    it.log_event(outcome.status, outcome.message, correlation_id=it.correlation_id)
    return outcome


def _skip_for_settings(it: Run, dataset: Dataset) -> NoReturn:
    """What was due is served: it is not tried again before the next time."""
    with it.session.transaction():
        began = events.started_at(it.session, it.event_id)
        schedule.serve(it.session, it.connection, dataset.name, dataset.timing, began)
    message = f"{dataset.title} are switched off in the settings of {it.connection.organisation}."
    raise Skip(message, EventOutcome.SWITCHED_OFF)


def _unavailable(it: Run, dataset: Dataset, error: XeroError) -> Outcome:
    """The organisation has no such data, payroll for instance: a warning each time, not a failure."""
    with it.session.transaction():
        began = events.started_at(it.session, it.event_id)
        schedule.serve(it.session, it.connection, dataset.name, dataset.timing, began)
        message = f"data set not available: {error.message}"
        return it.close(Status.WARNING, EventOutcome.NOT_AVAILABLE, message, error.correction, because=error)
