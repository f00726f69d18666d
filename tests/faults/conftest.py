"""The same two sides as in tests/flow."""

from tests.flow.conftest import World, sandbox, sandbox_url, unconnected, world

__all__ = ["World", "sandbox", "sandbox_url", "unconnected", "world"]
