"""Starts programs in the background that outlive the command, and stops only those."""

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
    """A started program, which leads its own session.

    `started` distinguishes it from a later process with the same id. `settings` is a digest of command and environment:
    if they change, the program must be restarted.
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
    """Starts the program, unless it is already running with the same command and settings.

    Args:
        ports: the ports on which it will listen.
        settings: its environment in addition to the inherited one. None: the place's settings.
        keep_log: append to the log of an earlier run.

    Returns:
        False if it is already running.
    """
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
    """Stops the program and its children: SIGTERM, then SIGKILL. Returns False if it was not running.

    `only_leader`: send SIGTERM only to the program itself, which stops its children.
    """
    return _end(place, name, ((signal.SIGTERM, patience, only_leader), (signal.SIGKILL, 5.0, False)))


def kill(place: Place, name: str) -> bool:
    """Sends SIGKILL to the program and its children. Returns False if it was not running."""
    return _end(place, name, ((signal.SIGKILL, 5.0, False),))


def _end(place: Place, name: str, steps: Sequence[tuple[signal.Signals, float, bool]]) -> bool:
    """Takes the steps in turn until the program has ended: signal, seconds to wait, whether only for the leader."""
    known = recorded(place, name)
    if known is None:
        return False
    found = members(known)
    for signal_to_send, wait, only_leader in steps:
        for process in members(known):
            if only_leader and process.pid != known.pid:
                continue
            try:
                process.send_signal(signal_to_send)
            except psutil.NoSuchProcess:
                continue
        if until(lambda: not members(known), wait):
            break
    if left := members(known):
        raise DemoError(f"{name}: these processes do not end: {[process.pid for process in left]}")
    # An ended process stays in the process list until its parent has reaped it.
    psutil.wait_procs(found, timeout=5.0)
    record(place, name).unlink(missing_ok=True)
    return bool(found)


def members(known: Running) -> list[psutil.Process]:
    """All processes in the session that the program leads, even if the leader has ended."""
    return [process for process in psutil.process_iter() if belongs(process, known)]


def belongs(process: psutil.Process, known: Running) -> bool:
    """True if the process is the program or in its session, and not a later one with a reused id."""
    try:
        if process.pid == known.pid:
            ours = abs(process.create_time() - known.started) < 0.5
        else:
            # The kernel does not reuse the id of a session that has members; a foreign session has another folder.
            ours = os.getsid(process.pid) == known.pid and process.cwd() == str(ROOT)
        return ours and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def running(place: Place, name: str) -> bool:
    """True if the program itself is running, not only its children."""
    known = recorded(place, name)
    return known is not None and any(process.pid == known.pid for process in members(known))


def ensure_free(place: Place, name: str, port: int) -> None:
    """Raises DemoError, with the variable to change, if another program listens on the port."""
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
    """Waits up to `patience` seconds for the condition. Returns False if it was not met."""
    deadline = time.monotonic() + patience
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def end_of_log(place: Place, name: str, lines: int = 15) -> str:
    """The path of the program's log, and its last lines."""
    log = place.log(name)
    last = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join([f"Its log: {log}", *last])


def record(place: Place, name: str) -> Path:
    return place.home / "running" / f"{name}.json"


def recorded(place: Place, name: str) -> Running | None:
    file = record(place, name)
    return Running(**json.loads(file.read_text())) if file.exists() else None
