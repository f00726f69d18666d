"""Runs every benchmark of this folder and writes what it found to `benchmarks/results`."""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import leave_balances, pages

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    for benchmark in (leave_balances, pages):
        title = (benchmark.__doc__ or "").splitlines()[0]
        print(title, flush=True)
        facts = benchmark.run()
        width = max(map(len, facts))
        lines = [f"| {name:<{width}} | {value} |" for name, value in facts.items()]
        print("\n".join(lines), flush=True)
        name = benchmark.__name__.rpartition(".")[2]
        where = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}"
        table = "\n".join([f"| {'':<{width}} | |", "|---|---|", *lines])
        (RESULTS / f"{name}.md").write_text(f"# {title}\n\n{where}\n\n{table}\n")


if __name__ == "__main__":
    sys.exit(main())
