"""Servers to break, as the tests of irisx.local have them."""

from tests.local.conftest import cluster, state

__all__ = ["cluster", "state"]
