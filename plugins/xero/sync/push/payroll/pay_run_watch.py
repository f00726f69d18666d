"""Watches for pay runs that are made while pay is being pushed: they may not include it."""

from collections.abc import Iterator

from xero.api.errors import XeroError
from xero.documents.declaration import CheckResult, Kind
from xero.documents.payroll import PayDocument
from xero.qicworks.push.outbox import PushState
from xero.sync.push.payroll import pay_runs
from xero.sync.push.payroll.pay_runs import PayRuns
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import Settled, label
from xero.sync.runs.run import Run

FRESH_SECONDS = 60.0  # for which the list of pay runs is recent enough to write to a pay template


class PayRunWatch:
    """The pay that this run has written since it last read the pay runs, and what is wrong with it since then."""

    def __init__(self, it: Run, kind: Kind, runs: PayRuns, recorder: ResultRecorder) -> None:
        self._it = it
        self._kind = kind
        self._runs = runs
        self._recorder = recorder
        self._written: list[PayDocument] = []

    def add(self, document: PayDocument) -> None:
        """Its pay was just written."""
        self._written.append(document)

    def too_late(self, document: PayDocument) -> Iterator[CheckResult]:
        """Whether a pay run was made since the checks; reads the pay runs again if that was a while ago."""
        if self._runs.age >= FRESH_SECONDS:
            self._read_again()
            yield from pay_runs.made_too_late(self._runs, document)

    def _read_again(self) -> None:
        """A pay run that is new since the last reading may have been made before the pay was written, or after."""
        self._runs.read()
        written, self._written = self._written, []
        for document in written:
            start = document.row.period_start
            if self._runs.of(document.row.period_calendar, start):
                self._it.counts.pushed -= 1
                result = pay_runs.crossed(
                    f"the pay run of the period from {start} was created while pay was being pushed"
                )
                settled = Settled(document.id, document.version, label(self._kind, document), result)
                self._recorder.record([settled], held=(PushState.PUSHED,))

    def read_last(self) -> None:
        """Reads the pay runs once more at the end of a run, if it has written pay since the last reading."""
        if not self._written:
            return
        try:
            self._read_again()
        except XeroError as error:
            self._recorder.warn(
                f"could not check whether a pay run was created during the push: {error.message}",
                "Check Xero for a pay run created during the push. If it is a draft, delete it and create it again.",
            )
