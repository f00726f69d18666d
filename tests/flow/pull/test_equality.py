"""After a pull QicWorks holds what Xero holds, field by field. The comparison owes the code nothing."""

from tests.support.expected_accounting import EQUAL, Record, assert_equal
from tests.support.world import World

NAMES = sorted({name for name, *_ in EQUAL})


def test_what_lies_in_qicworks_equals_what_xero_holds(unconnected: World) -> None:
    world = unconnected
    world.sandbox.reset(profile="demo")
    assert world.connect() == 0
    world.calls()
    for organisation in range(len(world.names())):
        for name, *_ in EQUAL:
            world.pull(name, organisation)
        assert_equal(world, organisation)
    for table, status in [("contact", "ARCHIVED"), ("account", "ARCHIVED"), ("tax_code", "DELETED")]:
        found = world.query(f"SELECT is_active, status FROM qicworks.{table} WHERE status = %s", status)
        assert found, f"the sandbox holds no {status} {table}: this would prove nothing"
        assert not any(row["is_active"] for row in found)
    assert world.query("SELECT 1 FROM qicworks.contact WHERE merged_to_xero_id IS NOT NULL AND NOT is_active")
    assert world.query("SELECT 1 FROM qicworks.account WHERE code IS NULL")
    assert world.query("SELECT 1 FROM qicworks.contact WHERE name = %s", "Robert'); DROP TABLE contact;--")

    # Once more: nothing is written, and one call each is enough.
    world.calls()
    before = {table: world.rows(table) for _, _, table, _, _ in EQUAL}
    for organisation in range(len(world.names())):
        for name in NAMES:
            outcome = world.pull(name, organisation)
            assert (outcome.status, outcome.changed, outcome.counts.calls) == ("success", False, 1)
    assert len(world.calls()) == len(NAMES) * len(world.names())
    assert {table: world.rows(table) for _, _, table, _, _ in EQUAL} == before


def test_what_changes_in_xero_changes_here(world: World) -> None:
    for name, *_ in EQUAL:
        world.pull(name)
    contacts = [row for row in world.sandbox.truth("Contacts") if row["ContactStatus"] == "ACTIVE"]
    renamed, archived, merged, restored = (contact["ContactID"] for contact in contacts[:4])
    world.sandbox.change("Contacts", renamed, Name="東京 Drilling 🛠 Pty Ltd")
    world.sandbox.change("Contacts", archived, ContactStatus="ARCHIVED")
    world.sandbox.change("Contacts", merged, ContactStatus="ARCHIVED", MergedToContactID=renamed)
    world.sandbox.change("Contacts", restored, ContactStatus="ARCHIVED")
    tax = world.sandbox.truth("TaxRates")[0]["TaxType"]
    world.sandbox.change("TaxRates", tax, Status="ARCHIVED", Name="Old GST")
    tracking = next(row for row in world.sandbox.truth("TrackingCategories") if row["Status"] == "ACTIVE")
    world.sandbox.change("TrackingCategories", tracking["TrackingCategoryID"], Status="ARCHIVED")
    code = world.sandbox.truth("Accounts")[3]["AccountID"]
    world.sandbox.change("Accounts", code, Code="99999", Status="ARCHIVED")

    assert world.pull("contacts").counts.deactivated == 3
    assert world.pull("tax_codes").counts.deactivated == 1
    assert world.pull("chart_of_accounts").changed
    assert world.pull("tracking_categories").counts.deactivated > 1
    assert_equal(world, 0)

    world.sandbox.change("Contacts", restored, ContactStatus="ACTIVE")
    assert world.pull("contacts").counts.updated == 1
    assert_equal(world, 0)


def test_only_what_changed_is_written(world: World) -> None:
    world.sandbox.reset(contacts={world.names()[0]: 1_000})
    world.connect()
    world.pull("contacts")
    before = world.rows("contact")
    collection = f"organisations/{world.sandbox.tenant()}/Contacts"
    touched = set(world.sandbox.control("POST", f"{collection}/touch", {"share": 0.01})["touched"])
    outcome = world.pull("contacts")
    assert (len(touched), outcome.counts.updated, outcome.counts.inserted) == (10, 10, 0)
    after = world.rows("contact")
    assert {key for key, row in after.items() if row["row_version"] != before[key]["row_version"]} == touched


def test_what_is_gone_from_xero_becomes_inactive_and_comes_back(world: World) -> None:
    world.pull("tax_codes")
    world.pull("contacts")
    rate = world.sandbox.truth("TaxRates")[1]
    gone = world.sandbox.truth("Contacts")[5]
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/TaxRates/{rate['TaxType']}")
    world.sandbox.control("DELETE", f"organisations/{world.sandbox.tenant()}/Contacts/{gone['ContactID']}")

    assert world.pull("tax_codes").counts.deactivated == 1
    held = world.rows("tax_code")[rate["TaxType"]]
    assert (held["is_active"], held["missing_since"] is None) == (False, False)
    world.pull("contacts")
    assert world.rows("contact")[gone["ContactID"]]["missing_since"] is None, "absence from what changed says nothing"
    world.pull("contacts", full=True)
    held = world.rows("contact")[gone["ContactID"]]
    assert (held["is_active"], held["missing_since"] is None) == (False, False)

    world.sandbox.control("POST", f"organisations/{world.sandbox.tenant()}/TaxRates", rate)
    assert world.pull("tax_codes").counts.updated == 1
    held = world.rows("tax_code")[rate["TaxType"]]
    assert (held["is_active"], held["missing_since"]) == (True, None)


def with_unknown_values(collection: str, record: Record) -> Record:
    """Those that the sandbox adds. A contact's phone is the first one with a number, of whatever kind."""
    if collection == "Contacts":
        return record | {"Phones": [*record["Phones"], {"PhoneType": "SATELLITE", "PhoneNumber": "000"}]}
    values = {"Accounts": {"BankAccountType": "NEOBANK"}, "TaxRates": {"ReportTaxType": "CARBONOUTPUT"}}
    return record | values.get(collection, {})


def test_unknown_fields_and_values_change_nothing_else(world: World) -> None:
    world.sandbox.settings(unknown_fields=True)
    for name, *_ in EQUAL:
        assert world.pull(name).counts.rejected == 0
    assert_equal(world, 0, with_unknown_values)
