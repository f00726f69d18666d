"""As many organisations as one asks for."""

from xero_sandbox.data.organisations import organisations


def test_the_profile_has_as_many_as_asked_for_each_its_own() -> None:
    found = organisations(1, "many", many=12)
    assert len({one.tenant_id for one in found}) == len({one.name for one in found}) == 12
    assert all(one.custom and one.payroll and len(one.collections["Contacts"].rows) == 20 for one in found)
    zones = {one.record["Timezone"] for one in found}
    assert len(zones) == 5, "their nights do not begin at the same hour"
