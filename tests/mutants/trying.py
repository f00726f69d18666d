"""Runs the tests of a module against its mutants, each in a process of its own.

Starting pytest takes seconds, most of them for imports that no mutant changes. So one process imports what the tests
need and is not the project's, and is copied for each mutant (`forkserver`). A mutant lies in a copy of `plugins`, which
comes first on the path; the checkout is never touched.
"""

import gc
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tests.mutants.making import Mutant

ROOT = Path(__file__).resolve().parents[2]
# Nothing is remembered from one mutant to the next. Plugins are named: looking for them takes a second.
PYTEST = (
    "-x", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:unraisableexception",
    "-o", "timeout=90", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin",
    "-p", "tests.mutants.without_shrinking",
)  # fmt: skip
SPARE_SECONDS, TIMES_AS_LONG = 4, 4  # of the processor, which other programs take nothing of
WAITS, TIMES_AS_SLOW = 60.0, 10  # seconds by the clock, for what waits and does not compute


@dataclass(frozen=True)
class Net:
    """The tests that are to notice every change of a module (`api/paging`), as arguments of pytest.

    `sample`: so many of its mutants are tried; 0: all.
    """

    module: str
    tests: Sequence[str]
    postgres: bool = False
    sample: int = 0

    @property
    def file(self) -> Path:
        return Path("plugins", "xero", f"{self.module}.py")

    @property
    def arguments(self) -> list[str]:
        """For pytest. Without a database the conftest above the ring has nothing for them; it imports everything."""
        if self.postgres:
            return list(self.tests)
        ring = os.path.commonpath([Path(test).parent for test in self.tests])
        return [f"--confcutdir={ring}", *self.tests]


@dataclass
class Place:
    """A copy of the plugins for one process at a time."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="mutants-")))

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "plugins", self.folder / "plugins")
        (self.folder / "include").symlink_to(ROOT / "include")

    def put(self, net: Net, source: str) -> None:
        path = self.folder / net.file
        path.write_text(source)
        # Python knows a compiled file by the time and size of its source: never the same time twice.
        os.utime(path, ns=(now := time.time_ns(), now))
        compiled = path.parent / "__pycache__"
        for old in compiled.glob(f"{path.stem}.*"):
            old.unlink()

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def notes(self) -> Path:
        """The processor's seconds that an attempt took, and what it imported."""
        return self.folder / "notes"

    def clear(self) -> None:
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir()


@dataclass(frozen=True)
class Attempt:
    """`code` is pytest's exit code, or minus the signal that ended it; None: it was given up on."""

    mutant: Mutant
    code: int | None

    @property
    def outcome(self) -> str:
        if self.code == 0:
            return "survived"
        return "killed" if self.code in (1, 2, 4) else "timed out"


class NetIsTorn(Exception):
    """The tests fail without any mutant, or there are none."""


def undisturbed(method: str, net: Net) -> tuple[int, float, list[str]]:
    """How many seconds of the processor, and by the clock, the tests may take with a mutant, and what they import from
    elsewhere."""
    place, begun = Place(), time.monotonic()
    place.put(net, (ROOT / net.file).read_text())
    process = _start(method, net, place, limit=None)
    process.join()
    if process.exitcode != 0:
        raise NetIsTorn(f"The tests of {net.module} fail as they are:\n{place.log.read_text()[-3000:]}")
    seconds, *imported = place.notes.read_text().splitlines()
    shutil.rmtree(place.folder)
    patience = WAITS + TIMES_AS_SLOW * (time.monotonic() - begun)
    return int(float(seconds) * TIMES_AS_LONG) + SPARE_SECONDS, patience, imported


def attempts(net: Net, mutants: Iterable[Mutant], processes: int) -> Iterator[Attempt]:
    _, _, imported = undisturbed("spawn", net)
    multiprocessing.get_context("forkserver").set_forkserver_preload([*imported, __name__])
    limit, patience, _ = undisturbed("forkserver", net)
    free = [Place() for _ in range(processes)]
    running: dict[int, tuple[Any, Place, Mutant, float]] = {}
    coming = iter(mutants)
    mutant: Mutant | None
    while (mutant := next(coming, None) if free else None) or running:
        if mutant:
            place = free.pop()
            place.put(net, mutant.source)
            process = _start("forkserver", net, place, limit)
            running[process.sentinel] = process, place, mutant, time.monotonic() + patience
            if free:
                continue
        ended = wait(list(running), timeout=1.0)
        late = [one for one, (_, _, _, deadline) in running.items() if time.monotonic() > deadline]
        for sentinel in {*ended, *late}:
            process, place, tried, _ = running.pop(sentinel)
            _end(process)
            yield Attempt(tried, process.exitcode if sentinel in ended else None)
            free.append(place)
    for place in free:
        shutil.rmtree(place.folder)


def _start(method: str, net: Net, place: Place, limit: int | None) -> Any:
    place.clear()
    context: Any = multiprocessing.get_context(method)
    process = context.Process(target=_run, args=(net, place, limit))
    process.start()
    return process


def _end(process: Any) -> None:
    """With all that it has started: a sandbox, say."""
    with suppress(ProcessLookupError):  # nothing is left of it
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _run(net: Net, place: Place, limit: int | None) -> None:
    os.setsid()
    gc.freeze()  # what was imported before is not looked through again
    log = os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if limit:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    os.environ |= {
        "PYTHONPATH": os.pathsep.join((str(place.folder / "plugins"), str(ROOT / "include"), str(ROOT))),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TMPDIR": str(place.folder / "tmp"),
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False  # else everything is compiled again for each mutant
    tempfile.tempdir = None
    sys.path.insert(0, str(place.folder / "plugins"))
    # Airflow imports this project's provider from the checkout.
    for name in [name for name in sys.modules if name.partition(".")[0] == "xero"]:
        del sys.modules[name]
    os.chdir(ROOT)
    import pytest

    code = int(pytest.main([*PYTEST, *net.arguments]))
    used = sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    elsewhere = [name for name, module in list(sys.modules.items()) if _is_from_elsewhere(name, module)]
    place.notes.write_text("\n".join([str(used), *elsewhere]))
    sys.exit(code)


def _is_from_elsewhere(name: str, module: Any) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and "site-packages" in file and not name.startswith(("_pytest.assertion", "xero"))
