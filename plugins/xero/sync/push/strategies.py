"""How documents of each kind travel."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, cast
from uuid import UUID

from xero.documents.declaration import Delivery, Kind
from xero.qicworks.push.outbox import Request
from xero.sync.push.batch import Batch
from xero.sync.push.dry_run import Preview
from xero.sync.push.outages import Patience
from xero.sync.push.payroll.leave import Leave
from xero.sync.push.payroll.pay_templates import PayTemplates

__all__ = ["Delivering", "Preview", "delivery"]


class Delivering(Protocol):
    """Pushes the documents of one kind in one interaction."""

    patience: Patience

    def recover(self, request: Request) -> None:
        """Settles what an earlier run left open; RetryLater when it is too early to tell."""

    def step(self, wanted: Sequence[UUID] | None, done: dict[UUID, int]) -> bool:
        """Pushes some; False when nothing is ready. `done` counts how often each was taken up in this run."""

    def preview(self, wanted: Sequence[UUID] | None) -> Iterator[Preview]:
        """What would be refused and sent. Writes nothing."""


_DELIVERIES: dict[Delivery, Callable[..., Any]] = {
    Delivery.BATCH: Batch,
    Delivery.PAY_TEMPLATE: PayTemplates,
    Delivery.LEAVE: Leave,
}


def delivery(kind: Kind) -> Callable[..., Delivering]:
    return cast("Callable[..., Delivering]", _DELIVERIES[kind.delivery])
