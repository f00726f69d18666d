"""The README names what there is, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo.place import PORTS
from xero.api.settings import SCOPES
from xero.datasets.registry import DATASETS


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text()


def test_its_table_is_the_registry(readme: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(pull_\w+)` \| (.+?) \|", readme, re.MULTILINE)
    told = {name: (dag_id, re.findall(r"`(\w+)`", tables)) for name, dag_id, tables in rows}
    there = {name: (f"pull_{name}", [table.name for table in one.tables]) for name, one in DATASETS.items()}
    missing = sorted(there.keys() - told.keys())
    assert not missing, f"README.md: the table of data sets has no row for {', '.join(missing)}"
    assert told == there


def test_its_verbs_are_the_makefile_s(readme: str, root: Path) -> None:
    verbs = set(re.findall(r"(?:`|^    )make ([a-z]+)", readme, re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    assert verbs == targets


def test_its_commands_are_the_command_line_s(readme: str, root: Path) -> None:
    commands = set(re.findall(r"^    \.venv/bin/python -m xero ([a-z]+)", readme, re.MULTILINE))
    help_text = subprocess.run(
        [sys.executable, "-m", "xero", "--help"], cwd=root, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert commands == set(re.findall(r"^    ([a-z]+)  ", help_text, re.MULTILINE))


def test_its_variables_are_the_demo_s(readme: str) -> None:
    table = readme.split("## Settings of the demo")[1].split("## ")[0]
    assert set(re.findall(r"`([A-Z_]+)`", table.split("Set them")[0])) == {"XERO_DEMO_HOME", *PORTS}


def test_its_scopes_are_those_that_are_asked_for(readme: str) -> None:
    rows = re.findall(
        r"^\| (`[a-z._`, ]+`) \| .+ \|$",
        readme.split("It asks for these scopes")[1].split("\nA custom")[0],
        re.MULTILINE,
    )
    assert [scope for row in rows for scope in re.findall(r"`([a-z._]+)`", row)] == list(SCOPES)


def test_its_pictures_are_there(readme: str, root: Path) -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", readme)
    assert pictures
    assert not [picture for picture in pictures if not (root / picture).is_file()]
