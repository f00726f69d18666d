"""Programs in the background that outlive the command that started them, and the certainty of stopping only those."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from demo.place import ROOT, DemoError, Place


@dataclass(frozen=True)
class Running:
    """A started program: a session of its own, whose leader is told from a later process of the same id by its start.

    `settings` is a digest of command and environment: a program started under others must be started anew.
    """

    pid: int
    started: float
    settings: str


def ensure_started(
    place: Place,
    name: str,
    command: Sequence[str],
    *ports: int,
    settings: Mapping[str, str] | None = None,
    keep_log: bool = False,
) -> bool:
    """Starts the program, which will listen on these ports, unless it already runs just so. False: it already ran.

    `settings`: its environment beside what it inherits; none: the place's. `keep_log`: what it said before stays."""
    given = dict(place.settings if settings is None else settings)
    digest = hashlib.sha256(json.dumps([list(command), given], sort_keys=True).encode()).hexdigest()
    known = recorded(place, name)
    if known and known.settings == digest and running(place, name):
        return False
    stop(place, name)
    for port in ports:
        ensure_free(place, name, port)
    with place.log(name).open("ab" if keep_log else "wb") as log:
        child = subprocess.Popen(
            command,
            cwd=ROOT,
            env=place.inherited | given,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    born = Running(child.pid, psutil.Process(child.pid).create_time(), digest)
    record(place, name).write_text(json.dumps(asdict(born)))
    return True


def stop(place: Place, name: str, patience: float = 20.0, only_leader: bool = False) -> bool:
    """Stops the program and all it started: politely, then firmly. False: it did not run.

    `only_leader`: only the program itself is asked politely, and asks its own."""
    return _end(place, name, ((signal.SIGTERM, patience, only_leader), (signal.SIGKILL, 5.0, False)))


def kill(place: Place, name: str) -> bool:
    """Ends the program and all it started, with no chance to say goodbye. False: it did not run."""
    return _end(place, name, ((signal.SIGKILL, 5.0, False),))


def _end(place: Place, name: str, ways: Sequence[tuple[signal.Signals, float, bool]]) -> bool:
    """One way after the other: signal, seconds to wait, whether only the leader gets it."""
    known = recorded(place, name)
    if known is None:
        return False
    found = members(known)
    for firmness, wait, only_leader in ways:
        for process in members(known):
            if only_leader and process.pid != known.pid:
                continue
            try:
                process.send_signal(firmness)
            except psutil.NoSuchProcess:
                continue
        if until(lambda: not members(known), wait):
            break
    if left := members(known):
        raise DemoError(f"{name}: these processes do not end: {[process.pid for process in left]}")
    # What has ended may stay in the process list until its parent has noticed: not for long, and not our doing.
    psutil.wait_procs(found, timeout=5.0)
    record(place, name).unlink(missing_ok=True)
    return bool(found)


def members(known: Running) -> list[psutil.Process]:
    """The program's processes: everything in the session it leads, even when the leader is gone."""
    return [process for process in psutil.process_iter() if belongs(process, known)]


def belongs(process: psutil.Process, known: Running) -> bool:
    """Whether the process is the program, or in its session; never a later one under a reused id."""
    try:
        if process.pid == known.pid:
            ours = abs(process.create_time() - known.started) < 0.5
        else:
            # The kernel reuses no id of a session that still has members; an alien one would live elsewhere.
            ours = os.getsid(process.pid) == known.pid and process.cwd() == str(ROOT)
        return ours and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def running(place: Place, name: str) -> bool:
    """Whether the program itself, not only something it started, is there."""
    known = recorded(place, name)
    return known is not None and any(process.pid == known.pid for process in members(known))


def ensure_free(place: Place, name: str, port: int) -> None:
    """DemoError, naming the variable to change, when something else listens on the port."""
    if listening(port):
        raise DemoError(
            f"{name}: port {port} is taken by another program. "
            f"Choose a free one: make demo {place.variable(port)}={port + 1000}"
        )


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(met: Callable[[], bool], patience: float, pause: float = 0.2) -> bool:
    """Waits up to `patience` seconds for the condition."""
    deadline = time.monotonic() + patience
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end_of_log(place: Place, name: str, lines: int = 15) -> str:
    """Where the program's log is, and its last lines."""
    log = place.log(name)
    last = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join([f"Its log: {log}", *last])


def record(place: Place, name: str) -> Path:
    return place.home / "running" / f"{name}.json"


def recorded(place: Place, name: str) -> Running | None:
    file = record(place, name)
    return Running(**json.loads(file.read_text())) if file.exists() else None
