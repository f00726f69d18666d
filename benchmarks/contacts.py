"""Pulls contacts from Xero into PostgreSQL: this project, its alternatives, and a bare script as the lower bound.

Measures a first pull, a pull with 1% changed, and one with nothing changed; and counts wrong contacts if 100 of 10,000
change while they are fetched, and after a kill -9 half-way. All use the same sandbox, contacts and PostgreSQL, each
with its own database.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import contacts_report, spending
from benchmarks.surroundings import FIRM, Surroundings, surroundings
from benchmarks.tools import OURS_AT_A_TERMINAL, TOOLS, Installed, Tool, install

RESULTS = Path(__file__).parent / "results"
PORT = 54397
STAGES = ("first pull", "1% changed", "nothing changed")
SIZES = (10_000, 50_000)
CHANGED = 100
FIELDS = ("wall", "cpu", "memory", "postgres", "calls", "received")


def truth(around: Surroundings) -> dict[str, tuple[str | None, str | None]]:
    """Name and email of each contact, as they are in Xero now."""
    records = around.steer("GET", around.collection("Contacts"))
    return {one["ContactID"].lower(): (one.get("Name"), one.get("EmailAddress") or None) for one in records}


def differences(installed: Installed, wanted: dict[str, tuple[str | None, str | None]]) -> dict[str, int]:
    """Counts contacts that are missing, out of date, or stored more than once."""
    stored = installed.stored()
    return {
        "missing": sum(id not in stored for id in wanted),
        "out of date": sum(id in stored and set(stored[id]) != {values} for id, values in wanted.items()),
        "twice": sum(len(rows) > 1 for rows in stored.values()),
    }


def fill(around: Surroundings, contacts: int) -> None:
    around.steer("POST", "reset", {"contacts": {FIRM: contacts}})
    around.steer("PATCH", "settings", {"limits": False})


def beyond_the_start(around: Surroundings) -> float:
    """CPU of a pull with nothing new, divided by the CPU of `--help`: how much a pull costs beyond starting Python."""
    fill(around, 1_000)
    installed = install(OURS_AT_A_TERMINAL, around)
    installed.run()
    command, log = [sys.executable, "-m", "xero", "--help"], installed.state / "log"
    pairs = [(installed.run().cost.cpu, spending.run(command, installed.environment, log).cpu) for _ in range(15)]
    return statistics.median(pull / start for pull, start in pairs)


def three_runs(around: Surroundings, tool: Tool) -> Iterator[tuple[str, dict[str, float]]]:
    """First pull, 1% changed, nothing changed. `wrong`: number of contacts that differ from Xero."""
    installed = install(tool, around)
    for stage in STAGES:
        if stage == "1% changed":
            around.steer("POST", f"{around.collection('Contacts')}/touch", {"share": 0.01})
        spent = installed.run()
        found = differences(installed, truth(around))
        if any(found.values()):
            print(f"  {tool.name}, {stage}: {found}", flush=True)
        figures = {"wall": spent.cost.wall, "cpu": spent.cost.cpu, "memory": spent.cost.memory}
        figures |= {"postgres": spent.postgres, "calls": spent.calls, "received": spent.received}
        figures["wrong"] = sum(found.values())
        yield stage, figures


def under_change(around: Surroundings, tool: Tool) -> dict[str, Any]:
    """Changes 100 records while pages are fetched; counts what is wrong after that run, and after the next one."""
    installed = install(tool, around)
    pages = -(-len(truth(around)) // tool.page_size)
    each = max(1, CHANGED // pages)
    drift = {"tenant": around.tenant, "collection": "Contacts", "changes_per_page": each, "total": CHANGED}
    around.steer("PUT", "drift", drift)
    try:
        installed.run()
        [order] = around.steer("GET", "drift")
        if not order["changed"]:
            raise RuntimeError(f"nothing changed while {tool.name} fetched")
    finally:
        around.steer("DELETE", "drift")
    wanted = truth(around)
    at_once = differences(installed, wanted)
    installed.run()
    return {
        "changed": len(order["changed"]),
        "missing": at_once["missing"],
        "still missing": differences(installed, wanted)["missing"],
        "still out of date": differences(installed, wanted)["out of date"],
    }


def after_a_kill(around: Surroundings, tool: Tool) -> dict[str, Any]:
    """Kills the tool after half of its calls, then runs it again; counts the calls, and what is wrong."""
    full_run = install(tool, around).run().calls
    installed = install(tool, around)

    def half_way() -> bool:
        asked = around.steer("GET", "stats")["by_path"].get("/api.xro/2.0/Contacts", 0)
        return bool(asked >= max(2, full_run // 2))

    around.steer("PATCH", "settings", {"latency_ms": [60, 60]})  # so that it is still running when it is killed
    try:
        killed = installed.run(kill_when=half_way)
    finally:
        around.steer("PATCH", "settings", {"latency_ms": [0, 0]})
    if not killed.cost.killed:
        raise RuntimeError(f"{tool.name} ended before it was killed")
    left = len(installed.stored())
    again = installed.run()
    return {
        "calls of a full run": full_run,
        "calls until killed": killed.calls,
        "rows left by it": left,
        "calls of the next run": again.calls,
        **differences(installed, truth(around)),
    }


def measure(sizes: Sequence[int], rounds: int, tools: Sequence[Tool]) -> dict[str, Any]:
    """Runs everything. The tools take turns, so that other load on the machine affects them equally."""
    runs: list[dict[str, Any]] = []
    found: dict[str, Any] = {"runs": runs, "under change": {}, "after a kill": {}}
    with surroundings(PORT) as around:
        found["beyond the start"] = beyond_the_start(around)
        for size in sizes:
            for number in range(rounds):
                for tool in (*tools[number % len(tools) :], *tools[: number % len(tools)]):
                    fill(around, size)  # undoes the changes made for the tool before
                    for stage, figures in three_runs(around, tool):
                        runs.append({"size": size, "tool": tool.name, "stage": stage, "round": number, **figures})
                        said = ", ".join(f"{name} {figures[name]:.2f}" for name in (*FIELDS, "wrong"))
                        print(f"{size} {tool.name}, {stage}: {said}", flush=True)
        for tool in tools:
            for name, case in (("under change", under_change), ("after a kill", after_a_kill)):
                fill(around, 10_000)
                found[name][tool.name] = case(around, tool)
                print(f"{name}: {tool.name}: {found[name][tool.name]}", flush=True)
    return found


def medians(runs: Sequence[dict[str, Any]]) -> dict[tuple[int, str, str], dict[str, float]]:
    """Medians by size, tool and stage; of `wrong` the maximum."""
    keys = dict.fromkeys((run["size"], run["tool"], run["stage"]) for run in runs)

    def of(key: tuple[int, str, str], name: str) -> list[float]:
        return [run[name] for run in runs if (run["size"], run["tool"], run["stage"]) == key]

    return {key: {name: statistics.median(of(key, name)) for name in FIELDS} | {"wrong": max(of(key, "wrong"))}
            for key in keys}  # fmt: skip


def write(found: dict[str, Any]) -> None:
    """Writes the report and the plot."""
    of = medians(found["runs"])
    contacts_report.draw(of, max(size for size, _, _ in of), RESULTS / "contacts.svg")
    (RESULTS / "contacts.md").write_text(f"{contacts_report.text(found, of)}\n![CPU](contacts.svg)\n")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contacts", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="only tools whose name contains one of these words")
    parser.add_argument("--write", action="store_true", help="write benchmarks/results/contacts.*")
    parser.add_argument("--report", action="store_true", help="measure nothing; rewrite contacts.* from contacts.json")
    given = parser.parse_args(arguments)
    if given.report:
        write(json.loads((RESULTS / "contacts.json").read_text()))
        return
    tools = tuple(tool for tool in TOOLS if not given.only or any(word in tool.name for word in given.only))
    began = time.monotonic()
    found = measure(given.sizes, given.rounds, tools)
    found["when"] = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores"
    found["minutes"] = round((time.monotonic() - began) / 60)
    print(contacts_report.text(found, medians(found["runs"])))
    if given.write:
        (RESULTS / "contacts.json").write_text(json.dumps(found, indent=1))
        write(found)


if __name__ == "__main__":
    sys.exit(main())
