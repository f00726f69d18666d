"""`make test` and CI run every part, whatever failed before, and fail when one did."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MOST, STACK = "not stack", "tests/stack"  # how each part of `make test` is known by its words


def program(path: Path, failing: str) -> None:
    """Notes what it is called with in the file `called` of the working folder, and fails when that has these words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$*" >> called\ncase "$*" in *"{failing}"*) exit 1;; esac\n')
    path.chmod(0o755)


def run(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "CHROMIUM": "sh"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def installed(root: Path, folder: Path, failing: str) -> None:
    """The Makefile, and a Python that only notes what it was to run."""
    shutil.copy(root / "Makefile", folder)
    program(folder / ".venv" / "bin" / "python", failing)
    program(folder / "pgbouncer", "nothing")
    for file in ("requirements.txt", "requirements-dev.txt", "pyproject.toml", ".venv/installed"):
        (folder / file).touch()


@pytest.mark.parametrize("failing", ["nothing", MOST, STACK])
def test_make_test_runs_every_part(root: Path, tmp_path: Path, failing: str) -> None:
    installed(root, tmp_path, failing)
    done = run(["make", "test"], tmp_path)
    called = [line for line in (tmp_path / "called").read_text().splitlines() if "pytest" in line]
    assert sorted(part in line for line in called for part in (MOST, STACK)) == [False, False, True, True], called
    assert all("--durations" in line for line in called)
    assert (done.returncode == 0) is (failing == "nothing"), done.stderr


def test_without_a_browser_the_rest_is_tested_and_make_test_fails(root: Path, tmp_path: Path) -> None:
    installed(root, tmp_path, "nothing")
    done = run(["make", "test", "CHROMIUM=nowhere"], tmp_path)
    assert MOST in (tmp_path / "called").read_text()
    assert done.returncode != 0
    assert "make test CHROMIUM=/path/to/it" in done.stdout


@pytest.mark.parametrize("failing", ["nothing", "lint", "audit", "test", "test-cluster"])
def test_ci_runs_every_command_and_names_those_that_failed(root: Path, tmp_path: Path, failing: str) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(root / ".ci" / "run", tmp_path / ".ci")
    program(tmp_path / "make", failing)
    done = run([str(tmp_path / ".ci" / "run")], tmp_path)
    assert (tmp_path / "called").read_text().split() == ["lint", "audit", "test", "test-cluster"]
    assert (done.returncode == 0) is (failing == "nothing")
    assert (f"failed: make {failing}\n" in done.stdout) is (failing != "nothing")
