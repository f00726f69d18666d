"""Which records a cancellation takes back, by the way in which documents are sent."""

from collections.abc import Callable

from xero.documents.declaration import Delivery
from xero.sync.push.cancelled.standing import Records
from xero.sync.push.cancelling.drafts import Drafts
from xero.sync.push.cancelling.leave import LeaveRecords
from xero.sync.push.contacts.archiving import ContactRecords

#: What is sent otherwise (pay) is not taken back.
RECORDS: dict[Delivery, Callable[..., Records]] = {
    Delivery.BATCH: Drafts,
    Delivery.CONTACTS: ContactRecords,
    Delivery.LEAVE: LeaveRecords,
}
