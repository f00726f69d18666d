"""Two systems with the same people and firms, written by different hands: 98% are recognised, and none wrongly."""

import pytest

from tests.support import untidy
from xero.sync.follow.contacts.own import pairs as contact_pairs
from xero.sync.pull.people import pairs


def test_staff() -> None:
    """Of forty organisations."""
    linked = people = 0
    for seed in range(40):
        data = untidy.staff(seed)
        found = pairs(data.members, data.employees)
        wrong = {employee: member for employee, member in found.certain.items() if data.truth.get(employee) != member}
        assert wrong == {}
        assert len(data.members) == 78
        missed = {member for employee, member in data.truth.items() if employee not in found.certain}
        assert missed <= {one.member for one in found.perhaps}, "the rest is on the page"
        linked += len(found.certain)
        people += len(data.members)
    assert 0.98 * people <= linked < people, "some are left to ask about"


@pytest.mark.parametrize("seed", range(3))
def test_contacts(seed: int) -> None:
    data = untidy.firms(seed)
    found = contact_pairs(data.wanted, data.known, set(), frozenset())
    wrong = {own: xero_id for own, xero_id in found.certain.items() if data.truth[own] != xero_id}
    assert wrong == {}
    assert len(data.wanted) == 4800
    assert len(found.certain) >= 0.98 * 4800
    missed = data.truth.keys() - found.certain.keys()
    offered = {(one.own_id, one.xero_id) for one in found.perhaps}
    assert {own for own in missed if (own, data.truth[own]) not in offered} == set()
    assert missed, "some are left to ask about"
