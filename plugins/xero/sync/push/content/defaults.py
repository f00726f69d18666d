"""Documents that wait because a setting that their lines need no longer fits: a default, the tracking category."""

from collections.abc import Sequence
from uuid import UUID

from xero.documents.declaration import Kind, PricedKind
from xero.qicworks.connect import settings
from xero.qicworks.connect.offers import Offers, Thing
from xero.qicworks.push.outbox import Outbox
from xero.sync.runs.run import Run

WHAT_TO_DO = (
    "Choose another one under Xero › Connections › Settings. Or restore the account, tax code or tracking category in "
    "Xero and pull it. The next push then sends them by itself."
)


class UnfitDefaults:
    """The sides of a kind whose default account or tax code was archived, for instance, since it was chosen; and
    whether the tracking category of departments was."""

    def __init__(self, it: Run, kind: Kind, outbox: Outbox) -> None:
        self._outbox = outbox
        self._without: dict[Thing, list[str]] = {Thing.ACCOUNT: [], Thing.TAX_CODE: []}
        self._without_category = False
        if not isinstance(kind, PricedKind):
            return
        chosen = settings.read(it.session, it.connection.id)
        if chosen.departments or any(chosen.defaults(kind).values()):
            for problem in settings.misfits(chosen, Offers(it.session, it.connection.id)):
                if problem.setting.thing is Thing.CATEGORY:
                    self._without_category = True
                elif problem.setting.kind is kind and problem.setting.thing:
                    self._without[problem.setting.thing].append(problem.setting.side or "")

    def waiting(self, wanted: Sequence[UUID] | None) -> list[UUID]:
        """Ready documents that need one of them."""
        account, tax_code = self._without[Thing.ACCOUNT], self._without[Thing.TAX_CODE]
        if not (account or tax_code or self._without_category):
            return []
        return self._outbox.needing_defaults(wanted, account, tax_code, by_department=self._without_category)
