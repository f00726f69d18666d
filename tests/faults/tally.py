"""How many steps of a plan met what they were meant for.

A plan says when, by the clock: what is there by then depends on how fast the machine is. A run in which too many steps
met nothing proves little, and says so.
"""

import json
from collections import Counter
from collections.abc import Callable

from tests.faults.plan import How, Step
from tests.faults.proof.facts import Result

MET_AT_LEAST = 0.8  # of all steps


class NotNow(Exception):
    """There is nothing that this can be done to."""


class Tally:
    """The steps of a run, by act or trouble. `broken`: what went wrong with the run itself."""

    def __init__(self) -> None:
        self.met: list[str] = []
        self.missed: list[str] = []
        self.broken: list[str] = []

    def carry_out(self, step: Step, do: Callable[[How], object]) -> str:
        """Does it, and counts. Returns what came of it."""
        kind = str(step.how["name"]) if step.act == "trouble" else step.act
        name = kind if step.act == "trouble" else f"{kind} {json.dumps(step.how, ensure_ascii=False)}"
        try:
            said = do(dict(step.how))
        except NotNow as why:
            self.missed.append(kind)
            return f"-- {name}: not now: {why}"
        except Exception as error:  # noqa: BLE001 - the run goes on, and tells of it at its end
            self.broken.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
            return f"?? {self.broken[-1]}"
        self.met.append(kind)
        return f"{'ok' if step.act == 'trouble' else '  '} {name}: {said}"

    def result(self) -> Result:
        """Complains where too few met what they were meant for."""
        steps = len(self.met) + len(self.missed)
        missed = ", ".join(f"{name} {times}" for name, times in sorted(Counter(self.missed).items()))
        compared = f"{len(self.met)} of {steps}" + (f"; not: {missed}" if missed else "")
        enough = len(self.met) >= MET_AT_LEAST * steps
        wrong = [] if enough else [f"{len(self.missed)} of {steps} steps met nothing: this run proves too little"]
        return Result("steps that met what they were meant for", compared, wrong)
