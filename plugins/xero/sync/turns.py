"""Whose turn it is: which connections take part in a run, and why the others do not."""

import logging
from datetime import UTC, datetime

from sqlalchemy import Engine

from xero.datasets.declaration import Dataset, Timing
from xero.qicworks import connections, database
from xero.qicworks.connections import Connection
from xero.sync import due

log = logging.getLogger(__name__)


def who(
    engine: Engine,
    dataset: Dataset | None,
    connection: str | None = None,
    *,
    scheduled: bool = False,
    now: datetime | None = None,
) -> tuple[list[dict[str, str]], list[str]]:
    """Whose turn it is: `[{"connection_id", "organisation"}]`, and who is left out and why.

    `connection` names one organisation, or its id. Named, it is tried even if it needed to be connected again.
    A `scheduled` run of a data set takes only those that are due at `now`, and no other run takes them then.
    LookupError if there is none of that name.
    """
    taken: list[dict[str, str]] = []
    left_out: list[str] = []
    with database.session(engine) as session:
        known = connections.every(session, deleted=True)
        if connection:
            known = _named(connection, [one for one in known if one.state != "deleted"])
        for one in known:
            reason = one.left_out
            if connection and one.enabled:
                reason = None
            if reason is None and scheduled and dataset and dataset.timing is not Timing.ANY:
                turn = due.take(session, one, dataset.name, dataset.timing, now or datetime.now(UTC))
                if not turn.due and not turn.unsettled:
                    log.info("%s: %s", one.organisation, turn.reason)
                    continue
                reason = None if turn.due else turn.reason
            if reason:
                left_out.append(f"{one.organisation}: {reason}")
            else:
                taken.append({"connection_id": str(one.id), "organisation": one.organisation})
    return taken, left_out


def _named(wanted: str, known: list[Connection]) -> list[Connection]:
    """The one of that QicWorks name, else of that id or Xero name; LookupError if it is not exactly one."""
    wanted = wanted.strip()
    for name in (
        lambda one: one.organisation,
        lambda one: one.organisation.casefold(),
        lambda one: str(one.id),
        lambda one: one.tenant_id.casefold(),
        lambda one: one.tenant_name.casefold(),
    ):
        found = [one for one in known if name(one) in (wanted, wanted.casefold())]
        if len(found) == 1:
            return found
        if found:
            names = ", ".join(f"'{one.organisation}'" for one in found)
            raise LookupError(f"'{wanted}' may be {names}; say which by the name QicWorks has for it")
    raise LookupError(f"no connection is called '{wanted}'; `python -m xero connections` lists them")
