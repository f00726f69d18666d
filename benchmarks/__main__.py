"""Runs all benchmarks, or those named, and writes the results to `benchmarks/results`."""

import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from benchmarks import contacts, costs, full_refresh, leave_balances, limits, pages, pushing, trigger

RESULTS = Path(__file__).parent / "results"


def simple(benchmark: ModuleType) -> Callable[[], None]:
    """Runs a benchmark that returns its figures by name, and writes them as a table."""

    def run() -> None:
        name = benchmark.__name__.rpartition(".")[2]
        title = (benchmark.__doc__ or "").splitlines()[0]
        facts = benchmark.run()
        width = max(map(len, facts))
        lines = [f"| {name:<{width}} | {value} |" for name, value in facts.items()]
        print("\n".join(lines), flush=True)
        where = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}"
        table = "\n".join([f"| {'':<{width}} | |", "|---|---|", *lines])
        (RESULTS / f"{name}.md").write_text(f"# {title}\n\n{where}\n\n{table}\n")

    return run


BENCHMARKS: dict[str, Callable[[], None]] = {
    "contacts": lambda: contacts.main(["--write"]),
    "pushing": lambda: pushing.main(["--write"]),
    "trigger": lambda: trigger.main(["--write"]),
    "costs": lambda: costs.main(["--write"]),  # uses the results of contacts
    "full_refresh": simple(full_refresh),
    "leave_balances": simple(leave_balances),
    "limits": simple(limits),
    "pages": simple(pages),
}


def main(*wanted: str) -> None:
    if unknown := set(wanted) - BENCHMARKS.keys():
        raise SystemExit(f"unknown benchmark {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}")
    for name in wanted or BENCHMARKS:
        print(f"== {name}", flush=True)
        BENCHMARKS[name]()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
