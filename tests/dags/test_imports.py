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


def test_the_command_line_starts_without_airflow(python: Run) -> None:
    """It imports Airflow only where a connection is not in the environment. Of the other rooms lint says the same."""
    assert json.loads(python(WITHOUT_AIRFLOW.format(package="xero.cli")))


def test_the_block_of_airflow_would_be_noticed(python: Run) -> None:
    with pytest.raises(AssertionError, match="Airflow is not installed"):
        python(WITHOUT_AIRFLOW.format(package="xero.datasets") + "\nimport airflow")


def test_xero_is_this_project(root: Path) -> None:
    """An installed package of the same name would win over the plugins folder; `pyxero` has it."""
    import xero

    assert Path(xero.__file__ or "").resolve() == root / "plugins" / "xero" / "__init__.py"


# As PyPI's pyxero has it: these files, and these names in them.
PYXERO = {
    "xero/__init__.py": "from .api import Xero\n",
    "xero/api.py": "class Xero: pass\n",
    "xero/auth.py": "",
    "pyxero-0.9.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: pyxero\nVersion: 0.9.5\n",
    "pyxero-0.9.5.dist-info/top_level.txt": "xero\n",
}
IMPORT = """
import logging, sys
logging.basicConfig(stream=sys.stdout)
try:
    import {module}
except ImportError as error:
    print(type(error).__name__, error)
else:
    print("imported")
"""


AIRFLOW = """
import sys, types
sys.modules["airflow"] = types.ModuleType("airflow")
sys.modules["airflow.configuration"] = types.SimpleNamespace(conf=None)
sys.modules["airflow.plugins_manager"] = types.SimpleNamespace(AirflowPlugin=object)
"""


def with_pyxero(folder: Path) -> Path:
    for name, text in PYXERO.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("module", ["xero", "xero.dags", "xero.__main__"])
def test_pyxero_over_our_files_is_said_in_one_sentence(python: Run, root: Path, tmp_path: Path, module: str) -> None:
    """Installed after ours into the same folder: its __init__.py lies over ours."""
    shutil.copytree(root / "plugins" / "xero", tmp_path / "xero")
    said = python(IMPORT.format(module=module), path=with_pyxero(tmp_path))
    assert said.startswith("ImportError Another Python package here has the import name xero")
    assert "pyxero has it: uninstall that one" in said
    assert len(said.splitlines()) == 1


def test_pyxero_beside_ours_is_said_and_ours_works(
    python: Run, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = IMPORT.format(module="xero.api.client")
    assert python(code, path=root / "plugins") == "imported\n"
    with_pyxero(tmp_path)
    said = python(f"import sys; sys.path.append({str(tmp_path)!r})\n{code}", path=root / "plugins")
    assert said.startswith("WARNING:xero.owner:Another Python package here has the import name xero")
    assert said.endswith("imported\n")


def test_pyxero_in_our_place_is_said_by_the_plugin(python: Run, root: Path, tmp_path: Path) -> None:
    """Installed where Python looks before it comes to Airflow's plugins folder. Airflow is played: the one here knows
    this project as an installed provider, too, which `make setup` guards."""
    code = AIRFLOW + f"import sys; sys.path.append({str(root / 'plugins')!r})\n" + IMPORT.format(module="xero_plugin")
    said = python(code, path=with_pyxero(tmp_path)).splitlines()[-1]
    assert said.startswith("ImportError The Python package xero here is not this project's")
    assert "pyxero" in said


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
