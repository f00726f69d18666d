"""As many organisations as one asks for."""

from xero_sandbox.collection import Row
from xero_sandbox.data.organisations import organisations
from xero_sandbox.making import make_world, pristine
from xero_sandbox.world import Client, World


def test_the_profile_has_as_many_as_asked_for_each_its_own() -> None:
    found = organisations(1, "many", many=12)
    assert len({one.tenant_id for one in found}) == len({one.name for one in found}) == 12
    assert all(one.custom and one.payroll and len(one.collections["Contacts"].rows) == 20 for one in found)
    zones = {one.record["Timezone"] for one in found}
    assert len(zones) == 5, "their nights do not begin at the same hour"


def test_a_reset_copies_what_was_made_before() -> None:
    """Tests reset it thousands of times, and making it takes ten times as long."""
    made, again = (_contacts(make_world(Client(), profile="small", many=200)) for _ in range(2))  # as the server does
    before = pristine.cache_info().hits
    assert made.keys() == again.keys() == _contacts(make_world(Client(), profile="small", many=200)).keys()
    assert pristine.cache_info().hits == before + 1
    assert not {id(row) for row in made.values()} & {id(row) for row in again.values()}


def _contacts(world: World) -> dict[str, Row]:
    return next(iter(world.organisations.values())).collections["Contacts"].rows
