"""PayItems: one object of four arrays, each a separate collection."""

from __future__ import annotations

from xero_sandbox.collection import Kind
from xero_sandbox.data import pay_items as made_up
from xero_sandbox.data.firms import Collections
from xero_sandbox.endpoints import unknown
from xero_sandbox.endpoints.calling import Call, framed
from xero_sandbox.endpoints.listing import select
from xero_sandbox.endpoints.payroll import hundred, payroll_get
from xero_sandbox.wire import Reply

COLLECTIONS: Collections = (
    (Kind("EarningsRates", "EarningsRateID", "CurrentRecord"), made_up.earnings_rates),
    (Kind("DeductionTypes", "DeductionTypeID", "CurrentRecord"), made_up.deduction_types),
    (Kind("ReimbursementTypes", "ReimbursementTypeID", "CurrentRecord"), made_up.reimbursement_types),
    (Kind("LeaveTypes", "LeaveTypeID", "CurrentRecord"), made_up.leave_types),
)


def pay_items(call: Call) -> Reply:
    """Inactive ones too. How `page` applies to four arrays is not known: see the switch payitems_paging."""
    collections = [call.organisation.collections[kind.plural] for kind, _ in COLLECTIONS]
    paging = call.world.settings.payitems_paging
    rows = [(collection, row) for collection in collections for row in select(call, collection)]
    page = hundred(call, rows) if paging == "all" else rows
    arrays = []
    for collection in collections:
        bodies = [row.body for owner, row in page if owner is collection]
        if paging == "each":
            bodies = list(hundred(call, bodies))
        if call.world.settings.unknown_fields:
            bodies = [unknown.add(collection.kind, body) for body in bodies]
        arrays.append(b'"%b":[%b]' % (collection.kind.plural.encode(), b",".join(bodies)))
    reply = framed(call, "PayItems", b"{%b}" % b",".join(arrays))
    for collection in collections:
        call.world.drift(call.organisation.tenant_id, collection)
    return reply


ENDPOINTS = (payroll_get("/PayItems", pay_items, "payroll.settings"),)
