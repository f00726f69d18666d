"""What happens when, by seeded dice, all of it before anything starts: the same seed is the same plan.

Which document, record or connection an act is done to can only be told when its time has come. The plan has a `pick`
for it, between 0 and 1: the place in the list of what is there then.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

How = dict[str, Any]
Card = TypeVar("Card")

#: What a trouble is called, how long it lasts in seconds (from, to), and whether it may come more than once.
TROUBLES: dict[str, tuple[float, float, bool]] = {
    "a worker is killed": (5, 30, True),
    "a push is killed": (0, 0, True),
    "a pull is killed": (0, 0, True),
    "the scheduler is restarted": (0, 10, True),
    "the scheduler is killed": (5, 15, True),
    "the API server is restarted": (0, 5, True),
    "QicWorks' database crashes": (3, 15, True),
    "QicWorks' database is restarted": (0, 5, True),
    "Airflow's database crashes": (3, 12, True),
    "Redis is killed": (5, 20, True),
    "Redis is emptied": (0, 0, True),
    "the disk is full": (15, 40, True),
    "Xero says 429": (15, 45, True),
    "Xero says 503": (15, 45, True),
    "Xero says 503, and has done it": (15, 40, True),
    "Xero says 500, and has done it": (15, 40, True),
    "Xero is slow": (20, 45, True),
    "connections are cut before Xero reads": (15, 40, True),
    "connections are cut before Xero answers": (15, 40, True),
    "Xero's JSON ends half-way": (15, 40, True),
    "Xero's gzip ends half-way": (15, 40, True),
    "a page of HTML comes instead of Xero": (15, 30, True),
    "access tokens expire at once": (15, 40, True),
    "the identity server is not available": (15, 40, True),
    "the authorisation was revoked": (20, 45, False),
    "an organisation disconnects the app": (20, 45, True),
    "Xero's clock is put right by ten minutes": (0, 0, False),
}
AT_ONCE = 3  # troubles
QUIET = 20.0  # seconds at the beginning and at the end without a new trouble
EVERY = 3.5  # seconds between two acts, on average

#: What people do in Xero to records that are pulled: collection → acts.
CHANGES: dict[str, tuple[str, ...]] = {
    "Contacts": ("rename", "archive", "restore", "touch", "spoil", "remove"),
    "Accounts": ("rename", "archive", "restore"),
    "TaxRates": ("rename",),
    "TrackingCategories": ("rename",),
    "EarningsRates": ("rename",),
    "LeaveTypes": ("rename",),
    "Employees": ("rename", "terminate", "touch", "balance"),
    "Invoices": ("touch",),
    "Payments": ("touch",),
}
PAGED = ("Contacts", "Invoices", "Payments", "Employees")
BOOKS = ["approve", "approve", "pay", "pay", "void", "delete"]  # what is done in Xero to a document of QicWorks
ACTS = {"pull": 22, "push": 26, "document": 26, "edit": 14, "change": 18, "keep_books": 10, "drift": 3}


@dataclass(frozen=True)
class Step:
    """`at` seconds after the beginning."""

    at: float
    act: str
    how: How = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.at:7.1f} {self.act} {json.dumps(self.how, ensure_ascii=False)}"


@dataclass(frozen=True)
class Plan:
    seed: int
    minutes: float
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, {self.minutes:g} minutes, {len(self.steps)} steps", *map(str, self.steps)]
        return "\n".join(lines) + "\n"


def made(seed: int, minutes: float, organisations: int, data_sets: Sequence[str], kinds: Sequence[str]) -> Plan:
    """The plan of a seed. `organisations`: how many; they are meant by number."""
    dice = random.Random(f"faults {seed}")
    draw = Draw(dice, organisations, list(data_sets), list(kinds))
    seconds = minutes * 60
    steps = [*draw.acts(seconds), *draw.troubles(seconds)]
    return Plan(seed, minutes, tuple(sorted(steps, key=lambda step: step.at)))


class Draw:
    """The dice, and what they are about."""

    def __init__(self, dice: random.Random, organisations: int, data_sets: list[str], kinds: list[str]) -> None:
        self.dice = dice
        self.organisations = organisations
        self.data_sets = self.dealt(data_sets)
        self.pushed, self.written = self.dealt(kinds), self.dealt(kinds)
        self.kinds = kinds

        self.changes = self.dealt([(collection, what) for collection, acts in CHANGES.items() for what in acts])
        self.kept = self.dealt(BOOKS)
        self.wrong = self.dealt([True, False, False, False, False, False])

    def dealt(self, cards: list[Card]) -> Iterator[Card]:
        """As from a deck: each once before one comes again."""
        while True:
            yield from self.dice.sample(cards, len(cards))

    def acts(self, seconds: float) -> Iterator[Step]:
        count = max(1, round(seconds / EVERY))
        for number in range(count):
            [act] = self.dice.choices(list(ACTS), list(ACTS.values()))
            at = (number + self.dice.random()) * seconds / count
            yield Step(round(at, 1), act, getattr(self, act)())

    def troubles(self, seconds: float) -> Iterator[Step]:
        """About three in two minutes, each kind once before one comes again, at most so many at once."""
        names = list(TROUBLES)
        self.dice.shuffle(names)
        again = [name for name in names if TROUBLES[name][2]]
        count = max(1, round(seconds / 60 * 1.8))
        names += self.dice.choices(again, k=max(0, count - len(names)))
        window, ends = max(1.0, seconds - 2 * QUIET), []
        for number, name in enumerate(names[:count]):
            low, high, _ = TROUBLES[name]
            at = QUIET + (number + self.dice.random() * 0.8) * window / count
            if len(going_on := [end for end in ends if end > at]) >= AT_ONCE:
                at = min(going_on)
            lasts = min(self.dice.uniform(low, high), max(0.0, seconds - at))
            ends.append(at + lasts)
            yield Step(round(at, 1), "trouble", {"name": name, "lasts": round(lasts, 1), **self.anything()})

    def anything(self) -> How:
        return {"organisation": self.dice.randrange(self.organisations), "pick": round(self.dice.random(), 4)}

    def pull(self) -> How:
        some = self.dice.randrange(self.organisations) if self.dice.random() < 0.5 else None
        return {
            "data_set": next(self.data_sets),
            "organisation": some,
            "full": self.dice.random() < 0.25,
            "times": 2 if self.dice.random() < 0.2 else 1,
        }

    def push(self) -> How:
        some = self.dice.randrange(self.organisations) if self.dice.random() < 0.3 else None
        return {
            "kind": next(self.pushed),
            "organisation": some,
            "times": 2 if self.dice.random() < 0.25 else 1,
        }

    def document(self) -> How:
        lines = [
            (f"{self.dice.randrange(10_000, 99_999_999) / 10_000:.4f}", self.dice.choice(["1", "2.5", "3", "0.25"]))
            for _ in range(self.dice.randint(1, 4))
        ]
        return {
            "kind": next(self.written),
            "count": self.dice.choice([1, 2, 4, 8]),
            "lines": lines,
            "files": self.dice.choice([0, 0, 0, 1, 2]),
            "side": self.dice.choice(["customer", "supplier"]),
            "wrong": next(self.wrong),
            **self.anything(),
        }

    def edit(self) -> How:
        what = self.dice.choice(["price", "price", "line", "fewer", "number"])
        return {"kind": self.dice.choice(self.kinds), "what": what, **self.anything()}

    def change(self) -> How:
        collection, what = next(self.changes)
        return {
            "collection": collection,
            "what": what,
            "count": self.dice.choice([1, 1, 3, 20]),
            **self.anything(),
        }

    def keep_books(self) -> How:
        return {"do": next(self.kept), **self.anything()}

    def drift(self) -> How:
        return {"collection": self.dice.choice(PAGED), "changes": self.dice.randint(2, 20), **self.anything()}
