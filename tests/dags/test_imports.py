"""What is imported when, and from where."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

PARSED = """
import json, runpy, sys
from airflow.sdk import DAG, Asset, Param, TriggerRule, get_current_context, task
with DAG("bare", schedule="@daily"):  # Airflow imports some of its own parts late
    task(outlets=[Asset("bare://one")])(lambda one: one).expand(one=[])
before = set(sys.modules)
for file in {files!r}:
    runpy.run_path(file)
print(json.dumps(sorted(set(sys.modules) - before)))
"""

WITHOUT_AIRFLOW = """
import importlib, json, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "airflow":
            raise ImportError("Airflow is not installed")

sys.meta_path.insert(0, Blocked())
package = importlib.import_module({package!r})
names = [found.name for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(json.dumps(names))
"""

SLOW = {"pandas", "numpy", "great_expectations", "sqlalchemy", "psycopg", "requests", "authlib", "aiosql"}


def test_parsing_a_dag_file_imports_nothing_slow(python: Run, root: Path) -> None:
    """Beyond what Airflow has imported anyway. Import it inside the task instead."""
    files = [str(root / "dags" / name) for name in ("pull_contacts.py", "push_invoices.py")]
    added = json.loads(python(PARSED.format(files=files)))
    assert "xero.dags" in added
    assert SLOW & {name.partition(".")[0] for name in added} == set()


@pytest.mark.parametrize("part", ["api", "qicworks", "sync", "datasets", "documents", "cli"])
def test_the_core_needs_no_airflow(python: Run, part: str) -> None:
    assert json.loads(python(WITHOUT_AIRFLOW.format(package=f"xero.{part}")))


def test_the_block_of_airflow_would_be_noticed(python: Run) -> None:
    with pytest.raises(AssertionError, match="Airflow is not installed"):
        python(WITHOUT_AIRFLOW.format(package="xero.datasets") + "\nimport airflow")


def test_xero_is_this_project(root: Path) -> None:
    """An installed package of the same name would win over the plugins folder; `pyxero` has it."""
    import xero

    assert Path(xero.__file__ or "").resolve() == root / "plugins" / "xero" / "__init__.py"


def test_airflow_runs_no_module_of_the_package_as_a_plugin(root: Path, tmp_path: Path) -> None:
    """It runs every .py below plugins/ under its bare name, unless plugins/.airflowignore says otherwise."""
    from airflow._shared.module_loading import find_path_from_directory

    plugins = shutil.copytree(root / "plugins", tmp_path / "plugins")
    (plugins / "some_plugin.py").touch()

    def run_as_plugins() -> set[str]:
        found = map(Path, find_path_from_directory(plugins, ".airflowignore", "glob"))
        return {path.relative_to(plugins).parts[0] for path in found if path.suffix == ".py"}

    assert run_as_plugins() == {"some_plugin.py", "xero_plugin.py"}, "plugins/.airflowignore must hold the line xero/"
    (plugins / ".airflowignore").unlink()
    assert "xero" in run_as_plugins(), "this test would not notice that the line is missing"
