"""The cluster as docker-compose.yaml describes it: each service with the file's command; two workers play the story."""

import re
import shlex

import pytest
import yaml

from demo.compose import FILE
from tests.support.cluster import PRELOADED, Ring

# Starting everything takes most of it.
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

ENDED = re.compile(r"Task execute_workload\[[0-9a-f-]+\] succeeded")


def test_every_service_of_the_file_ran_with_its_command(ring: Ring) -> None:
    """Read without docker-compose: what the cluster runs is compared with the text that Docker would run."""
    file = yaml.safe_load(FILE.read_text())["services"]
    ran = ring.cluster.started
    assert {re.sub(r"-\d+$", "", name) for name in ran} == set(file)
    assert len(ran) == len(file) + 1, "two workers"
    for name, started in ran.items():
        told = file[re.sub(r"-\d+$", "", name)]
        command = told["command"] if isinstance(told["command"], str) else shlex.join(told["command"])
        words = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word.replace("$$", "$")) for word in shlex.split(command)]
        # A word is the file's, or, where it names a port or a folder, what the table makes of it.
        translated = ring.cluster.translation.command(tuple(words))
        assert list(started.command) == translated
        environment = set(told.get("environment") or {}) - {"<<"}
        assert environment <= set(started.environment), name
        assert ring.cluster.ends(name) or ring.cluster.running(name)


def test_everything_is_pulled_and_pushed_by_both_workers(ring: Ring) -> None:
    assert "each valid one exists in Xero once" in ring.said
    ended = {worker: len(ENDED.findall(ring.cluster.log(worker).read_text())) for worker in ring.workers}
    assert len(ended) == 2
    assert min(ended.values()) > 5, ended


def test_what_tasks_need_is_imported_before_they_are_forked(ring: Ring) -> None:
    """No task pays for it: the pool's processes, which tasks are forked from, had it before the first one."""
    assert len(ring.preloaded) == 8, "two workers of four"
    assert {frozenset(parts) for parts in ring.preloaded.values()} == {frozenset(PRELOADED)}


def test_tasks_use_the_role_with_the_least_rights(ring: Ring) -> None:
    for worker in ring.workers:
        assert "//qicworks_sync:" in ring.cluster.environment(worker)["AIRFLOW_CONN_QICWORKS_DEFAULT"]
    owners = ring.query("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('qicworks', 'xero_sync')")
    assert [row["tableowner"] for row in owners] == ["qicworks"]
