"""PostgreSQL and Valkey as one state directory has them."""

import os
from collections.abc import Mapping
from pathlib import Path

from irisx.local.accounts import reachable_home, server_account
from irisx.local.binaries import find_postgres, find_valkey, reachable_postgres
from irisx.local.console import Console
from irisx.local.ports import Ports
from irisx.local.postgres import Cluster
from irisx.local.processes import MARKER
from irisx.local.programs import SERVERS
from irisx.local.roles import DATABASE, OWNER, SERVING
from irisx.local.state import StateDirectory
from irisx.local.supervisor import Supervisor
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


class EmbeddedServers:
    """The servers of a demo, under its supervisor."""

    def __init__(
        self,
        *,
        state: StateDirectory,
        supervisor: Supervisor,
        ports: Ports,
        secrets: Mapping[str, str],
        console: Console,
    ) -> None:
        self.is_fresh = False
        self._state = state
        self._supervisor = supervisor
        self._ports = ports
        self._secrets = secrets
        self._console = console
        self._environment = server_environment(state.path)

    async def start_valkey(self) -> str:
        """Start Valkey; return its address."""
        valkey = valkey_in(self._state.path, port=self._ports.chosen["valkey"], password=self._secrets["valkey"])
        program = valkey.program(environment=self._environment, stage=SERVERS)
        self._supervisor.start(program, prepare=lambda: self._ports.release("valkey"))
        await self._supervisor.until(valkey.is_ready, name=program.name)
        self._console.step(f"Valkey runs on port {valkey.port}")
        return valkey.url

    async def start_postgres(self) -> tuple[str, str]:
        """Start PostgreSQL with its roles and database; return the addresses that serve and that migrate."""
        cluster = cluster_in(self._state.path, port=self._ports.chosen["postgres"], passwords=self._secrets)
        self.is_fresh = cluster.initialise(environment=self._environment)

        def prepare() -> None:
            self._ports.release("postgres")
            cluster.recover()

        program = cluster.program(environment=self._environment, stage=SERVERS)
        self._supervisor.start(program, prepare=prepare)
        await self._supervisor.until(cluster.is_ready, name=program.name)
        cluster.prepare()
        self._console.step(f"PostgreSQL {cluster.binaries.version} runs on port {cluster.port}, data in {cluster.data}")
        return cluster.url(role=SERVING, database=DATABASE), cluster.url(role=OWNER, database=DATABASE)
