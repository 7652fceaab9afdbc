"""Keep the tests of one `xdist_group` in one process.

pytest-xdist 3.8 passes the groups inside node ids, which pytest 9.2 no longer lets it change, and so loses them
(pytest-dev/pytest-xdist#1386). Here they go through a file of the session instead.
"""

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it ships no types

from irisx.local.testsession import TestSession

FILE = "groups.json"


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc] # it ships no types
    """Hand out the tests of a group together, all others one by one."""

    @cached_property
    def groups(self) -> dict[str, str]:
        """Read the groups; every worker wrote them before it said what it had collected."""
        groups: dict[str, str] = json.loads((Path(TestSession.inherited().directory) / FILE).read_text())
        return groups

    def _split_scope(self, nodeid: str) -> str:
        return self.groups.get(nodeid, nodeid)


def write_groups(items: Iterable[pytest.Item], *, worker: str) -> None:
    """Write each test's group, completely or not at all: workers write at the same time."""
    directory = Path(TestSession.inherited().directory)
    marks = ((item.nodeid, item.get_closest_marker("xdist_group")) for item in items)
    unfinished = directory / f"{FILE}.{worker}"
    unfinished.write_text(json.dumps({nodeid: mark.args[0] for nodeid, mark in marks if mark}))
    unfinished.rename(directory / FILE)
