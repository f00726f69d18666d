"""Settings that no longer fit what was pulled: a difference each, until they fit again or another is chosen."""

from collections.abc import Sequence
from uuid import UUID

from xero.datasets.declaration import Dataset
from xero.qicworks.connect import settings
from xero.qicworks.connect.offers import Offers, Thing
from xero.qicworks.database import Session
from xero.qicworks.follow import differences
from xero.qicworks.follow.differences import About, Changes, Found, Reason
from xero.sync.follow import reporting
from xero.sync.runs.run import Run

LABEL = "Settings"


def is_of_settings(dataset: Dataset) -> bool:
    """Whether settings can point at its records."""
    return dataset.name in {thing.data_set for thing in Thing}


def follow_settings(it: Run) -> Sequence[str]:
    """After a load: compares all settings of the organisation; returns a remark if one no longer fits."""
    changed = compare_settings(it.session, it.connection.id)
    for about, changes in changed:
        reporting.report(it, about, changes)
    return reporting.remark([changes for _, changes in changed])


def compare_settings(session: Session, connection_id: UUID) -> list[tuple[About, Changes]]:
    """Opens and settles the differences of all settings; those about one data set together."""
    problems = settings.misfits(settings.read(session, connection_id), Offers(session, connection_id))
    changed = []
    with session.transaction():
        for thing in Thing:
            about = About(connection_id, thing.data_set, None, LABEL)
            found = [
                Found(
                    Reason.SETTING_UNFIT,
                    {one.setting.title: one.shown},
                    {one.setting.title: one.misfit.value},
                    subject=one.setting.name,
                )
                for one in problems
                if one.setting.thing is thing
            ]
            changed.append((about, differences.compare(session, about, found, (Reason.SETTING_UNFIT,))))
    return changed
