"""A running cluster, and what a test wants to do with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import redis

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

    @contextmanager
    def workers_held(self) -> Iterator[None]:
        """The workers stand still as they are, and take no task from the queue, until the block ends."""
        stopped = [process for worker in self.workers for process in self.processes(worker)]
        for process in stopped:
            process.suspend()
        try:
            yield
        finally:
            for process in stopped:
                process.resume()

    def in_queue(self) -> int:
        """How many tasks lie in Redis, and wait for a worker."""
        password = self.place.secrets["redis_password"]
        with redis.Redis(port=self.place.redis_port, password=password) as queue:
            return int(queue.llen("default"))
