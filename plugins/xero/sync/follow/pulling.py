"""A pull, and after its load the comparison with what follows it: documents or settings. One transaction, one event."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from xero.datasets.declaration import Dataset, Follows
from xero.datasets.registry import DATASETS
from xero.sync.follow.contacts.linked import follow_contacts
from xero.sync.follow.contacts.own import follow as follow_own_contacts
from xero.sync.follow.leave import follow as follow_leave
from xero.sync.follow.payments import follow_payments
from xero.sync.follow.priced import follow_priced
from xero.sync.follow.unfit_settings import follow_settings, is_of_settings
from xero.sync.pull.flow import Also, nothing_else
from xero.sync.pull.flow import pull as pull_alone
from xero.sync.runs.outcome import Outcome
from xero.sync.runs.run import Run


def _priced(it: Run) -> Sequence[str]:
    return (*follow_priced(it), *follow_payments(it))


def _contacts(it: Run) -> Sequence[str]:
    return (*follow_own_contacts(it), *follow_contacts(it))


#: What is compared after a load.
FOLLOWERS: Mapping[Follows, Also] = {
    Follows.LEAVE: follow_leave,
    Follows.PRICED: _priced,
    Follows.CONTACTS: _contacts,
}


def followers() -> list[Also]:
    """What is compared after the loads of all data sets, each once."""
    found = (FOLLOWERS[dataset.follows] for dataset in DATASETS.values() if dataset.follows)
    return list(dict.fromkeys(found))


def pull(dataset: Dataset, connection_id: UUID | str, **how: Any) -> Outcome:
    """Pulls, as `xero.sync.pull.flow.pull` does, and follows the documents, contacts or settings that it is about."""
    found = [FOLLOWERS[dataset.follows]] if dataset.follows else []
    found += [follow_settings] if is_of_settings(dataset) else []
    assert len(found) <= 1, "a data set is followed by one thing"
    [also] = found or [nothing_else]
    return pull_alone(dataset, connection_id, also=also, **how)
