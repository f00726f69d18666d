"""Programs in the background: started once, stopped whole, and never a stranger."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from demo import processes
from demo.place import DemoError, Place
from tests.support.ports import reserved_ports

# A program with a child of its own; both only end when they are told to.
CHILD = "import signal; signal.pause()"
FAMILY = [sys.executable, "-c", f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {CHILD!r}]); {CHILD}"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with reserved_ports(2) as [sandbox_port, airflow_port]:
        place = Place(tmp_path, sandbox_port=sandbox_port, airflow_port=airflow_port)
        place.prepare()
        yield place
        processes.stop(place, "family")


def start(place: Place) -> list[psutil.Process]:
    processes.ensure_started(place, "family", FAMILY, place.sandbox_port)
    known = processes.recorded(place, "family")
    assert known
    assert processes.until(lambda: len(processes.members(known)) == 2, patience=120)
    return processes.members(known)


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_stops_the_program_and_its_children(place: Place) -> None:
    family = start(place)
    assert processes.stop(place, "family")
    assert not [one.pid for one in family if lives(one)]
    assert not processes.stop(place, "family"), "the second time there is nothing to stop"


def test_stops_the_children_of_a_program_that_crashed(place: Place) -> None:
    leader, child = sorted(start(place), key=lambda process: process.pid)
    leader.kill()
    assert processes.until(lambda: not processes.running(place, "family"), patience=120)
    assert child.is_running()
    processes.stop(place, "family")
    assert not lives(child)


def test_is_not_started_twice(place: Place) -> None:
    family = start(place)
    assert processes.ensure_started(place, "family", FAMILY, place.sandbox_port) is False
    assert {one.pid for one in start(place)} == {one.pid for one in family}


def test_is_started_anew_under_other_settings(place: Place) -> None:
    first = start(place)
    moved = replace(place, airflow_port=place.airflow_port + 1)
    second = start(moved)
    assert not [one.pid for one in first if lives(one)]
    assert len([one.pid for one in second if lives(one)]) == 2


def test_spares_a_stranger_under_a_reused_id(place: Place) -> None:
    stranger = processes.Running(os.getpid(), psutil.Process().create_time() - 3600, "")
    processes.record(place, "family").write_text(json.dumps(asdict(stranger)))
    assert not processes.running(place, "family")
    assert processes.stop(place, "family") is False
    assert psutil.Process().is_running()


def test_a_taken_port_names_its_variable(place: Place) -> None:
    taken = place.sandbox_port
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(DemoError, match=f"SANDBOX_PORT={taken + 1000}"),
    ):
        processes.ensure_started(place, "family", FAMILY, taken)
    assert not processes.running(place, "family")
