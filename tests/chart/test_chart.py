"""deploy/values.yaml, rendered by Helm with Airflow's official chart: every object of it. `make chart`."""

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.deploying import COMPONENTS, KEYS, NEEDED, SEEN_IN, connections, keys, values

pytestmark = pytest.mark.chart

CHARTS = [Path(path) for path in os.environ.get("CHARTS", "").split()]


@pytest.fixture(scope="module", params=CHARTS or [None], ids=str)
def chart(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param is None:
        pytest.fail("CHARTS names no chart to render: `make chart` does")
    import helm_python  # `make chart` installs it

    with helm_python.Chart.load(str(request.param)) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def objects(chart: Any) -> list[dict[str, Any]]:
    """Everything that would be sent to Kubernetes."""
    chart.validate_schema(values())
    rendered = chart.render(values(), name="airflow", namespace="airflow")
    found = [one for name, text in rendered.items() if name.endswith(".yaml") for one in yaml.safe_load_all(text)]
    return [one for one in found if one]


def containers(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By the name of their object and their own."""
    found = {}
    for one in objects:
        spec = one.get("spec", {}).get("template", {}).get("spec", {})
        for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
            found[f"{one['metadata']['name']}/{container['name']}"] = container
    return found


def test_the_chart_is_one_of_those_that_the_list_of_keys_names(chart: Any) -> None:
    assert chart.name == "airflow"
    assert chart.version in SEEN_IN, "when all else here passes, add it to SEEN_IN in tests/support/deploying.py"


def test_no_user_is_made_and_no_secret(objects: list[dict[str, Any]]) -> None:
    kinds = [one["kind"] for one in objects]
    assert "Secret" not in kinds
    assert [one["metadata"]["name"] for one in objects if one["kind"] == "Job"] == ["airflow-run-airflow-migrations"]
    assert "users" not in str(objects)


def test_each_component_has_the_connections_that_it_needs(objects: list[dict[str, Any]]) -> None:
    by_name = {name.partition("/")[2]: one for name, one in containers(objects).items()}
    for service, (_, container) in COMPONENTS.items():
        assert connections(by_name[container]["env"]) == NEEDED[service], container


def test_every_container_is_limited_and_of_a_version(objects: list[dict[str, Any]]) -> None:
    found = containers(objects)
    assert len(found) >= 9
    for name, one in found.items():
        assert one["resources"]["limits"]["memory"], name
        assert one["image"].rpartition(":")[2] not in ("", "latest"), name
        assert one["securityContext"]["allowPrivilegeEscalation"] is False, name
        for variable in one.get("env", ()):
            secret = any(word in variable["name"] for word in ("PASSWORD", "SECRET", "KEY", "CONN", "URL", "BACKEND"))
            assert not secret or "valueFrom" in variable, f"{name} {variable['name']}"


def test_only_the_ingress_leads_inside_and_by_tls(objects: list[dict[str, Any]]) -> None:
    for one in objects:
        if one["kind"] == "Service":
            assert one["spec"].get("type", "ClusterIP") == "ClusterIP", one["metadata"]["name"]
    [ingress] = [one for one in objects if one["kind"] == "Ingress"]
    assert {host for one in ingress["spec"]["tls"] for host in one["hosts"]} == {
        rule["host"] for rule in ingress["spec"]["rules"]
    }


@pytest.mark.timeout(1800)
def test_every_key_is_read(chart: Any) -> None:
    """Set otherwise, each changes something, or is refused."""
    ours = values()
    assert set(keys(ours)) == set(KEYS)
    usual = outcome(chart, ours)
    unread = []
    for key in KEYS:
        changed = copy.deepcopy(ours)
        *path, last = key.split(".")
        within = changed
        for name in path:
            within = within[name]
        within[last] = another(key, within[last])
        if outcome(chart, changed) == usual:
            unread.append(key)
    assert unread == [], f"no template of {chart.version} reads these"


def outcome(chart: Any, given: dict[str, Any]) -> str:
    import helm_python

    try:
        return str(sorted(chart.render(given, name="airflow", namespace="airflow").items()))
    except helm_python.HelmError as error:
        return str(error)


def another(key: str, value: Any) -> Any:
    if key == "executor":
        return "KubernetesExecutor"
    if key == "airflowVersion":
        return "3.2.0"
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict):
        return {"limits": {"memory": "1Mi"}} if key.endswith("resources") else {"core": {"parallelism": 7}}
    if isinstance(value, list):
        return value[:-1]
    return value + 1 if isinstance(value, int) else f"{value or ''}x"
