"""Run a private Valkey: on loopback with a password."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from irisx.local.ports import LOOPBACK
from irisx.local.processes import Program


@dataclass(frozen=True)
class Valkey:
    """A data folder, the program that serves it and its password."""

    binary: Path
    data: Path
    port: int
    password: str
    is_durable: bool = True

    @property
    def url(self) -> str:
        """Return the address of its first database."""
        return f"redis://:{quote(self.password)}@{LOOPBACK}:{self.port}/0"

    def program(self, *, environment: Mapping[str, str], stage: int = 0) -> Program:
        """Write the configuration (a file: the command line is everybody's to read) and describe the server process."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        file = self.data / "valkey.conf"
        file.touch(mode=0o600)
        file.write_text(self._configuration())
        command = (str(self.binary), str(file))
        return Program(name="valkey", command=command, environment=environment, cwd=self.data, stage=stage)

    def is_ready(self) -> bool:
        """Tell whether the server answers a PING; while it loads its log it does not."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as link:
                link.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
                return b"+PONG" in b"".join(iter(lambda: link.recv(1024), b""))
        except OSError:
            return False

    def _configuration(self) -> str:
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.data}"',
            "databases 32",
            'save ""',
            f"appendonly {'yes' if self.is_durable else 'no'}",
            "set-proc-title no",  # the title would overwrite the environment that marks it as ours
            "loglevel warning",
        ]
        return "\n".join([*lines, ""])
