"""What all of Payroll AU has in common: its root, who is let in, and pages of a hundred of which nothing is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from xero_sandbox.endpoints.calling import Call, Endpoint
from xero_sandbox.endpoints.listing import number
from xero_sandbox.problems import no_payroll
from xero_sandbox.wire import Reply

ROOT = "/payroll.xro/1.0"
PAGE_SIZE = 100
T = TypeVar("T")


def payroll_get(path: str, handle: Callable[[Call], Reply], scope: str) -> Endpoint:
    """A GET below the root, open to the scope and its .read, refused without payroll or the payroll role."""

    def with_payroll(call: Call) -> Reply:
        if not (call.organisation.payroll and call.world.settings.payroll_role):
            raise no_payroll(call.world.settings.payroll_refusal)
        return handle(call)

    return Endpoint("GET", ROOT + path, with_payroll, (scope, f"{scope}.read"))


def hundred(call: Call, rows: Sequence[T]) -> Sequence[T]:
    """The page that is asked for, the first when none is."""
    first = (max(number(call, "page", 1), 1) - 1) * PAGE_SIZE
    return rows[first : first + PAGE_SIZE]
