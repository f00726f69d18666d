"""`make faults`: a quarter of an hour in which everything goes wrong on a whole cluster, and then the proof."""

import argparse
import random
import sys
from pathlib import Path

from tests.faults.run import Run
from tests.support.stack import reserved_for_a_place

SEEDS = Path(__file__).with_name("seeds.txt")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="what the dice begin with; none: one of those that are kept, or a new one"
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="how long things go wrong (15)")
    parser.add_argument("--keep", action="store_true", help="leave the cluster up afterwards, to look at it")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else any_seed()
    print(f"seed {seed}", flush=True)
    with reserved_for_a_place() as ports:
        wrong = Run(seed, options.minutes, ports).all(keep=options.keep)
    print(f"\n{'All checks hold' if not wrong else f'{wrong} complaints'}.")
    print(f"The same steps at the same seconds, whatever they meet then: make faults FAULT_SEED={seed}")
    return 1 if wrong else 0


def any_seed() -> int:
    """One of those that found something once, or a new one, as often as each."""
    kept = [int(line.split()[0]) for line in SEEDS.read_text().splitlines() if line.strip() and line[0] != "#"]
    new = random.SystemRandom().randrange(1, 1_000_000)
    return random.SystemRandom().choice([*kept, new])


if __name__ == "__main__":
    sys.exit(main())
