"""What a program costs: seconds, seconds of CPU, memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

LONGEST = 1800.0  # seconds
LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True)
class Cost:
    """`wall` and `cpu` in seconds, the latter of the program and everything it started; `memory` is the most that all
    of them held at a time, in MiB of resident pages."""

    wall: float
    cpu: float
    memory: float
    code: int
    killed: bool = False  # because it was to be; what fell by itself has a code other than 0, too


def seconds(process: psutil.Process) -> float:
    """Of CPU: the process's, and its children's that have ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def mebibytes(process: psutil.Process) -> float:
    """Of memory, its part of what it shares; none when it has ended by now."""
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def postgres_seconds(home: Path) -> float:
    """Of CPU: what the PostgreSQL of a place in that folder has used so far, ended sessions among it."""
    server = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
    return seconds(server) + sum(map(seconds, server.children()))


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    log: Path,
    *,
    kill_when: Callable[[], bool] = lambda: False,
) -> Cost:
    """Runs it to its end, or kills all of it with signal 9 as soon as `kill_when` says so. Its output goes to `log`."""
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Of what the kernel remembers the highest is this benchmark's own, from before the program took its place.
    watched, most, killed = psutil.Process(process.pid), 0.0, False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most = max(most, _resident(watched))
        if time.monotonic() - began > LONGEST:
            os.killpg(process.pid, signal.SIGKILL)
        elif not killed and kill_when():
            killed = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(LOOK_EVERY)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime, most, process.returncode, killed)


def _resident(process: psutil.Process) -> float:
    try:
        family = [process, *process.children(recursive=True)]
        return sum(one.memory_info().rss for one in family) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def clean_environment() -> dict[str, str]:
    """The caller's, without what would change how another environment's Python runs."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "AIRFLOW", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
