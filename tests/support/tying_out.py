"""The tie-out of an organisation, as a run calls it."""

from typing import Any

from tests.support.paying import Payroll
from tests.support.pushing import Books
from xero.composition import opener
from xero.qicworks.runs.events import Origin
from xero.sync.follow.tie_out import Period, TieOut, tie_out

OCTOBER = Period.parse("2026-10")  # of the documents that the books add


def tie(of: Books | Payroll, period: Period = OCTOBER, **how: Any) -> TieOut:
    return tie_out(
        of.world.connection_id(of.organisation),
        period,
        engine=of.world.engine,
        open_client=opener(of.world.engine, of.world.app, backoff=(0.02, 0.04)),
        origin=Origin(),
        **how,
    )
