"""What the package imports is what it says it needs: by pip nothing else is there, and what is there may change."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import audit
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Of Airflow's many packages one import name alone cannot tell which.
PROVIDERS = "airflow.providers."


def imported() -> dict[str, set[str]]:
    """Distribution → the files that import it, at their top or later."""
    installed = packages_distributions()
    found: dict[str, set[str]] = {}
    for file in [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "dags").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            for module in modules(node):
                top = module.partition(".")[0]
                if top in sys.stdlib_module_names or top == "xero":
                    continue
                name = distribution(module) or next(iter(installed.get(top, [])), top)
                found.setdefault(canonicalize_name(name), set()).add(str(file.relative_to(ROOT)))
    return found


def modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [
            node.module,
            *(f"{node.module}.{alias.name}" for alias in node.names if node.module == "airflow.providers"),
        ]
    return []


def distribution(module: str) -> str | None:
    """Of Airflow's own: its core, or the provider with one or two words in its name."""
    if not module.startswith("airflow"):
        return None
    if not module.startswith(PROVIDERS):
        return "apache-airflow"
    words = module.removeprefix(PROVIDERS).split(".")
    return "apache-airflow-providers-" + "-".join(words[: 2 if words[0] in ("common", "microsoft", "apache") else 1])


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements}


def test_every_import_is_declared() -> None:
    extras = names([one for extra in PROJECT["optional-dependencies"].values() for one in extra])
    needed, found = names(PROJECT["dependencies"]), imported()
    assert len(found) > 20
    missing = {name: files for name, files in found.items() if name not in needed | extras}
    assert not missing, "pyproject.toml: add these to dependencies, or to an extra"
    # What only Airflow's configuration asks for may be missing: no other file rests on it.
    assert {name: files for name, files in found.items() if name in extras} == {
        "apache-airflow-providers-slack": {"plugins/xero/dags/alerting.py"},
        "celery": {"plugins/xero/preloading.py"},
    }


def test_what_is_locked_is_what_is_declared() -> None:
    asked = {canonicalize_name(one.name) for one in audit.asked((ROOT / "requirements.in").read_text())}
    declared = names(PROJECT["dependencies"])
    not_imported = names(["psycopg[binary]", "apache-airflow-providers-postgres"])
    assert declared - asked == set(), "requirements.in: what pip installs is what is locked and tested"
    assert declared - set(imported()) - not_imported == set(), "pyproject.toml: nothing imports these"


def test_each_extra_brings_what_its_setting_needs() -> None:
    extras = {name: names(found) for name, found in PROJECT["optional-dependencies"].items()}
    assert extras == {
        "slack": {"apache-airflow-providers-slack"},
        "metrics": {"statsd", "datadog"},
        "celery": {"apache-airflow-providers-celery", "celery"},
    }
    [limit] = [one for one in PROJECT["optional-dependencies"]["celery"] if Requirement(one).name == "celery"]
    assert limit in {str(one) for one in audit.asked((ROOT / "requirements.in").read_text())}
