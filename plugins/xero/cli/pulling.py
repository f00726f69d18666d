"""`python -m xero pull` and `reconcile`."""

import argparse
import logging

from sqlalchemy import Engine

from xero.cli.terminal import FORESEEN, app_of, complain, out, plain, progress, say_failed, say_who
from xero.composition import opener
from xero.datasets.registry import DATASETS
from xero.qicworks.runs.events import LABELS, Origin, counts_of
from xero.qicworks.runs.outcome import Direction, EventOutcome
from xero.sync.follow.pulling import pull
from xero.sync.follow.reconcile import reconcile
from xero.sync.runs.event_line import received
from xero.sync.runs.participants import select_connections

log = logging.getLogger(__name__)


def run_pull(engine: Engine, options: argparse.Namespace) -> int:
    failed = 0
    # Data sets of a day come last: they reuse what the others have just fetched.
    every = sorted(DATASETS, key=lambda name: DATASETS[name].timing.of_a_day)
    names = every if options.data_set == "all" else [options.data_set]
    open_client = opener(engine, app_of)
    for name in names:
        dataset = DATASETS[name]
        taken, left_out = select_connections(engine, dataset, options.connection)
        say_who(taken, left_out)
        failed += (not taken) + any(reason.must_reconnect for reason in left_out)
        for one in taken:
            label = f"{dataset.title}, {one['organisation']}"
            with progress() as bar:
                task = bar.add_task(plain(label), total=None, rows=0)
                try:
                    outcome = pull(
                        dataset,
                        one["connection_id"],
                        engine=engine,
                        open_client=open_client,
                        origin=Origin(),
                        full=options.full,
                        force=options.force,
                        progress=lambda records, bar=bar, task=task: bar.update(
                            task, rows=bar.tasks[0].fields["rows"] + records
                        ),
                    )
                except FORESEEN as error:
                    failed += 1
                    say_failed(label, error)
                    continue
                except Exception as error:
                    failed += 1
                    log.debug("%s", label, exc_info=True)
                    say_failed(label, error)
                    continue
            # Not offered by Xero: expected of some of all organisations, but not what was asked for of one.
            failed += options.connection is not None and outcome.outcome is EventOutcome.NOT_AVAILABLE
            counts = outcome.counts
            rows = [name for name in counts_of(Direction.PULL) if name in LABELS and name != "calls"]
            numbers = ", ".join(f"{getattr(counts, name)} {name}" for name in rows)
            calls = f"{counts.calls} calls, {received(counts)}"
            out.print(f"{label}: {outcome.status}: {numbers}; {calls}; {outcome.message}")
    return 1 if failed else 0


def run_reconcile(engine: Engine, options: argparse.Namespace) -> int:
    """Exit code 0 only if there are no differences."""
    taken, left_out = select_connections(engine, None, options.connection)
    for reason in left_out:
        complain(f"left out: {reason}")
    differing = sum(reason.must_reconnect for reason in left_out)
    open_client = opener(engine, app_of)
    for one in taken:
        try:
            outcome = reconcile(one["connection_id"], engine=engine, open_client=open_client, origin=Origin())
        except FORESEEN as error:
            differing += 1
            say_failed(one["organisation"], error)
            continue
        except Exception as error:
            differing += 1
            log.debug("%s", one["organisation"], exc_info=True)
            say_failed(one["organisation"], error)
            continue
        differing += outcome.status != "success"
        out.print(f"{one['organisation']}: {outcome.message}; {outcome.counts.calls} calls")
    return 1 if differing or not taken else 0
