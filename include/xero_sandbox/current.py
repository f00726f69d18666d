"""The world that the sandbox is showing now; a reset puts another one in its place."""

from __future__ import annotations

from dataclasses import dataclass

from xero_sandbox.world import World


@dataclass(slots=True)
class Current:
    """Holds the world, for all who ask for it at each call."""

    world: World
