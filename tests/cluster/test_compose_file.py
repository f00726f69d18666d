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

ONCE = ("settings", "airflow-init")
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


def test_what_is_wrong_in_env_stops_the_first_start_before_a_database_is_made(
    services: dict[str, dict[str, Any]],
) -> None:
    service = services["settings"]
    assert set(service["environment"]) == set(REQUIRED.findall(FILE.read_text()))
    first = {name for name, other in services.items() if "settings" in (other.get("depends_on") or {})}
    assert first == {"airflow-db", "qicworks-db", "redis"}, "and all others need these"

    def said(**wrong: str) -> tuple[int, str]:
        good = dict.fromkeys(service["environment"], "a-good_one.4f1c~") | {
            "AIRFLOW_BASE_URL": "https://airflow.example.com",
            "AIRFLOW_FERNET_KEY": "kept+as/it=",
            "AIRFLOW_CONN_XERO_DEFAULT": '{"password": "$x y", "extra": {"host": "http://x"}}',
        }
        command = [word.replace("$$", "$") for word in service["command"]]
        environment = {"PATH": os.environ["PATH"], **good, **wrong}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        return done.returncode, done.stderr

    assert said() == (0, "")
    for name in service["environment"]:
        assert said(**{name: "s3cret-replace-me-x"}) == (1, f"{name} in .env still says replace-me.\n")
    unsafe = ("AIRFLOW_DB_PASSWORD", "QICWORKS_DB_PASSWORD", "QICWORKS_SYNC_PASSWORD", "REDIS_PASSWORD")
    for name, value in zip(unsafe, ("s3cret/x", "s3cret@x", "s3cret%41", "s3cret x"), strict=True):
        code, told = said(**{name: value})
        assert code == 1
        assert told.startswith(f"{name} in .env stands in addresses")
        assert "s3cret" not in told
    assert said(REDIS_PASSWORD="a\nb")[0] == said(AIRFLOW_JWT_SECRET="")[0] == 1
    assert said(AIRFLOW_USER_PASSWORD="p@ss /:%word") == (0, ""), "it stands in no address"


def test_services_are_watched_limited_and_started_again(services: dict[str, dict[str, Any]]) -> None:
    assert len(services) == 12
    for name, service in services.items():
        assert service["mem_limit"], name
        assert service["logging"]["options"]["max-size"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped"), name
        assert ("healthcheck" in service) == (name not in ONCE), name
        assert not {"container_name", "privileged"} & set(service), name
        image, _, tag = service["image"].partition(":")
        assert image == "qicworks-xero" or tag not in ("", "latest"), name
    assert [name for name, service in services.items() if service.get("ports")] == ["airflow-apiserver"]
    assert "127.0.0.1" in str(services["airflow-apiserver"]["ports"])


def test_what_runs_the_image_has_one_init_and_waits_for_what_it_speaks_to(
    services: dict[str, dict[str, Any]], root: Path
) -> None:
    assert 'ENTRYPOINT ["/entrypoint"' in (root / "Dockerfile").read_text(), "which is tini"
    for name, service in services.items():
        assert service["init"] is not service["image"].startswith("qicworks-xero"), name
    assert services["airflow-worker"]["depends_on"]["airflow-apiserver"] == {"condition": "service_healthy"}


def test_old_logs_are_deleted_where_all_services_write_them(services: dict[str, dict[str, Any]]) -> None:
    cleaner = services["airflow-logs"]
    assert cleaner["environment"] == {"AIRFLOW__LOG_RETENTION_DAYS": "30"}
    assert cleaner["volumes"] == services["airflow-worker"]["volumes"] != []
    assert cleaner["network_mode"] == "none"


def test_a_secret_goes_only_where_it_is_needed_and_stands_in_no_command(
    folder: Path, services: dict[str, dict[str, Any]]
) -> None:
    secrets = set(re.findall(r"replace-me-[\w-]+", (folder / ".env").read_text()))
    assert len(secrets) > 8
    for name, service in services.items():
        for part in ("command", "healthcheck"):
            assert not [secret for secret in secrets if secret in str(service.get(part))], (name, part)

    def have(secret: str) -> set[str]:
        found = {name for name, service in services.items() if secret in str(service.get("environment"))}
        return found - {"settings"}  # which reads them all, and ends

    at_xero = {"airflow-apiserver", "airflow-worker"}
    assert have("replace-me-token-key") == at_xero
    assert have("replace-me-qicworks-sync") == at_xero | {"airflow-dag-processor", "airflow-triggerer", "qicworks-db"}
    assert have("replace-me-qicworks-db") == {"airflow-init", "qicworks-db"}
    assert have("replace-me-first-user") == {"airflow-init"}
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
        commands = str([cluster.command(name) for name in cluster.services])
        assert not [secret for secret in place.secrets.values() if secret in commands]
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
