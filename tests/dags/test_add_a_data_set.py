"""'Add a data set' of docs/extending.md, followed to the letter in a copy of the checkout."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PARTS = (
    "plugins",
    "include",
    "dags",
    "demo",
    "tests",
    "docs",
    "README.md",
    "Makefile",
    "conftest.py",
    "pyproject.toml",
)
CONTRACT = ("tests/pure/test_contract.py", "tests/flow/pull/test_contract.py")
TABLE = "tests/dags/test_readme.py::test_its_table_is_the_registry"
ROW = (
    "| `branding_themes` | `pull_branding_themes` | `branding_theme` | one call, all records, compared "
    "| 2 am local time | `accounting.settings.read` |"
)
# What is said as long as the file is not there.
MISSING = {
    "include/sql/schema": "there is no table qicworks.branding_theme and no xero_sync.stage_branding_theme: "
    "put it into a migration of include/sql/schema",
    "dags": "add dags/pull_branding_themes.py",
    "include/xero_sandbox/endpoints": "the sandbox does not know /api.xro/2.0/BrandingThemes: "
    "add include/xero_sandbox/endpoints/branding_themes.py",
}


@pytest.fixture(scope="module")
def files(root: Path) -> dict[str, str]:
    """Path → content, in the document's order. The first line of a block names its file."""
    section = (root / "docs/extending.md").read_text().split("## Add a data set\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```\w+\n((?:#|--) (\S+)\n.+?)^```$", section, re.MULTILINE | re.DOTALL)
    return {path: content for content, path in blocks}


@pytest.fixture
def checkout(root: Path, tmp_path: Path, files: dict[str, str]) -> Path:
    """A copy, without what the example would add if it is there by now."""
    for part in PARTS:
        if (root / part).is_dir():
            shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / part, tmp_path / part)
    for path in files:
        for there in (tmp_path / path).parent.glob("*branding*themes*"):
            there.unlink()
    readme = (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text(re.sub(r"^\| `branding_themes` .*\n", "", readme, flags=re.MULTILINE))
    return tmp_path


@pytest.fixture
def run(checkout: Path, postgres_url: str) -> Run:
    """Runs a module of Python in the copy, with the packages of the copy."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPATH": str(checkout / "plugins"), "XERO_TEST_POSTGRES": postgres_url}
        command = [sys.executable, "-m", *arguments]
        return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)

    return run


def failed(run: Run, *tests: str, only: str) -> tuple[int, str]:
    """How many of those tests failed, and what pytest said."""
    done = run("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--tb=short", *tests, "-k", only)
    said = done.stdout + done.stderr
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), said
    assert re.search(r"\b[1-9]\d* passed", said), said
    count = re.search(r"\b(\d+) failed", said)
    return int(count[1]) if count else 0, said


@pytest.mark.timeout(600)  # it begins two interpreters
def test_four_files_and_the_contract_names_the_missing_ones(files: dict[str, str], checkout: Path, run: Run) -> None:
    """An interpreter that imports Airflow anew takes seconds: there are two, one with all but the first file missing,
    and one with all but the README's row."""
    assert [str(Path(path).parent) for path in files] == ["plugins/xero/datasets", *MISSING]
    assert not [path for path in files if (checkout / path).exists()]
    readme = (checkout / "README.md").read_text()
    last = re.findall(r"^\| `\w+` \| `pull_.*\n", readme, re.MULTILINE)[-1]
    first, *others = files

    (checkout / first).write_text(files[first])
    (checkout / "README.md").write_text(readme.replace(last, f"{last}{ROW}\n"))
    count, said = failed(run, *CONTRACT, TABLE, only="(branding_themes and not fills) or registry")
    assert [words for words in MISSING.values() if words not in said] == [], said
    assert count == len(MISSING), said

    for path in others:
        (checkout / path).write_text(files[path])
    (checkout / "README.md").write_text(readme)
    count, said = failed(run, *CONTRACT, "tests/dags/test_policies.py", TABLE, only="branding_themes or registry")
    assert "README.md: the table of data sets has no row for branding_themes" in said, said
    assert count == 1, said

    python = [path for path in files if path.endswith(".py")]
    for verb in (["check"], ["format", "--check"]):
        done = run("ruff", *verb, *python)
        assert done.returncode == 0, done.stdout + done.stderr
