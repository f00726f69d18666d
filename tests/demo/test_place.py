"""Where a demo lives, and what may leak into it."""

import json
import stat
from pathlib import Path

import pytest

from demo.place import PORTS, ROOT, DemoError, Place
from demo.translation import Translation


def test_defaults() -> None:
    place = Place.from_environment({})
    assert place.home == ROOT / ".demo"
    assert (place.airflow, place.sandbox) == ("http://127.0.0.1:8080", "http://127.0.0.1:8095")
    assert place.ui == "http://localhost:8080"


def test_every_port_has_its_variable(tmp_path: Path) -> None:
    given = {variable: str(20000 + number) for number, variable in enumerate(PORTS)}
    place = Place.from_environment({"XERO_DEMO_HOME": str(tmp_path), **given})
    assert {variable: str(getattr(place, name)) for variable, name in PORTS.items()} == given
    assert [place.variable(int(port)) for port in given.values()] == list(given)


@pytest.mark.parametrize("value", ["eighty", "80", "70000", "-1"])
def test_what_is_no_port_is_refused_by_name(value: str) -> None:
    with pytest.raises(DemoError, match=f"AIRFLOW_PORT={value}"):
        Place.from_environment({"AIRFLOW_PORT": value})


def test_secrets_are_made_once_and_only_for_the_owner(tmp_path: Path) -> None:
    place = Place(tmp_path / "home")
    place.prepare()
    files = [tmp_path / "home" / "secrets.json", tmp_path / "home" / "airflow" / "passwords.json"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    assert Place(tmp_path / "home").secrets == place.secrets
    assert Place(tmp_path / "other").secrets != place.secrets
    assert len(place.secrets["jwt_secret"]) >= 64


def test_what_older_secrets_lack_is_added(tmp_path: Path) -> None:
    first = Place(tmp_path)
    first.prepare()
    older = {name: secret for name, secret in first.secrets.items() if name != "viewer_password"}
    (tmp_path / "secrets.json").write_text(json.dumps(older))
    again = Place(tmp_path)
    again.prepare()
    assert again.secrets.keys() == first.secrets.keys()
    assert {**again.secrets, "viewer_password": ""} == {**first.secrets, "viewer_password": ""}
    assert again.secrets["viewer_password"]
    passwords = json.loads((tmp_path / "airflow" / "passwords.json").read_text())
    assert passwords == {user: again.secrets[f"{user}_password"] for user in ("admin", "viewer")}
    assert Place(tmp_path).secrets == again.secrets


def test_users_consent_to_the_same_app_at_an_address_that_xero_allows(tmp_path: Path) -> None:
    place = Place(tmp_path, airflow_port=18080)
    custom, app = (json.loads(place.settings[f"AIRFLOW_CONN_XERO_{name}"]) for name in ("DEFAULT", "APP"))
    assert app["extra"].pop("redirect_uri") == "http://localhost:18080/xero/callback"
    assert [one["extra"].pop("grant_type") for one in (custom, app)] == ["client_credentials", "authorization_code"]
    assert app == custom
    assert place.settings["AIRFLOW__API__BASE_URL"] == "http://localhost:18080"


def test_the_callers_airflow_and_python_stay_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_XERO_DEFAULT", "xero://a-real-app")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    environment = Place(tmp_path).environment
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    switched_on = {"AIRFLOW__XERO__PUSH_PAUSED_AT_CREATION": "False"}
    assert environment.items() >= switched_on.items() <= Translation(Place(tmp_path)).added("airflow-scheduler").items()
    assert "127.0.0.1" in environment["AIRFLOW_CONN_XERO_DEFAULT"]
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["HTTPS_PROXY"] == "http://proxy.test:3128", "the rest is the caller's"
