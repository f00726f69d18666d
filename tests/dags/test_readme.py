"""The README's tables and commands are what there is, and nothing else. `tests/pure/test_docs.py` has the rest."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from xero.api.settings import SCOPES
from xero.datasets.declaration import Dataset, Timing
from xero.datasets.registry import DATASETS
from xero.documents.registry import KINDS

WHEN = {
    Timing.NIGHT: "2 am local time",
    Timing.MIDNIGHT: "midnight local time",
    Timing.PAY_DATE: "midnight of the pay date",
}


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text()


def when(dataset: Dataset) -> str:
    """As the README says it: by the organisation's own clock, or the cron expression."""
    return WHEN.get(dataset.timing) or f"`{dataset.schedule}`"


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([\w.]+)`", cell)


def test_its_table_is_the_registry(readme: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(pull_\w+)` \| (.+?) \| .+? \| (.+?) \| (.+?) \|$", readme, re.MULTILINE)
    told = {name: (dag_id, quoted(tables), at, quoted(scope)) for name, dag_id, tables, at, scope in rows}
    there = {
        name: (f"pull_{name}", [table.name for table in one.tables], when(one), one.scope.split())
        for name, one in DATASETS.items()
    }
    missing = sorted(there.keys() - told.keys())
    assert not missing, f"README.md: the table of data sets has no row for {', '.join(missing)}"
    assert told == there


def test_its_table_of_documents_says_when_and_by_which_right(readme: str, root: Path) -> None:
    schedule = re.search(r'schedule="\*/(\d+) \* \* \* \*"', (root / "plugins/xero/dags/pushing.py").read_text())
    assert schedule
    rows = re.findall(r"^\| `(\w+)` \| `push_\w+` \| .+? \| .+? \| (.+?) \| (.+?) \|$", readme, re.MULTILINE)
    told = {name: (at, quoted(scope)) for name, at, scope in rows}
    assert told == {name: (f"every {schedule[1]} minutes", kind.scope.split()) for name, kind in KINDS.items()}


def test_its_commands_are_the_command_line_s(readme: str, root: Path) -> None:
    commands = set(re.findall(r"^    \.venv/bin/python -m xero ([a-z-]+)", readme, re.MULTILINE))
    help_text = subprocess.run(
        [sys.executable, "-m", "xero", "--help"], cwd=root, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert commands == set(re.findall(r"^    ([a-z-]+)  ", help_text, re.MULTILINE))


def test_the_scopes_are_those_that_are_asked_for(root: Path) -> None:
    going_live = (root / "docs/going-live.md").read_text()
    rows = re.findall(
        r"^\| (`[a-z._`, ]+`) \| .+ \|$",
        going_live.split("It asks for these scopes")[1].split("\nA custom")[0],
        re.MULTILINE,
    )
    assert [scope for row in rows for scope in re.findall(r"`([a-z._]+)`", row)] == list(SCOPES)


def test_its_pictures_are_there(readme: str, root: Path) -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", readme)
    assert pictures
    assert not [picture for picture in pictures if not (root / picture).is_file()]


def test_it_is_short(readme: str) -> None:
    """What is longer belongs into docs/."""
    assert len(readme.splitlines()) < 250
