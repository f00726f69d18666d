"""Follows contacts after a load: what QicWorks has otherwise than Xero since they were linked."""

from __future__ import annotations

from collections.abc import Sequence

from xero.qicworks.push.contacts import OwnContacts
from xero.sync.follow import reporting
from xero.sync.push.contacts import linking
from xero.sync.runs.run import Run


def follow_contacts(it: Run) -> Sequence[str]:
    """Compares those of one organisation, in the transaction that loads them. Returns remarks."""
    changed = linking.compare(OwnContacts(it.session, it.connection))
    for _, about, changes in changed:
        reporting.report(it, about, changes)
    return reporting.remark([changes for _, _, changes in changed])
