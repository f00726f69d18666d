"""Records that were read for the first time, and QicWorks' own rows that they may be. For tables that are `linked`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from xero.datasets.declaration import Table
from xero.qicworks import sql
from xero.qicworks.pull.merge import Loading

Row = dict[str, Any]


class Newcomers:
    """The statements of one load: `newcomers_`, `held_`, `hold_` and `link_<table>` of the table's own file."""

    def __init__(self, loading: Loading, table: Table) -> None:
        self.loading = loading
        self.queries = sql.load(f"pull/{table.statements}")
        self.name = table.name

    def read(self) -> list[Row]:
        """Those that are not held yet: id, first_name, last_name, emails, start_date, is_active, is_bad."""
        return list(self._run("newcomers"))

    def held(self) -> list[Row]:
        """QicWorks' rows: the same, and xero_id and match_state."""
        return list(self._run("held"))

    def hold(self, ids: Sequence[UUID], problem: str) -> None:
        """Does not load these: a user decides about them."""
        if ids:
            self._run("hold", ids=list(ids), problem=problem)

    def link(self, own_ids: Sequence[UUID], xero_ids: Sequence[UUID], who: str | None) -> None:
        """Makes QicWorks' rows these records. `who`: the user; None: it is certain."""
        if own_ids:
            self._run("link", own_ids=list(own_ids), xero_ids=list(xero_ids), who=who)

    def _run(self, statement: str, **parameters: Any) -> Any:
        return getattr(self.queries, f"{statement}_{self.name}")(
            self.loading.session, **self.loading.parameters, **parameters
        )
