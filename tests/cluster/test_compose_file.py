"""docker-compose.yaml, .env.example and the Dockerfile, as far as they can be judged without Docker."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo.cluster import Cluster
from demo.compose import FILE, docker_compose
from demo.place import PORTS, Place

pytestmark = pytest.mark.cluster

ONCE = "airflow-init"
REQUIRED = re.compile(r"\$\{(\w+):\?")


def config(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What docker-compose says in a folder with a .env of its own."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [*docker_compose(), "--profile", "sandbox", "config", *arguments]
    return subprocess.run(command, cwd=folder, env=bare, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """As an operator has it after `cp .env.example .env`."""
    made = tmp_path_factory.mktemp("compose")
    shutil.copy(FILE, made)
    shutil.copy(root / ".env.example", made / ".env")
    return made


@pytest.fixture(scope="module")
def services(folder: Path) -> dict[str, dict[str, Any]]:
    """As docker-compose understands them."""
    said = config(folder)
    assert said.returncode == 0, said.stderr
    found: dict[str, dict[str, Any]] = yaml.safe_load(said.stdout)["services"]
    return found


def test_the_example_is_accepted_and_what_is_missing_is_named(folder: Path) -> None:
    assert config(folder, "--quiet").returncode == 0
    given = (folder / ".env").read_text()
    required = set(REQUIRED.findall(FILE.read_text()))
    assert required >= {"AIRFLOW_FERNET_KEY", "REDIS_PASSWORD", "QICWORKS_OWNER_CONN", "AIRFLOW_CONN_XERO_DEFAULT"}
    assert required == set(re.findall(r"^(\w+)=", given, re.MULTILINE))
    try:
        for name in ("AIRFLOW_JWT_SECRET", "QICWORKS_SYNC_PASSWORD"):
            (folder / ".env").write_text(re.sub(rf"^{name}=.*", f"{name}=", given, flags=re.MULTILINE))
            said = config(folder, "--quiet")
            assert said.returncode != 0
            assert name in said.stderr
            assert "is missing in .env" in said.stderr
    finally:
        (folder / ".env").write_text(given)


def test_what_was_not_replaced_stops_the_first_start(services: dict[str, dict[str, Any]]) -> None:
    *shell, script = services[ONCE]["command"]
    guard = script.replace("$$", "$").splitlines()[0]
    for value, code in (("replace-me-redis", 1), ("4f1c", 0)):
        said = subprocess.run(
            [*shell, guard], env={"PATH": os.environ["PATH"], "SOME": f"redis://:{value}@"}, check=False
        )
        assert said.returncode == code


def test_services_are_watched_limited_and_started_again(services: dict[str, dict[str, Any]]) -> None:
    assert len(services) == 10
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["restart"] == ("no" if name == ONCE else "unless-stopped"), name
        assert ("healthcheck" in service) == (name != ONCE), name
        assert not {"container_name", "privileged"} & set(service), name
        image, _, tag = service["image"].partition(":")
        assert image == "qicworks-xero" or tag not in ("", "latest"), name
    assert [name for name, service in services.items() if service.get("ports")] == ["airflow-apiserver"]
    assert "127.0.0.1" in str(services["airflow-apiserver"]["ports"])


def test_a_secret_goes_only_where_it_is_needed_and_stands_in_no_command(
    folder: Path, services: dict[str, dict[str, Any]]
) -> None:
    secrets = set(re.findall(r"replace-me-[\w-]+", (folder / ".env").read_text()))
    assert len(secrets) > 8
    for name, service in services.items():
        for part in ("command", "healthcheck"):
            assert not [secret for secret in secrets if secret in str(service.get(part))], (name, part)

    def have(secret: str) -> set[str]:
        return {name for name, service in services.items() if secret in str(service.get("environment"))}

    at_xero = {"airflow-apiserver", "airflow-worker"}
    assert have("replace-me-token-key") == at_xero
    assert have("replace-me-qicworks-sync") == at_xero | {"airflow-dag-processor", "airflow-triggerer", "qicworks-db"}
    assert have("replace-me-qicworks-db") == {"airflow-init", "qicworks-db"}
    assert have("replace-me-first-user") == {ONCE}
    assert not have("replace-me") & {"sandbox"}
    # Beside what .env gives, there is none in the file itself.
    assert not re.findall(r"(?i)(password|secret|key)\w*: +[\"']?[\w-]{12,}", FILE.read_text())


def test_the_image_holds_no_secret_and_runs_as_nobody_special(root: Path) -> None:
    dockerfile = (root / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)[-1] == "50000:0"
    assert "--require-hashes" in dockerfile
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    assert len(sources) > 5
    for source in sources:
        assert (root / source).exists(), source
    # The build sees only what .dockerignore lets through.
    ignored = (root / ".dockerignore").read_text().split("\n")
    assert "*" in ignored
    assert not [line for line in ignored if line.startswith("!.")]
    for source in sources:
        assert any(source == line[1:] or source.startswith(line[1:] + "/") for line in ignored if line[:1] == "!"), (
            source
        )


def test_two_places_have_nothing_in_common(tmp_path: Path) -> None:
    """Two checkouts side by side: no port, folder or secret of the one is in the other's commands or environment."""
    one = Place(tmp_path / "one")
    ports = {name: getattr(one, name) + 10000 for name in PORTS.values()}
    other = replace(one, home=tmp_path / "other", **ports)
    told = []
    for place in (one, other):
        cluster = Cluster(place)
        said = [cluster.command(name) for name in cluster.services] + [
            list(cluster._own_environment(name).values()) for name in cluster.services
        ]
        told.append("\n".join(word for words in said for word in words))
        servers = {name: server for name in cluster.services if (server := cluster.database(name))}
        assert len({server.port for server in servers.values()}) == len(servers) == 2
        assert all(server.folder.is_relative_to(place.home) for server in servers.values())
        assert all(cluster.log(name).is_relative_to(place.home) for name in cluster.services)
    ours = {str(getattr(one, name)) for name in PORTS.values()}
    assert not ours & set(re.findall(r"\d+", told[1]))
    assert not {str(port) for port in ports.values()} & set(re.findall(r"\d+", told[0]))
    assert str(one.home) not in told[1]
    assert not set(one.secrets.values()) & set(other.secrets.values())
    assert not [secret for secret in one.secrets.values() if secret in told[1]]
