"""Currencies: those that an organisation has, with multiple currencies and without."""

from tests.support.world import World

PATH = "organisations/{}/Currencies"


def codes(world: World, organisation: int = 0) -> dict[str, tuple[str | None, bool]]:
    return {code: (row["description"], row["is_active"]) for code, row in world.rows("currency", organisation).items()}


def add(world: World, **currency: object) -> None:
    """As a user of Xero would under Settings."""
    world.sandbox.control("POST", PATH.format(world.sandbox.tenant()), currency)


def test_each_organisation_has_its_own(world: World) -> None:
    for organisation in range(len(world.names())):
        outcome = world.pull("currencies", organisation)
        assert (outcome.status, outcome.counts.calls, outcome.counts.rejected) == ("success", 1, 0)
    own = {"AUD": ("Australian Dollar", True)}
    more = {
        "EUR": ("Euro", True),
        "IDR": ("Indonesian Rupiah", True),
        "NZD": ("New Zealand Dollar", True),
    }
    assert [codes(world, organisation) for organisation in range(3)] == [own, own | more, own]


def test_one_that_is_added_comes_and_one_that_is_gone_becomes_inactive(world: World) -> None:
    world.pull("currencies")
    add(world, Code="NZD", Description="New Zealand Dollar")
    outcome = world.pull("currencies")
    assert (outcome.changed, outcome.counts.inserted) == (True, 1)
    assert not world.pull("currencies").changed
    world.sandbox.control("DELETE", f"{PATH.format(world.sandbox.tenant())}/NZD")
    assert world.pull("currencies").counts.deactivated == 1
    assert codes(world) == {"AUD": ("Australian Dollar", True), "NZD": ("New Zealand Dollar", False)}


def test_a_code_that_is_none_is_rejected_and_one_in_small_letters_or_without_a_name_is_loaded(world: World) -> None:
    for code in ("EURO", "U$D", ""):
        add(world, Code=code, Description="Odd")
    for code in (" nzd", "Thb"):
        add(world, Code=code, Description="Oddly spelled")
    add(world, Code="FJD")
    for code in (
        "EUR",
        "GBP",
        "IDR",
        "USD",
        "CAD",
        "CHF",
        "CNY",
        "DKK",
        "HKD",
        "INR",
        "JPY",
        "KRW",
        "MYR",
        "NOK",
        "PHP",
    ):
        add(world, Code=code, Description=code)
    outcome = world.pull("currencies")
    assert (outcome.counts.inserted, outcome.counts.rejected) == (19, 3)
    assert codes(world)["FJD"] == (None, True)
    assert codes(world)["NZD"] == codes(world)["THB"] == ("Oddly spelled", True)
    said = {row["key"]: row["reasons"] for row in world.query("SELECT key, reasons FROM xero_sync.rejection")}
    assert said.keys() >= {"EURO", "U$D"}
    assert "the code is not three capital letters" in str(said["U$D"]), said
    assert "the currency has no name in Xero" in world.event()["message"]


def test_an_organisation_may_list_none(world: World) -> None:
    """Whether Xero lists the own currency of one that has no other is not known."""
    world.sandbox.settings(base_currency_listed=False)
    outcome = world.pull("currencies")
    assert (outcome.status, outcome.counts.read, codes(world)) == ("success", 0, {})
    world.sandbox.settings(base_currency_listed=True)
    assert world.pull("currencies").counts.inserted == 1


def test_the_own_currency_is_kept_as_xero_has_last_said_it(world: World) -> None:
    world.pull("currencies")
    for said, kept in ((" nzd", "NZD"), ("", "NZD"), (None, "NZD"), (7, "NZD"), ("USD", "USD")):
        world.sandbox.control("PATCH", f"organisations/{world.sandbox.tenant()}", {"BaseCurrency": said})
        world.query("UPDATE xero_sync.connection SET organisation_read_at = NULL")
        world.pull("currencies")
        [row] = world.query(
            "SELECT base_currency FROM qicworks.organisation WHERE id ="
            " (SELECT organisation_id FROM xero_sync.connection WHERE id = %s)",
            world.connection_id(),
        )
        assert row["base_currency"] == kept, said
