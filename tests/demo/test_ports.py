"""Ports that are promised before a server listens on them."""

import socket
import sys

import pytest

from tests.support.ports import reserved_ports


def test_a_reserved_port_is_for_the_server_that_names_it() -> None:
    with reserved_ports(3) as ports:
        assert len(set(ports)) == 3
        for port in ports:
            if sys.platform == "linux":  # elsewhere ports are only found, not held
                with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
                    stranger.bind(("127.0.0.1", port))
            with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
                pass
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
    for port in ports:
        with socket.socket() as anybody:
            anybody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            anybody.bind(("127.0.0.1", port))
