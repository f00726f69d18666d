"""How a world is made: its organisations from a seed and a profile."""

from __future__ import annotations

from functools import lru_cache

from xero_sandbox.data.firms import MANY
from xero_sandbox.data.organisations import organisations
from xero_sandbox.organisation import Organisation
from xero_sandbox.world import Client, World


def make_world(
    client: Client,
    seed: int = 1,
    profile: str = "demo",
    counts: dict[str, dict[str, int]] | None = None,
    same_second: int | str = 0,
    many: int = 0,
) -> World:
    """Raises ValueError for a profile or an organisation that does not exist."""
    if counts or same_second or profile == MANY:
        made = organisations(seed, profile, counts, same_second, many)
    else:
        made = [organisation.copy() for organisation in pristine(seed, profile)]
    return World(client, made, seed, profile, many)


@lru_cache(maxsize=2)
def pristine(seed: int, profile: str) -> list[Organisation]:
    """Never handed out: a reset copies it, which takes a tenth of the time that making it does."""
    return organisations(seed, profile)
