"""`make mutants`: small changes to the modules where a slip costs most, of which each must fail a test.

Ends with 1 when a change is noticed by no test and is not among the explained ones (`explained.toml`). The figures go
to `results.md`.
"""

import argparse
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.mutants.judging import judge, keep
from tests.mutants.trying import Net

MODULES = Path(__file__).with_name("modules.toml")


def main() -> int:
    nets = {module: Net(module, **declared) for module, declared in tomllib.loads(MODULES.read_text()).items()}
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="module", help=f"of these: {', '.join(nets)}; none: all of them")
    parser.add_argument("--processes", type=int, default=2, help="mutants tried at the same time (2)")
    options = parser.parse_args()
    if unknown := [module for module in options.modules if module not in nets]:
        parser.error(f"{', '.join(unknown)}: not in {MODULES.name}")
    verdicts = []
    for module in options.modules or nets:
        # A process for each module: what its tests import is imported for it alone, and before any copy is made.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            verdicts.append(apart.submit(judge, nets[module], options.processes).result())
        print("\n".join(verdicts[-1].lines()), flush=True)
        keep(verdicts[-1])
    return 1 if any(verdict.unexplained for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
