"""What tasks import inside their functions is there before they are forked."""

import ast
import json
from pathlib import Path

import pytest

from tests.support.dag_runs import Run

# The DAG files' own tasks; the others of xero.dags run once a day, or elsewhere.
FILES = ("groups", "organisations", "pulling", "pushing", "reconciling", "retrying")

LOADED = """
import json, sys
from importlib import import_module
from xero import preloading
for module in preloading.MODULES:
    if "great_expectations" not in module:
        import_module(module)
print(json.dumps([name for name in sys.modules if name.split(".")[0] in ("xero", "airflow")]))
"""


def late_imports(file: Path) -> set[str]:
    """The modules of this project that functions of the file import when they are called."""
    functions = [one for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.FunctionDef)]
    found = {node for function in functions for node in ast.walk(function) if isinstance(node, ast.ImportFrom)}
    return {node.module for node in found if node.module and node.module.startswith("xero.")}


def test_no_task_imports_what_was_not_preloaded(python: Run, root: Path) -> None:
    wanted = set().union(*(late_imports(root / "plugins/xero/dags" / f"{name}.py") for name in FILES))
    assert {"xero.hooks", "xero.sync.follow.pulling", "xero.sync.push.flow", "xero.sync.follow.reconcile"} <= wanted
    said = python(LOADED, path=root / "plugins").splitlines()[-1]
    assert wanted - set(json.loads(said)) == set(), "name it in xero.preloading"


MOVED = """
import gc, logging, sys
sys.argv = {argv!r}
from xero import preloading
preloading.MODULES = {modules!r}
logging.basicConfig(stream=sys.stdout)
exec(open({file!r}).read())
if "celery" in sys.argv:
    from celery.signals import worker_init
    worker_init.send(sender=None)
from xero.qicworks import sql
loaded = "xero.sync.runs.participants" in sys.modules
print("frozen", gc.get_freeze_count() > 0, loaded, bool(sql.load.cache_info().currsize))
"""


@pytest.mark.parametrize("argv", [["airflow", "scheduler"], ["airflow", "celery", "worker"]], ids=lambda argv: argv[-1])
def test_what_cannot_be_loaded_is_said_and_the_process_starts(
    python: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    (tmp_path / "broken_on_import.py").write_text("raise RuntimeError('of another release')")
    modules = ("airflow.sdk.no_longer_there", "broken_on_import", "xero.sync.runs.participants")
    file = str(root / "deploy" / "airflow_local_settings.py")
    said = python(MOVED.format(argv=argv, modules=modules, file=file), path=tmp_path)
    assert "airflow.sdk.no_longer_there is not loaded before tasks are forked" in said
    assert "broken_on_import is not loaded" in said
    assert "RuntimeError: of another release" in said
    assert "frozen True True True" in said, "all others are loaded"
    idle = python(MOVED.format(argv=["airflow", "version"], modules=modules, file=file), path=tmp_path)
    assert "frozen False False False" in idle


def test_the_lines_for_a_file_that_is_there_define_nothing_that_a_policy_is_called(root: Path) -> None:
    """Appended to a company's own, they take no name of it away."""
    tree = ast.parse((root / "deploy" / "airflow_local_settings.py").read_text())
    assert [type(node).__name__ for node in tree.body] == ["Expr", "ImportFrom", "Expr"]
