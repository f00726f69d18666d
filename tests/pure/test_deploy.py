"""deploy/ and docker-compose.yaml, as far as they can be read without Docker, Helm or Kubernetes."""

import os
import re
import subprocess
import time
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import audit
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.deploying import COMPONENTS, KEYS, NEEDED, ROOT, SEEN_IN, connections, keys, services, values


def test_every_key_of_the_values_is_one_that_the_chart_reads() -> None:
    found = set(keys(values()))
    assert found - set(KEYS) == set(), f"seen to be read in {SEEN_IN} was none of these: `make chart`, then note them"
    assert set(KEYS) - found == set(), "these are not set any more: take them off the list"


def test_nobody_is_made_a_user_by_the_chart() -> None:
    """Its own job makes one: admin, with the password admin."""
    assert values()["createUserJob"] == {"enabled": False}


def test_each_component_has_the_connections_that_it_needs_and_no_other() -> None:
    composed, charted = services(), values()
    assert {name for name in composed if name.startswith("airflow-")} - set(COMPONENTS) == {
        "airflow-db",
        "airflow-init",
        "airflow-logs",
    }
    for name, (key, _) in COMPONENTS.items():
        assert connections(composed[name]["environment"]) == NEEDED[name], f"docker-compose.yaml, {name}"
        assert connections(charted[key].get("env")) == NEEDED[name], f"deploy/values.yaml, {key}"


def test_no_secret_stands_in_deploy() -> None:
    """Only names of Secrets do, and every one that is named is made as docs/deployment.md says."""
    files = sorted((ROOT / "deploy").rglob("*.yaml"))
    assert len(files) >= 2
    documented = (ROOT / "docs" / "deployment.md").read_text()
    named = set()
    for file in files:
        for path, value in leaves(yaml.safe_load(file.read_text())):
            if path[-2:] == ("secretKeyRef", "name") or path[-1].endswith("SecretName"):
                named.add(value)
            elif path[-1] == "value":
                assert re.fullmatch(r"[\d./]+", value), f"{file.name}: {'.'.join(path)} is more than an address"
            elif re.search(r"(?i)password|secret|fernet", path[-1]):
                assert path[-1] == "secretName", f"{file.name}: {'.'.join(path)}"
    assert len(named) >= 9
    for name in named:
        assert f"create secret generic {name} " in documented, name


def test_what_runs_in_kubernetes_is_limited_and_of_a_version() -> None:
    charted = values()
    limited = [*(key for key, _ in COMPONENTS.values()), "redis", "statsd", "migrateDatabaseJob"]
    for key in limited:
        assert charted[key]["resources"]["limits"]["memory"], key
        assert charted[key]["resources"]["requests"]["memory"], key
    job = yaml.safe_load((ROOT / "deploy" / "migrate-job.yaml").read_text())["spec"]["template"]["spec"]
    [container] = job["containers"]
    image = charted["images"]["airflow"]
    assert container["image"] == f"{image['repository']}:{image['tag']}", "the schema is of the version that runs"
    assert image["tag"] not in ("", "latest")
    assert container["resources"]["limits"]["memory"]
    assert job["automountServiceAccountToken"] is False
    assert connections(container["env"]) == {"AIRFLOW_CONN_QICWORKS_DEFAULT"}


def test_old_logs_are_deleted_beside_each_component_by_the_script_of_the_image() -> None:
    charted = values()
    for key, _ in COMPONENTS.values():
        if key != "apiServer":
            groomer = charted[key]["logGroomerSidecar"]
            assert (groomer["enabled"], groomer["retentionDays"]) == (True, 30), key
            assert groomer["resources"]["limits"]["memory"], key
    assert "\nCOPY deploy/clean-logs.sh /clean-logs\n" in (ROOT / "Dockerfile").read_text()


def test_logs_are_deleted_when_they_are_old_and_not_before(tmp_path: Path) -> None:
    logs = tmp_path / "a home" / "logs"
    old, rotated, young = (
        logs / name
        for name in ("dag_id=a/run_id=1/attempt=1.log", "scheduler/old.log.1", "dag_id=a/run_id=2/attempt=1.log")
    )
    kept = logs / "notes.txt"
    for file, days in ((old, 8), (rotated, 9), (young, 6), (kept, 99)):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (time.time() - days * 86_400,) * 2)
    begun = logs / "dag_id=a/run_id=3"
    begun.mkdir()
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(logs.parent), "AIRFLOW__LOG_RETENTION_DAYS": "7"}
    script = ["sh", str(ROOT / "deploy" / "clean-logs.sh")]
    with subprocess.Popen(script, env=environment, stderr=subprocess.PIPE) as cleaner:
        while old.exists() or rotated.exists():
            assert cleaner.poll() is None
            time.sleep(0.01)
        cleaner.terminate()
        assert (cleaner.wait(10), cleaner.stderr and cleaner.stderr.read()) == (0, b"")
    assert young.exists()
    assert kept.exists()
    assert begun.exists()
    for wrong in ("a week", "-1", "1.5"):
        environment["AIRFLOW__LOG_RETENTION_DAYS"] = wrong
        done = subprocess.run(script, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "is no number of days" in done.stderr


def test_the_image_installs_nothing_without_its_hash() -> None:
    """Building the package, pip would get the newest build tool, and what that needs, without any."""
    dockerfile = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip install [^&\n]+", dockerfile)
    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or {"--no-deps", "--no-build-isolation", "."} <= set(command.split())
    # What the build needs is what the two files bring.
    [program] = re.findall(r"sed -n '([^']+)'\s+requirements-dev.txt", dockerfile)
    taken = subprocess.run(
        ["sed", "-n", program, "requirements-dev.txt"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    brought = {pin.name for pin, hashes in audit.pins(taken) if hashes}
    locked = {canonicalize_name(pin.name) for pin, _ in audit.pins((ROOT / "requirements.txt").read_text())}
    needed = {"hatchling"} | {
        canonicalize_name(one.name) for one in map(Requirement, requires("hatchling") or ()) if audit.counts_here(one)
    }
    assert needed - locked == brought


def test_only_the_api_server_has_a_port_outside_and_only_on_this_machine() -> None:
    ports = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert ports == {"airflow-apiserver": ["${AIRFLOW_LISTEN:-127.0.0.1:8080}:8080"]}


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        return [leaf for name, one in value.items() for leaf in leaves(one, (*path, str(name)))]
    if isinstance(value, list):
        return [leaf for place, one in enumerate(value) for leaf in leaves(one, (*path, str(place)))]
    return [(path, value)]
