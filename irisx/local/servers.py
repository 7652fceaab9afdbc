"""PostgreSQL and Valkey as one state directory has them."""

import os
from collections.abc import Mapping
from pathlib import Path

from irisx.local.accounts import reachable_home, server_account
from irisx.local.binaries import find_postgres, find_valkey, reachable_postgres
from irisx.local.postgres import Cluster
from irisx.local.processes import MARKER
from irisx.local.valkey import Valkey


def cluster_in(state: Path, *, port: int, passwords: Mapping[str, str], is_durable: bool = True) -> Cluster:
    """Describe the PostgreSQL of a state directory, its programs and data where its account can reach them."""
    account = server_account()
    home = reachable_home(state, account=account)
    binaries = reachable_postgres(find_postgres(), account=account, home=home)
    data = home / "postgres"
    return Cluster(binaries=binaries, data=data, port=port, passwords=passwords, account=account, is_durable=is_durable)


def valkey_in(state: Path, *, port: int, password: str, is_durable: bool = True) -> Valkey:
    """Describe the Valkey of a state directory."""
    return Valkey(binary=find_valkey(), data=state / "valkey", port=port, password=password, is_durable=is_durable)


def server_environment(state: Path) -> dict[str, str]:
    """Return the little environment a server needs, with the marker that makes it ours."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", MARKER: str(state)}
