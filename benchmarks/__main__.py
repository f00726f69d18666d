"""Runs the benchmarks of this folder, or those that are named, and writes what it found to `benchmarks/results`."""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import leave_balances, pages

RESULTS = Path(__file__).parent / "results"


def main(*wanted: str) -> None:
    for benchmark in (leave_balances, pages):
        name = benchmark.__name__.rpartition(".")[2]
        if wanted and name not in wanted:
            continue
        title = (benchmark.__doc__ or "").splitlines()[0]
        print(title, flush=True)
        facts = benchmark.run()
        width = max(map(len, facts))
        lines = [f"| {name:<{width}} | {value} |" for name, value in facts.items()]
        print("\n".join(lines), flush=True)
        where = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}"
        table = "\n".join([f"| {'':<{width}} | |", "|---|---|", *lines])
        (RESULTS / f"{name}.md").write_text(f"# {title}\n\n{where}\n\n{table}\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
