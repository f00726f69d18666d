"""Ports for servers that a test starts."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Gives free ports of 127.0.0.1. As long as the block lasts nobody else is given one of them.

    They stay bound with SO_REUSEADDR, without listening: Linux then lets a server that names the port have it, since
    servers set that too, and picks it neither for another server nor for a client. Other systems let nobody have it, so
    there the ports are only found.
    """
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", 0))
        ports = [int(holder.getsockname()[1]) for holder in holders]
        if sys.platform != "linux":
            for holder in holders:
                holder.close()
        yield ports
    finally:
        for holder in holders:
            holder.close()
