"""What became of a module's mutants: beside the list of explained survivors, and as a line of the results."""

import os
import random
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.making import mutants_of
from tests.mutants.trying import ROOT, Attempt, Net, attempts

EXPLAINED = Path(__file__).with_name("explained.toml")
RESULTS = Path(__file__).with_name("results.md")
SEED = 1

Name = tuple[str, str, str]


@dataclass(frozen=True)
class Verdict:
    """Of one module. `made` are all its mutants, `attempts` those that were tried; they differ where it is sampled."""

    module: str
    made: int
    attempts: Sequence[Attempt]
    seconds: float
    explained: Mapping[Name, str]

    def of(self, outcome: str) -> list[Attempt]:
        return [one for one in self.attempts if one.outcome == outcome]

    @property
    def unexplained(self) -> list[Attempt]:
        return [one for one in self.of("survived") if one.mutant.name not in self.explained]

    @property
    def stale(self) -> list[Name]:
        """Explained, and killed by now, or not made any more."""
        survived = {one.mutant.name for one in self.of("survived")}
        not_tried = self.made != len(self.attempts)
        tried = {one.mutant.name for one in self.attempts}
        return [name for name in self.explained if name not in survived and (name in tried or not not_tried)]

    def lines(self) -> list[str]:
        survived = len(self.of("survived"))
        said = [
            f"{self.module}: {len(self.attempts)} of {self.made} mutants, {len(self.attempts) - survived} killed"
            f" ({len(self.of('timed out'))} by the time they took), {survived - len(self.unexplained)} survived as"
            f" explained, {len(self.unexplained)} survived; {self.seconds:.0f} s"
        ]
        for one in sorted(self.unexplained, key=lambda one: one.mutant.line):
            place = f"plugins/xero/{self.module}.py:{one.mutant.line}"
            said.append(f"  survived: {place} {one.mutant.within}\n    {one.mutant.was}\n    {one.mutant.now}")
        said += [f"  stale in {EXPLAINED.name}: {within}\n    {was}\n    {now}" for within, was, now in self.stale]
        return said

    def row(self) -> str:
        survived = len(self.of("survived"))
        figures = [
            self.module,
            str(datetime.now(UTC).date()),
            str(self.made),
            str(len(self.attempts)),
            str(len(self.attempts) - survived),
            str(survived - len(self.unexplained)),
            str(len(self.unexplained)),
            f"{self.seconds:.0f}",
        ]
        return f"| {' | '.join(figures)} |"


def judge(net: Net, processes: int) -> Verdict:
    began = time.monotonic()
    mutants = list(mutants_of((ROOT / net.file).read_text()))
    chosen = mutants
    if net.sample and len(mutants) > net.sample:
        chosen = random.Random(f"{SEED} {net.module}").sample(mutants, net.sample)
        print(f"{net.module}: {net.sample} of {len(mutants)} mutants, drawn with seed {SEED}", flush=True)
    with ExitStack() as stack:
        # Read when Airflow is imported, which happens before the tests have a say in it.
        os.environ["AIRFLOW_HOME"] = stack.enter_context(TemporaryDirectory(prefix="airflow-"))
        if net.postgres:
            from tests.support.postgres import migrated, server

            os.environ["XERO_TEST_POSTGRES"] = url = stack.enter_context(server())
            os.environ["XERO_TEST_TEMPLATE"] = migrated(url)
        tried = []
        for attempt in attempts(net, chosen, processes):
            tried.append(attempt)
            if len(tried) % 50 == 0:
                print(f"{net.module}: {len(tried)} of {len(chosen)} tried", flush=True)
    return Verdict(net.module, len(mutants), tried, time.monotonic() - began, explained().get(net.module, {}))


def explained() -> dict[str, dict[Name, str]]:
    """By module the survivors that are known, and why no test can or should kill them."""
    found = tomllib.loads(EXPLAINED.read_text())
    return {
        module: {(one["within"], one["was"], now): one["why"] for one in listed for now in one["now"]}
        for module, listed in found.items()
    }


def keep(verdict: Verdict) -> None:
    """Puts the module's row in place of the one that the results have of it, or below the rows that are there."""
    lines = RESULTS.read_text().splitlines()
    rows = [at for at, line in enumerate(lines) if line.startswith("|")]
    at = next((at for at in rows if lines[at].startswith(f"| {verdict.module} |")), rows[-1] + 1)
    lines[at : at + (at in rows)] = [verdict.row()]
    RESULTS.write_text("\n".join(lines) + "\n")
