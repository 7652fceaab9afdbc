"""Folders and servers to break, apart from those the other tests use."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from irisx.local.accounts import forget_home
from irisx.local.ports import free_port
from irisx.local.postgres import Cluster
from irisx.local.servers import cluster_in, server_environment


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory that PostgreSQL's account can walk to, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="irisx-state-")).resolve()
    path.chmod(0o711)
    yield path
    forget_home(path)
    shutil.rmtree(path)


@pytest.fixture
def cluster(state: Path) -> Cluster:
    """A cluster with its data folder, not yet started."""
    passwords = {role: secrets.token_hex(8) for role in ("postgres", "irisx_owner", "irisx_app")}
    found = cluster_in(state, port=free_port(), passwords=passwords, is_durable=False)
    assert found.initialise(environment=server_environment(state))
    return found
