"""Settings of an organisation: declared once, in the code as in the table, and changed by someone who is named."""

from dataclasses import fields
from uuid import UUID

import psycopg
import pytest

from tests.support.granted import granted
from tests.support.world import World
from xero.qicworks.connect import settings
from xero.qicworks.connect.settings import SETTINGS, Conflicts, ConnectionSettings
from xero.qicworks.database import session

KEPT = {"connection_id", "changed_by", "changed_at"}


def test_what_is_declared_is_what_the_table_has(world: World) -> None:
    columns = world.query(
        "SELECT column_name AS name, column_default AS value FROM information_schema.columns"
        " WHERE table_schema = 'xero_sync' AND table_name = 'connection_setting'"
    )
    defaults = {row["name"]: row["value"].partition("'::")[0].strip("'") for row in columns if row["name"] not in KEPT}
    assert defaults == {one.name: str(one.default) for one in fields(ConnectionSettings)}
    connection_id = UUID(world.connection_id(0))
    with session(world.engine) as db:
        for name, setting in SETTINGS.items():
            assert setting.help
            for value in reversed(setting.choices):
                changed = settings.change(db, connection_id, {name: value}, "office")
                assert getattr(changed, name) == value
                assert settings.read(db, connection_id) == changed


def test_a_change_names_who_made_it_and_is_of_one_organisation(world: World) -> None:
    first, second = (UUID(world.connection_id(number)) for number in range(2))
    with session(world.engine) as db:
        assert settings.read(db, first) == ConnectionSettings(Conflicts.ASK)
        assert settings.change(db, first, {"conflicts": "xero"}, "Office\nManager").conflicts is Conflicts.XERO
        assert settings.read(db, second).conflicts is Conflicts.ASK
        with pytest.raises(ValueError, match="it is one of ask, qicworks, xero"):
            settings.change(db, first, {"conflicts": "both"}, "office")
        with pytest.raises(ValueError, match="there is no setting 'changed_by'"):
            settings.change(db, first, {"changed_by": "x"}, "office")
    [row] = world.query("SELECT * FROM xero_sync.connection_setting")
    assert (row["conflicts"], row["changed_by"]) == ("xero", "Office Manager")
    assert world.event()["message"] == "settings changed by Office Manager: conflicts from ask to xero"
    world.query("UPDATE xero_sync.connection SET state = 'deleted' WHERE id = %s", second)
    with session(world.engine) as db, pytest.raises(LookupError, match="is deleted"):
        settings.change(db, second, {"conflicts": "xero"}, "office")


def test_the_role_of_the_pages_changes_settings_to_what_they_may_be(world: World) -> None:
    connection_id = UUID(world.connection_id(0))
    with granted(world) as role, session(role.sync.engine) as db:
        assert settings.change(db, connection_id, {"conflicts": "qicworks"}, "office").conflicts is Conflicts.QICWORKS
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute("UPDATE xero_sync.connection_setting SET conflicts = 'maybe'")
