"""The parts of the demo's Airflow: one that ends is started again, and that is said."""

import os
import signal
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from demo import standalone
from demo.processes import until

# As a scheduler whose worker outlives it: with its output in the hands of a child it ends once told by a file.
PART = """#!{python}
import os, subprocess, sys, time
with open(os.environ["STARTS"], "a") as starts:
    print(os.getpid(), file=starts)
print("the part runs", sys.argv[1], flush=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"], stderr=subprocess.DEVNULL)
time.sleep(600)
"""


def test_a_part_that_ends_is_started_again_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, starts = tmp_path / "airflow", tmp_path / "starts"
    program.write_text(PART.format(python=sys.executable))
    program.chmod(0o755)
    starts.touch()
    monkeypatch.setattr(standalone, "PAUSE", 0.1)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said: deque[tuple[str, bytes]] = deque()
    part = standalone.Lasting(
        SimpleNamespace(output_queue=said),
        name="scheduler",
        command=["scheduler"],
        env=dict(os.environ) | {"STARTS": str(starts)},
    )
    mine = psutil.Process()

    def started() -> list[int]:
        return [int(line) for line in starts.read_text().split()]

    part.start()
    try:
        for ends, firmness in enumerate((signal.SIGTERM, signal.SIGKILL), 1):
            assert until(lambda ends=ends: len(started()) == ends, 120)  # type: ignore[misc]
            assert until(lambda ends=ends: [line for _, line in said].count(b"the part runs scheduler\n") == ends, 120)  # type: ignore[misc]
            os.kill(started()[-1], firmness)
        assert until(lambda: len(started()) == 3, 120)
        told = [line.decode() for _, line in said if b"restarting" in line]
        assert told == [f"scheduler ended with {code}; restarting in 0.1 s" for code in (-15, -9)]
    finally:
        part.stop()
        part.join(60)
        for child in mine.children(recursive=True):
            if str(tmp_path) in " ".join(child.cmdline()):
                child.kill()
    assert not part.is_alive()
    assert len(started()) == 3, "what was stopped stays so"
