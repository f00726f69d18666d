"""The connection type Xero in Airflow's connection form."""

import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.world import World
from xero.api.settings import SCOPES
from xero.provider import get_provider_info


@pytest.fixture(scope="module")
def manager() -> Any:
    from airflow.providers_manager import ProvidersManager

    return ProvidersManager()


@pytest.fixture(scope="module")
def hooks() -> Any:
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    return ProvidersManagerTaskRuntime().hooks


def test_the_declaration_follows_airflow_s_schema() -> None:
    import airflow

    schema = json.loads((Path(airflow.__file__).parent / "provider.yaml.schema.json").read_text())
    connection_types = get_provider_info()["connection-types"]
    jsonschema.validate(connection_types, schema["properties"]["connection-types"])


def test_the_entry_point_leads_to_it() -> None:
    ours = [point for point in entry_points(group="apache_airflow_provider") if point.value.startswith("xero.")]
    assert [point.load() for point in ours] == [get_provider_info], "install the project: make setup"


def test_airflow_knows_the_type_and_its_hook(hooks: Any) -> None:
    from xero.hooks import XeroHook

    hook = hooks["xero"]
    assert (hook.hook_name, hook.hook_class_name) == ("Xero", "xero.hooks.XeroHook")
    assert hook.connection_testable, "the Test button needs XeroHook.test_connection"
    assert XeroHook.conn_type == "xero"


def test_the_form_speaks_of_clients_and_hides_what_means_nothing(manager: Any) -> None:
    form = manager.field_behaviours["xero"]
    assert form["relabeling"] == {"login": "Client id", "password": "Client secret", "host": "API host"}
    assert set(form["hidden_fields"]) == {"schema", "port"}


def test_the_form_s_help_on_scopes_is_true(manager: Any) -> None:
    """Left empty, reading and writing is asked for."""
    said = manager.connection_form_widgets["extra__xero__scopes"].field["description"]
    assert "pushes need" in said
    assert "write" in said
    assert [scope for scope in SCOPES if not scope.endswith(".read")]


def test_airflow_still_takes_the_form_s_port_of_0_for_another_endpoint() -> None:
    """Its *Test* button answers "Bad Request" by that. Where this fails Airflow has mended it, and the sentences on it
    in docs/configuration.md and docs/troubleshooting.md can go."""
    from airflow.api_fastapi.core_api.routes.public.connections import _same_endpoint

    assert not _same_endpoint(0, None)


def test_the_form_has_every_extra_that_the_app_reads(manager: Any) -> None:
    fields = {
        name.removeprefix("extra__xero__"): widget
        for name, widget in manager.connection_form_widgets.items()
        if name.startswith("extra__xero__")
    }
    assert set(fields) == {"grant_type", "scopes", "redirect_uri", "token_keys", "identity_host", "login_host"}
    assert fields["token_keys"].is_sensitive
    assert all(widget.field["description"] for widget in fields.values())


def test_the_command_line_knows_the_connections_that_airflow_keeps(airflow_database: None, world: World) -> None:
    """As `airflow connections add` and *Admin → Connections* make them."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    kept = [
        Connection(conn_id="qicworks_default", uri=world.database_url),
        Connection(conn_id="xero_default", conn_type="xero", **kept_apart(world.airflow_connection)),
    ]
    with create_session() as session:
        session.add_all(kept)
    try:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN_")}
        for command in (["connections"], ["pull", "tax_codes"]):
            done = subprocess.run(
                [sys.executable, "-m", "xero", *command], env=environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, world.names()[0] in done.stdout) == (0, True), done.stderr
    finally:
        with create_session() as session:
            session.execute(delete(Connection).where(Connection.conn_id.in_(["qicworks_default", "xero_default"])))


def kept_apart(fields: dict[str, Any]) -> dict[str, Any]:
    """As Airflow's model takes them."""
    return {"login": fields["login"], "password": fields["password"], "host": fields["host"],
            "extra": json.dumps(fields["extra"])}  # fmt: skip


WHICH_APPS = """
import json, logging
logging.disable()
from xero.cli import terminal
from xero.hooks import XeroHook
from xero.pages import apps
found = XeroHook().app, apps.app_of("xero_default"), terminal.app_of("xero_default")
print(json.dumps([app.client_id for app in found]))
"""


@pytest.mark.parametrize("configured", ["environment", "file"])
def test_a_secrets_backend_comes_first_everywhere(tmp_path: Path, configured: str) -> None:
    """Pulls, the pages and a terminal use the same app, though the environment names another one."""
    stored = tmp_path / "connections.json"
    stored.write_text(json.dumps({"xero_default": {"conn_type": "xero", "login": "stored", "password": "s"}}))
    backend = {
        "backend": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "backend_kwargs": json.dumps({"connections_file_path": str(stored)}),
    }
    environment = os.environ | {
        "AIRFLOW_CONN_XERO_DEFAULT": json.dumps({"conn_type": "xero", "login": "environment", "password": "s"}),
    }
    if configured == "environment":
        environment |= {f"AIRFLOW__SECRETS__{name.upper()}": value for name, value in backend.items()}
    else:
        file = tmp_path / "airflow.cfg"
        file.write_text("\n".join(["[secrets]", *(f"{name} = {value}" for name, value in backend.items())]))
        environment["AIRFLOW_CONFIG"] = str(file)
    done = subprocess.run(
        [sys.executable, "-c", WHICH_APPS], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == ["stored"] * 3
