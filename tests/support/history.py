"""The project as it was: taken from the history that lies beside it."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "include/sql/schema"


def before(migration: str) -> str:
    """The last commit that did not have that migration. Fails, and says what to do, where there is no history."""
    if _git("rev-parse", "--is-shallow-repository") == "true":
        pytest.fail("This clone has no history, so nobody knows the version before: `git fetch --unshallow`.")
    added = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", f"{SCHEMA}/{migration}.sql")
    return _git("rev-parse", f"{added}^") if added else _git("rev-parse", "HEAD")


def checked_out(commit: str, folder: Path, *paths: str) -> Path:
    """These paths as they were then, in a folder."""
    packed = _run("archive", "--format=tar", commit, *paths)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        # Python 3.11 knows filters since 3.11.4, and what comes out of git needs none.
        archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))  # type: ignore[arg-type]
    return folder


def _git(*arguments: str) -> str:
    return _run(*arguments).decode().strip()


def _run(*arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.fail("The version before is taken from the history, which needs git: `sudo apt-get install git`.")
    if done.returncode:
        pytest.fail(
            "The version before is taken from the history, which is not here: run the tests in a clone that"
            f" `git clone` made without --depth. git {arguments[0]} says: {done.stderr.decode().strip()}"
        )
    return done.stdout
