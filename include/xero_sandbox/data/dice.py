"""Seeded chance: the same seed and purpose give the same throws."""

from __future__ import annotations

import random
import uuid


class Dice(random.Random):
    """A random generator named after what it is for, so that one data set's size never moves another's ids."""

    def __init__(self, *purpose: object) -> None:
        super().__init__("/".join(str(part) for part in purpose))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.getrandbits(128), version=4))

    def chance(self, share: float) -> bool:
        return self.random() < share

    def digits(self, count: int) -> str:
        return str(self.randrange(10**count)).zfill(count)
