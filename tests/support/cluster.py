"""A running cluster, and what a test wants to do with it."""

from dataclasses import dataclass

import psutil

from demo.cluster import WORKER, Cluster
from demo.processes import members, recorded
from tests.support.stack import Stack

#: Libraries that only Great Expectations and pandas bring into a process.
PRELOADED = ("/pandas/_libs/", "/scipy/")


@dataclass
class Ring(Stack):
    """A running cluster, and what a test wants to do with it."""

    cluster: Cluster
    preloaded: dict[int, set[str]]  # process of a worker → what of PRELOADED it had before the first task

    @property
    def workers(self) -> list[str]:
        return [name for name in self.cluster.services if name.startswith(WORKER)]

    def processes(self, name: str) -> list[psutil.Process]:
        known = recorded(self.place, name)
        return members(known) if known else []
