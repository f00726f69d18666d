"""What seals are of is what it was: a seal that an earlier version made holds on."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from xero.documents.registry import KINDS
from xero.qicworks.connect.seals import _digest
from xero.qicworks.push.links import Link, Links
from xero.qicworks.push.outbox import Outbox
from xero.qicworks.push.owned_earnings_lines import OwnedLines

CONNECTION: Any = SimpleNamespace(id=UUID(int=1), tenant_id="t", organisation_id=UUID(int=2))
NONE: Any = None  # no session and no keys: nothing is read, and nothing sealed

LINKS = Links(CONNECTION, None)
REQUEST = {
    "purpose": "push",
    "documents": [UUID(int=3)],
    "versions": [5],
    "identities": [{"InvoiceNumber": "B-1", "Totals": ["1.10"]}],
    "idempotency_key": "k",
    "method": "PUT",
    "path": "/p",
    "query": {"unitdp": "4"},
    "body": "{}",
}
LINE = {
    "earnings_rate_xero_id": UUID(int=6),
    "pay_period_id": UUID(int=7),
    "rates": [Decimal("31.5000")],
    "empty": False,
    "before": {"CalculationType": "X"},
    "disclaimed": False,
    "written": 8,
}


@pytest.mark.parametrize(
    ("facts", "digest"),
    [
        (
            LINKS._facts("bill", UUID(int=3), Link(UUID(int=4), 5)),
            "3fb5d611429e483d2b2430c479f8c114a93148cd2ec620226a12b8e0fcec405d",
        ),
        (
            LINKS._facts("payroll_push", UUID(int=3), Link(None, 5)),
            "9729fb673468e25e6f872eeaeb17c8e0ee28561e1268a9b5e43c90f8eb1c6ced",
        ),
        (
            Outbox(NONE, CONNECTION, KINDS["bills"])._facts(REQUEST),
            "1e772166cc1b29cda6a5265bec942a596f9a0b6cc5a3e71ae3af9f1f58d8a8d5",
        ),
        (
            Outbox(NONE, CONNECTION, KINDS["bills"])._facts(REQUEST | {"purpose": "cancel"}),
            "bc2d7c25bbeddbe457c5b92ee1afc2b51d2ff36dbb009c3f990aff3b44bbf37f",
        ),
        (
            OwnedLines(NONE, CONNECTION, NONE)._facts(UUID(int=9), [LINE]),
            "f689ebc829594eefa9cc598b2daa24571caf20a8b91243f1cabdcb3dbf82e13c",
        ),
    ],
    ids=["a link", "a link of pay", "a request", "a request that cancels", "lines of a pay template"],
)
def test_the_facts_of_a_seal_are_what_they_were(facts: dict[str, Any], digest: str) -> None:
    assert _digest(facts).hex() == digest
