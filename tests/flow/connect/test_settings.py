"""Settings of an organisation: declared once, validated before they are saved, and changed by someone who is named."""

from uuid import UUID

import psycopg
import pytest

from tests.support.granted import granted
from tests.support.world import World
from xero.datasets.registry import DATASETS
from xero.documents.declaration import PricedKind
from xero.documents.registry import KINDS
from xero.qicworks.connect import settings
from xero.qicworks.connect.offers import Misfit, Offers, Thing
from xero.qicworks.connect.settings import SETTINGS, Conflicts, ConnectionSettings
from xero.qicworks.database import session
from xero.sync.runs.outcome import Skip


def kept(world: World) -> list[dict[str, object]]:
    return world.query("SELECT name, value, changed_by FROM xero_sync.setting ORDER BY name")


def test_every_setting_can_have_each_of_its_choices(world: World) -> None:
    connection_id = UUID(world.connection_id(0))
    priced = [kind for kind in KINDS.values() if isinstance(kind, PricedKind)]
    assert {one.kind.name for one in SETTINGS.values() if one.kind} == {kind.name for kind in priced}
    with session(world.engine) as db:
        for name, setting in SETTINGS.items():
            assert setting.help
            assert ConnectionSettings()[name] == setting.default
            for value in reversed(setting.choices):
                changed = settings.change(db, connection_id, {name: value.upper()}, "office")
                assert changed[name] == value
                assert settings.read(db, connection_id) == changed
    assert len([one for one in SETTINGS.values() if one.choices]) == 4 + len(priced)


def test_a_change_names_who_made_it_and_is_of_one_organisation(world: World) -> None:
    first, second = (UUID(world.connection_id(number)) for number in range(2))
    with session(world.engine) as db:
        assert settings.read(db, first) == ConnectionSettings()
        assert settings.change(db, first, {"conflicts": "xero"}, "Office\nManager").conflicts is Conflicts.XERO
        assert settings.read(db, second).conflicts is Conflicts.ASK
        with pytest.raises(ValueError, match="it is one of ask, qicworks, xero"):
            settings.change(db, first, {"conflicts": "both"}, "office")
        with pytest.raises(ValueError, match="there is no setting 'changed_by'"):
            settings.change(db, first, {"changed_by": "x"}, "office")
    assert kept(world) == [{"name": "conflicts", "value": "xero", "changed_by": "Office Manager"}]
    assert world.event()["message"] == "settings changed by Office Manager: conflicts from ask to xero"
    world.query("UPDATE xero_sync.connection SET state = 'deleted' WHERE id = %s", second)
    with session(world.engine) as db, pytest.raises(LookupError, match="is deleted"):
        settings.change(db, second, {"conflicts": "xero"}, "office")


def test_the_role_of_the_pages_changes_settings_and_deletes_none(world: World) -> None:
    connection_id = UUID(world.connection_id(0))
    with granted(world) as role, session(role.sync.engine) as db:
        assert settings.change(db, connection_id, {"conflicts": "qicworks"}, "office").conflicts is Conflicts.QICWORKS
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute("UPDATE xero_sync.setting SET value = 'maybe' WHERE name = 'conflicts'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("DELETE FROM xero_sync.setting")


def test_workers_of_the_version_before_read_and_change_the_same_setting(world: World) -> None:
    first = UUID(world.connection_id(0))

    def earlier() -> list[tuple[str, str | None]]:
        rows = world.query("SELECT conflicts, changed_by FROM xero_sync.connection_setting")
        return [(row["conflicts"], row["changed_by"]) for row in rows]

    with session(world.engine) as db:
        settings.change(db, first, {"conflicts": "xero"}, "new")
        assert earlier() == [("xero", "new")]
        update = "UPDATE xero_sync.connection_setting SET conflicts = %s, changed_by = 'old', changed_at = now()"
        world.query(update, "qicworks")
        assert settings.read(db, first).conflicts is Conflicts.QICWORKS
        assert settings.kept(db, first)["conflicts"].changed_by == "old"
        settings.change(db, first, {"conflicts": ""}, "new")
        assert earlier() == [("ask", "new")]
        world.query("DELETE FROM xero_sync.setting")
        world.query("DELETE FROM xero_sync.connection_setting")
        world.query("INSERT INTO xero_sync.connection_setting (connection_id) VALUES (%s)", first)
        assert settings.read(db, first).conflicts is Conflicts.ASK
        assert [row["name"] for row in kept(world)] == ["conflicts"]


@pytest.fixture
def pulled(world: World) -> World:
    for name in ("chart_of_accounts", "tax_codes", "tracking_categories"):
        world.pull(name)
    return world


def test_accounts_and_tax_codes_are_chosen_by_their_code_and_kept_by_their_id(pulled: World) -> None:
    connection_id = UUID(pulled.connection_id(0))
    accounts = {row["code"]: row for row in pulled.rows("account").values()}
    with session(pulled.engine) as db:
        wanted = {"invoices.account": "200", "invoices.tax_code": "output"}
        changed = settings.change(db, connection_id, wanted, "office")
        assert changed["invoices.account"] == str(accounts["200"]["xero_id"])
        assert changed["invoices.tax_code"] == "OUTPUT"
        said = f"invoices.account from none to 200 {accounts['200']['name']}, invoices.tax_code from none to OUTPUT"
        assert said in pulled.event()["message"]
        again = settings.change(db, connection_id, {"invoices.account": changed["invoices.account"]}, "office")
        assert again == changed
        category = next(row for row in pulled.rows("tracking_category").values() if row["is_active"])
        chosen = settings.change(db, connection_id, {"departments": category["name"].upper()}, "office")
        assert chosen.departments == str(category["xero_id"])


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"invoices.account": "9999"}, "invoices.account: no account '9999' was pulled"),
        ({"invoices.account": "{bank}"}, "is a bank or system account"),
        ({"bills.tax_code": "NOPE"}, "bills.tax_code: no tax code 'NOPE' was pulled"),
        ({"bills.tax_code": "OUTPUT"}, "cannot be used with any expense account"),
        ({"bills.account": "429", "bills.tax_code": "OUTPUT"}, "cannot be used with account '429"),
        ({"departments": "Nowhere"}, "no tracking category 'Nowhere' was pulled"),
        ({"alerts": "office@example.com; nobody"}, "alerts: 'nobody' is not an email address"),
        ({"alerts": "büro@smith.example, a@x.example"}, "'büro@smith.example' is an email address with letters"),
        ({"alerts": f"jo@{'ü' * 80}.example"}, "is not an email address"),
        ({"night_hour": "24"}, "night_hour cannot be '24'"),
        ({"invoices.status": "PAID"}, "it is one of DRAFT, SUBMITTED, AUTHORISED"),
    ],
)
def test_what_is_not_there_or_not_allowed_is_not_saved(pulled: World, wanted: dict[str, str], says: str) -> None:
    [bank, *_] = [row for row in pulled.rows("account").values() if row["type"] == "BANK"]
    given = {name: str(bank["xero_id"]) if value == "{bank}" else value for name, value in wanted.items()}
    with session(pulled.engine) as db, pytest.raises(ValueError, match=r".") as refused:
        settings.change(db, UUID(pulled.connection_id(0)), {"conflicts": "xero", **given}, "office")
    assert says in str(refused.value)
    assert kept(pulled) == []


def test_only_what_is_active_and_allowed_is_offered_and_what_was_archived_since_no_longer_fits(pulled: World) -> None:
    connection_id = UUID(pulled.connection_id(0))
    with session(pulled.engine) as db:
        settings.change(db, connection_id, {"bills.account": "429", "bills.tax_code": "INPUT"}, "office")
        offered = Offers(db, connection_id).of(Thing.ACCOUNT)
        barred = [row for row in pulled.rows("account").values() if row["type"] == "BANK" or not row["is_active"]]
        assert barred
        assert not {one.value for one in offered} & {str(row["xero_id"]) for row in barred}
        assert settings.misfits(settings.read(db, connection_id), Offers(db, connection_id)) == []
        pulled.query("UPDATE qicworks.account SET is_active = false WHERE code = '429'")
        pulled.query("UPDATE qicworks.tax_code SET is_active = false WHERE tax_type = 'INPUT'")
        found = settings.misfits(settings.read(db, connection_id), Offers(db, connection_id))
        assert [(one.setting.name, one.misfit) for one in found] == [
            ("bills.account", Misfit.ARCHIVED),
            ("bills.tax_code", Misfit.ARCHIVED),
        ]
        settings.change(db, connection_id, {"conflicts": "xero"}, "office")  # what is broken stops no other change
        with pytest.raises(ValueError, match="is archived or deleted in Xero"):
            settings.change(db, connection_id, {"invoices.account": "429"}, "office")


def test_a_setting_that_no_longer_fits_is_one_difference_until_it_fits_or_another_is_chosen(pulled: World) -> None:
    connection_id = UUID(pulled.connection_id(0))
    open_ones = "SELECT document_kind, subject FROM xero_sync.difference WHERE settled_at IS NULL ORDER BY subject"
    with session(pulled.engine) as db:
        settings.change(db, connection_id, {"bills.account": "429", "expenses.account": "429"}, "office")
        settings.change(db, connection_id, {"bills.tax_code": "INPUT"}, "office")
    account = next(row for row in pulled.rows("account").values() if row["code"] == "429")
    pulled.sandbox.change("Accounts", str(account["xero_id"]), Status="ARCHIVED")
    assert "2 setting unfit" in pulled.pull("chart_of_accounts").message
    pulled.pull("tax_codes")
    found = pulled.query(open_ones)
    assert [(one["document_kind"], one["subject"]) for one in found] == [
        ("chart_of_accounts", "bills.account"),
        ("chart_of_accounts", "expenses.account"),
    ]
    done = pulled.main("settings", "set", "bills.account=404", "--connection", pulled.names()[0])
    assert done.returncode == 0, done.stderr
    assert [one["subject"] for one in pulled.query(open_ones)] == ["expenses.account"]
    done = pulled.main("differences", "--open")
    assert done.returncode == 1
    assert "Settings: expenses.account" in done.stdout
    pulled.sandbox.change("Accounts", str(account["xero_id"]), Status="ACTIVE")
    pulled.pull("chart_of_accounts")
    assert pulled.query(open_ones) == []


def test_a_data_set_that_is_switched_off_in_the_settings_is_skipped_and_says_so(world: World) -> None:
    optional = [dataset.name for dataset in DATASETS.values() if dataset.optional]
    assert optional == ["leave_balances"]
    with session(world.engine) as db:
        settings.change(db, UUID(world.connection_id(0)), {"leave_balances": "off"}, "office")
    world.calls()
    with pytest.raises(Skip, match="Leave balances are switched off in the settings of"):
        world.pull("leave_balances")
    assert world.calls() == []
    event = world.event()
    assert (event["status"], event["outcome"]) == ("warning", "switched_off")
    assert "switched off in the settings" in event["message"]
    world.pull("leave_balances", 1)
    assert world.event()["outcome"] != "switched_off"


def test_no_event_repeats_who_is_alerted(world: World) -> None:
    with session(world.engine) as db:
        changed = settings.change(
            db, UUID(world.connection_id(0)), {"alerts": "a@example.com;b@example.com, a@example.com"}, "office"
        )
    assert changed.alerts == ["a@example.com", "b@example.com"]
    assert world.event()["message"] == "settings changed by office: alerts"
