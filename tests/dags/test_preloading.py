"""What tasks import inside their functions is there before they are forked."""

import ast
import json
from pathlib import Path

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
    assert {"xero.hooks", "xero.sync.pull", "xero.sync.push", "xero.sync.reconcile"} <= wanted
    said = python(LOADED, path=root / "plugins").splitlines()[-1]
    assert wanted - set(json.loads(said)) == set(), "name it in xero.preloading"
