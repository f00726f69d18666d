"""Measures a program: seconds, CPU seconds, memory."""

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

TIMEOUT_SECONDS = 1800.0
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """`wall` and `cpu` in seconds, `cpu` with child processes; `memory` is their joint peak, resident, in MiB."""

    wall: float
    cpu: float
    memory: float
    code: int
    killed: bool = False  # by the benchmark; a program that crashed also has a code other than 0


def seconds(process: psutil.Process) -> float:
    """CPU seconds of a process and of its children that have ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


def mebibytes(process: psutil.Process) -> float:
    """Memory of a process with its share of shared pages; 0 if it has ended."""
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def postgres_seconds(home: Path) -> float:
    """CPU seconds of the PostgreSQL in that folder so far, including ended sessions."""
    server = psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().split()[0]))
    return seconds(server) + sum(map(seconds, server.children()))


def run(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    log: Path,
    *,
    kill_when: Callable[[], bool] = lambda: False,
) -> Cost:
    """Runs a program to its end, or kills it and its children with signal 9 when `kill_when` is true. Logs to `log`."""
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Sampled, because the kernel's peak would include this benchmark's own memory from before exec.
    watched, most, killed = psutil.Process(process.pid), 0.0, False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most = max(most, _resident(watched))
        if time.monotonic() - began > TIMEOUT_SECONDS:
            os.killpg(process.pid, signal.SIGKILL)
        elif not killed and kill_when():
            killed = True
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(SAMPLE_SECONDS)
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
    """The caller's environment without variables that affect another environment's Python."""
    foreign = ("PYTHON", "VIRTUAL_ENV", "AIRFLOW", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
