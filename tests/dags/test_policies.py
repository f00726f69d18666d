"""What every DAG owes its operators. Each message says how to put it right."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from demo.place import PUSHES_SWITCHED_ON as DEMO
from xero.dag_ids import COMPARISONS
from xero.dags import prune_dag, push_dag
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS

FILES = sorted((Path(__file__).resolve().parents[2] / "dags").glob("*.py"))
IDS = [file.stem for file in FILES]
PULLS = [dag_id for dag_id in IDS if dag_id.startswith("pull_")]
PUSHES = [dag_id for dag_id in IDS if dag_id.startswith("push_")]


def test_every_file_is_one_dag_of_its_name(dags: dict[str, Any]) -> None:
    found = {dag_id: Path(dag.fileloc).stem for dag_id, dag in dags.items()}
    assert found == {name: name for name in IDS}, (
        "A DAG's id is its file's name. A file is skipped without a word when its docstring lacks 'Airflow' and 'DAG'."
    )


def test_a_company_s_own_dags_of_the_same_ids(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the prefix one of two takes the other's place, or neither is there."""
    shutil.copytree(root / "dags", tmp_path / "dags" / "xero")
    own = {"prune", "pull_contacts"}
    for name in own:
        code = (
            f'"""An Airflow DAG of the company."""\nfrom airflow.sdk import DAG\ndag = DAG("{name}", schedule=None)\n'
        )
        (tmp_path / "dags" / f"{name}.py").write_text(code)
    monkeypatch.setenv("AIRFLOW__XERO__DAG_ID_PREFIX", "acme.xero-")
    bag = DagBag(tmp_path / "dags")
    assert not bag.import_errors
    assert set(bag.dags) == {*own, *(f"acme.xero-{name}" for name in IDS)}


def test_a_prefix_that_no_dag_can_have_is_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for wrong in ("our dags/", "a~b", "ä_", "x" * 101):
        caplog.clear()
        monkeypatch.setenv("AIRFLOW__XERO__DAG_ID_PREFIX", wrong)
        assert prune_dag("").dag_id == "prune"
        assert "[xero] dag_id_prefix = " in caplog.text
    monkeypatch.setenv("AIRFLOW__XERO__DAG_ID_PREFIX", "x" * 100)
    assert prune_dag("").dag_id == "x" * 100 + "prune"


def test_every_data_set_has_its_dag(dags: dict[str, Any]) -> None:
    assert DATASETS
    missing = {f"pull_{name}" for name in DATASETS} - set(dags)
    assert not missing, f"Add dags/{min(missing, default='')}.py: a docstring and a call of pull_dag."


def test_every_kind_of_document_has_its_dag(dags: dict[str, Any]) -> None:
    assert KINDS
    missing = {f"push_{name}" for name in KINDS} - set(dags)
    assert not missing, f"Add dags/{min(missing, default='')}.py: a docstring and a call of push_dag."


@pytest.mark.parametrize("dag_id", IDS)
class TestPolicy:
    def test_it_tells_what_it_is(self, dags: dict[str, Any], dag_id: str) -> None:
        dag = dags[dag_id]
        assert "Airflow DAG" in dag.doc_md, "Pass the file's docstring on: pull_dag(name, __doc__)."
        assert len(dag.doc_md.splitlines()) > 4, "Say what is pulled, when, and what to do when it fails."
        assert dag.description, "The data set's `help` is empty."
        flow = dag_id if dag_id in COMPARISONS else dag_id.partition("_")[0]
        assert {"xero", flow} <= dag.tags, "Tags are how operators filter: pull_dag sets them."

    def test_every_param_has_help(self, dags: dict[str, Any], dag_id: str) -> None:
        params = dags[dag_id].params
        for name in params:
            param = params.get_param(name)
            assert param.description, f"Param '{name}' needs a description: the Trigger form shows it."
            assert param.schema["title"]
            assert "type" in param.schema, f"Param '{name}' needs a type, or the form cannot choose a field for it."

    def test_never_catches_up(self, dags: dict[str, Any], dag_id: str) -> None:
        dag = dags[dag_id]
        assert dag.catchup is False, "Cursors catch up by themselves; runs for the past would only repeat."
        assert dag.start_date is None, "With a start date, a newly deployed DAG runs at once for its last tick."
        assert dag.schedule or dag_id in ("measure", "digest"), (
            "Nothing would ever run it: give the data set a schedule."
        )

    def test_every_task_has_an_owner_and_retries(self, dags: dict[str, Any], dag_id: str) -> None:
        tasks = dags[dag_id].task_dict
        assert tasks
        for task_id, task in tasks.items():
            task = task.unmap({"op_kwargs": {"connection": {}}}) if task.is_mapped else task
            assert task.owner == "qicworks", f"{task_id} has no owner: default_args of pull_dag."
            if task_id != "watcher":
                assert task.execution_timeout == timedelta(hours=6), f"{task_id}: what hangs is to end by itself."
                assert task.retries == 3, f"{task_id}: a worker that dies must not cost the night's run."
                assert type(task.retry_policy).__name__ == "WaitAsTold"
                assert task.retry_delay == timedelta(minutes=1)


def test_the_reconcile_is_one_mapped_task_that_fails_its_run(dags: dict[str, Any]) -> None:
    dag = dags["reconcile"]
    assert set(dag.params) == {"connection"}
    assert set(dag.task_dict) == {"connections", "reconcile", "renew_idle_authorisations"}
    assert dag.task_dict["reconcile"].is_mapped
    assert not dag.task_dict["reconcile"].downstream_task_ids, "as a leaf it decides the state of the run"


def test_the_tie_out_is_one_mapped_task_and_an_asset(dags: dict[str, Any]) -> None:
    dag = dags["tie_out"]
    assert set(dag.params) == {"connection", "period", "heal"}
    assert set(dag.task_dict) == {"connections", "tie_out", "announce", "watcher"}
    assert dag.task_dict["tie_out"].is_mapped
    assert [one.name for one in dag.task_dict["announce"].outlets] == ["qicworks://tie_out"]


def test_measure_waits_for_somebody_to_tell_and_prune_can_be_tried(dags: dict[str, Any]) -> None:
    assert dags["measure"].schedule is None, "without metrics nobody would read what it measures"
    assert dags["digest"].schedule is None, "without alerts nobody would read it"
    assert set(dags["prune"].params) == {"dry_run"}
    assert dags["prune"].max_active_runs == 1


@pytest.mark.parametrize("dag_id", PULLS)
class TestPullPolicy:
    def test_the_trigger_form_and_the_tasks(self, dags: dict[str, Any], dag_id: str) -> None:
        assert set(dags[dag_id].params) == {"connection", "full_refresh"}
        assert set(dags[dag_id].task_dict) == {"connections", "pull", "announce", "watcher"}

    def test_runs_beside_one_another(self, dags: dict[str, Any], dag_id: str) -> None:
        assert dags[dag_id].max_active_runs == 16, "A run by hand must not wait for the scheduled one."

    def test_the_run_fails_when_an_organisation_failed(self, dags: dict[str, Any], dag_id: str) -> None:
        tasks = dags[dag_id].task_dict
        assert tasks
        assert tasks["announce"].trigger_rule == "all_done", "One organisation's failure must not silence the others."
        assert tasks["watcher"].trigger_rule == "one_failed", "Without the watcher, announce hides a failed pull."
        assert tasks["watcher"].upstream_task_ids == {"pull"}
        assert not tasks["watcher"].downstream_task_ids

    def test_one_asset_for_each_table(self, dags: dict[str, Any], dag_id: str) -> None:
        tables = {f"qicworks://{table.name}" for table in DATASETS[dag_id.removeprefix("pull_")].tables}
        assert {asset.name for asset in dags[dag_id].task_dict["announce"].outlets} == tables

    def test_a_mapped_pull_bears_its_organisation_s_name(self, dags: dict[str, Any], dag_id: str) -> None:
        assert "organisation" in dags[dag_id].task_dict["pull"].partial_kwargs["map_index_template"]


@pytest.mark.parametrize("dag_id", PUSHES)
class TestPushPolicy:
    def test_the_trigger_form_and_the_tasks(self, dags: dict[str, Any], dag_id: str) -> None:
        dag = dags[dag_id]
        assert set(dag.params) == {"connection", "document_ids", "dry_run"}
        # The form shows a box with a line for each entry only for arrays that do not name other items than strings.
        assert dag.params.get_param("document_ids").schema["type"] == ["null", "array", "string"]
        assert "items" not in dag.params.get_param("document_ids").schema
        assert set(dag.task_dict) == {"connections", "push"}
        assert dag.max_active_runs == 16, "One document pushed by hand must not wait for the scheduled run."

    def test_a_mapped_push_bears_its_organisation_s_name_and_decides_the_run(
        self, dags: dict[str, Any], dag_id: str
    ) -> None:
        push = dags[dag_id].task_dict["push"]
        assert "organisation" in push.partial_kwargs["map_index_template"]
        assert not push.downstream_task_ids, "as a leaf it decides the state of the run"

    def test_nothing_is_sent_before_somebody_switched_it_on(self, dags: dict[str, Any], dag_id: str) -> None:
        assert dags[dag_id].is_paused_upon_creation is True


def test_what_only_reads_is_switched_on_as_airflow_says(dags: dict[str, Any]) -> None:
    others = {dag.is_paused_upon_creation for dag_id, dag in dags.items() if dag_id not in PUSHES}
    assert others == {None}


def test_pushes_may_be_made_switched_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    for said, paused in (("False", None), ("0", None), ("True", True), ("maybe", True)):
        monkeypatch.setenv("AIRFLOW__XERO__PUSH_PAUSED_AT_CREATION", said)
        assert push_dag("bills", "").is_paused_upon_creation is paused, said
    assert "[xero] push_paused_at_creation is neither true nor false; using True" in caplog.text
    monkeypatch.setenv("AIRFLOW__XERO__PUSH_PAUSED_AT_CREATION", DEMO["AIRFLOW__XERO__PUSH_PAUSED_AT_CREATION"])
    assert push_dag("payroll", "").is_paused_upon_creation is None
