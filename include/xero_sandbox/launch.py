"""Runs the sandbox as a separate process, for programs and tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def launched(*arguments: str) -> Iterator[str]:
    """Starts `python -m xero_sandbox` with these arguments on a free port, gives its URL, and ends it.

    RuntimeError when it does not start."""
    folder = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((folder, os.environ.get("PYTHONPATH", "")))}
    command = [sys.executable, "-m", "xero_sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if " at http" not in said:
            raise RuntimeError(f"the sandbox did not start: {said or process.wait()}")
        yield said.rsplit(" ", 1)[1].strip()
    finally:
        process.terminate()
        process.wait(timeout=10)
