"""The report on the runs with contacts: tables, ratios, and which goals are met."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.tools import DLT, FLOOR, OURS_AS_WORKERS_RUN, OURS_AT_A_TERMINAL, TAP
from xero.sync.pull import validate

CHUNK = validate.ROWS_PER_FRAME
PLOT = Path(__file__).parent / "plot"
Medians = Mapping[tuple[int, str, str], Mapping[str, float]]
WORKER, TERMINAL, LEAST = OURS_AS_WORKERS_RUN.name, OURS_AT_A_TERMINAL.name, FLOOR.name
FIRST, NOTHING = "first pull", "nothing changed"


def table(head: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def text(found: Mapping[str, Any], medians: Medians) -> str:
    """The report as Markdown."""
    sizes = list(dict.fromkeys(size for size, _, _ in medians))
    rounds = 1 + max(run["round"] for run in found["runs"])
    lines = [
        "# Contacts from Xero into PostgreSQL",
        "",
        f"{found['when']}; {rounds} rounds in {found['minutes']} minutes, medians. The sandbox responds immediately and"
        " its limits are off: at Xero's 60 calls a minute, 500 calls take at least 8 minutes. CPU is that of the"
        " program, including its start and imports. PostgreSQL's CPU is shown separately and is in no ratio. For this"
        " project as workers run it, CPU is that of the forked process: its imports are already loaded, because a"
        " worker does that once, when it starts. Its memory includes what it shares with the worker.",
        "",
    ]
    for size in sizes:
        for stage in dict.fromkeys(stage for _, _, stage in medians):
            lines += [f"## {size:,} contacts, {stage}", "", *table(HEAD, figures(medians, size, stage)), ""]
    lines += ["## 100 of 10,000 change while they are fetched", "",
              "This project and tap-xero request records ordered by change, so rows move while pages are fetched. The"
              " others request no order; the sandbox then lists by id, where nothing moves. Which order Xero itself"
              " uses then is not known.", ""]  # fmt: skip
    lines += [*table(("", "changed", "lost by the run", "still lost after the next", "out of date after the next"),
                     ((name, *of.values()) for name, of in found["under change"].items())), ""]  # fmt: skip
    lines += ["## Killed (signal 9) half-way through the first pull of 10,000, then run again", ""]
    lines += [*table(KILLED, ((name, *_padded(of)) for name, of in found["after a kill"].items())), ""]
    lines += ["## Goals", "", *table(("", "goal", "", "", "why"), goals(found, medians, sizes[-1])), ""]
    return "\n".join(lines)


HEAD = ("", "wall s", "CPU s", "PostgreSQL CPU s", "memory MiB", "calls", "MB received", "CPU / the floor's", "wrong")
KILLED = ("", "calls of a full run", "until killed", "rows stored by then", "calls of the next run", "missing",
          "out of date", "twice")  # fmt: skip


def _padded(of: Mapping[str, Any]) -> list[Any]:
    return [*of.values(), *[""] * (len(KILLED) - 1 - len(of))]


def figures(medians: Medians, size: int, stage: str) -> Iterator[Sequence[object]]:
    least = medians.get((size, LEAST, stage))
    for (of_size, name, of_stage), one in medians.items():
        if (of_size, of_stage) == (size, stage):
            ratio = f"{one['cpu'] / least['cpu']:.2f}" if least else ""
            yield (name, f"{one['wall']:.1f}", f"{one['cpu']:.2f}", f"{one['postgres']:.2f}", f"{one['memory']:.0f}",
                   f"{one['calls']:.0f}", f"{one['received'] / 1e6:.2f}", ratio, f"{one['wrong']:.0f}")  # fmt: skip


def goals(found: Mapping[str, Any], medians: Medians, size: int) -> Iterator[Sequence[object]]:
    """Each goal with its ratio, whether it is met, and if not, why."""

    def figure(what: str, tool: str, stage: str = FIRST, of: int = size) -> float | None:
        one = medians.get((of, tool, stage))
        return one[what] if one else None

    def ratio(what: str, tool: str, beside: str) -> float | None:
        ours, theirs = figure(what, tool), figure(what, beside)
        return ours / theirs if ours and theirs else None

    def row(says: str, most: float, value: float | None, why: str = "") -> Sequence[object]:
        if value is None:
            return says, f"at most {most:g}", "not measured", "", ""
        met = value <= most
        return says, f"at most {most:g}", f"{value:.2f}", "met" if met else "**not met**", "" if met else why

    first = f"{size:,} contacts, first pull: "
    yield row(first + "bytes / the floor's", 1.02, ratio("received", TERMINAL, LEAST))
    ours, least = figure("calls", TERMINAL), figure("calls", LEAST)
    yield row(first + "calls more than the floor", 1, ours - least if ours and least else None)
    preloaded, started = figure("cpu", WORKER), figure("cpu", TERMINAL)
    theirs = figure("cpu", DLT.name)
    why = ""
    if preloaded and started and theirs:
        why = (
            f"{started - preloaded:.1f} s of it are imports, most of them Great Expectations'; as workers run it, which"
        )
        why += f" have them loaded, the ratio is {preloaded / theirs:.2f}"
    yield row(first + "CPU at a terminal / dlt's", 0.5, ratio("cpu", TERMINAL, DLT.name), why)
    yield row(
        first + "CPU at a terminal / that of tap-xero and target-postgres", 0.25, ratio("cpu", TERMINAL, TAP.name)
    )
    why = "it converts every value by its type, hashes, stages and checks each row, which the floor does not"
    yield row(first + "CPU as workers run it, without imports / the floor's", 1, ratio("cpu", WORKER, LEAST), why)
    sizes = sorted({one for one, _, _ in medians})
    if len(sizes) > 1:
        large, small = figure("memory", WORKER, of=sizes[-1]), figure("memory", WORKER, of=sizes[0])
        grows = large / small if large and small else None
        why = f"rows are checked {CHUNK:,} at a time, and a chunk is bounded, not small"
        yield row(f"memory with {sizes[-1]:,} contacts / with {sizes[0]:,}", 1.05, grows, why)
    yield row("nothing changed: calls", 1, figure("calls", TERMINAL, NOTHING))
    yield row("nothing changed: CPU / CPU of starting the process only", 1.2, found["beyond the start"])
    yield row("rows lost while 100 change", 0, found["under change"].get(TERMINAL, {}).get("missing"))


def draw(medians: Medians, size: int, file: Path) -> None:
    """Draws a plot of CPU seconds."""
    python = environments.make(PLOT) / PLOT.name / "bin" / "python"
    names = list(dict.fromkeys(name for _, name, _ in medians))
    stages = list(dict.fromkeys(stage for _, _, stage in medians))
    bars = {name: [medians[size, name, stage]["cpu"] for stage in stages] for name in names}
    given = {"title": f"{size:,} contacts into PostgreSQL", "unit": "seconds of CPU, logarithmic"}
    given |= {"groups": stages, "bars": bars, "file": str(file)}
    subprocess.run([python, PLOT / "bars.py"], input=json.dumps(given), text=True, check=True)
