"""The folder that holds everything the demo keeps: secrets, data, logs, and who runs."""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from irisx.local.accounts import forget_home
from irisx.local.errors import StartError
from irisx.local.processes import ProcessId

SECRET_NAMES = ("postgres", "irisx_owner", "irisx_app", "valkey", "freeswitch", "secret_key")


class StateDirectory:
    """Paths and small files below `.irisx/`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.logs = self.path / "logs"
        self.media = self.path / "media"
        self.mail = self.path / "mail"
        self.static = self.path / "static"  # stays empty: the demo serves static files from their sources
        self.demo_file = self.path / "demo.json"
        self.seed_file = self.path / "seed.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one supervisor; raise StartError naming the other one's address."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711)  # PostgreSQL's account passes through, nobody looks around
        for private in (self.logs, self.media, self.mail, self.static):
            private.mkdir(mode=0o700, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StartError(self._already_running()) from error
            yield

    def secrets(self) -> dict[str, str]:
        """Return the passwords of this folder, made once."""
        known = self.read("secrets.json")
        missing = {name: secrets.token_hex(32) for name in SECRET_NAMES if name not in known}
        if missing:
            self.write("secrets.json", known | missing)
        return {**known, **missing}

    def record(self, *, base_url: str, processes: Mapping[str, ProcessId]) -> None:
        """Note who runs, for the next start to find what a killed supervisor left."""
        listed = {name: [process.pid, process.started] for name, process in processes.items()}
        self.write("processes.json", {"base_url": base_url, "processes": listed})

    def recorded(self) -> dict[str, ProcessId]:
        """Return who ran when somebody last noted it."""
        listed = self.read("processes.json").get("processes", {})
        return {name: ProcessId(pid=pid, started=started) for name, (pid, started) in listed.items()}

    def read(self, name: str) -> dict[str, Any]:
        """Return a JSON file, empty when it is missing or was cut short."""
        try:
            found = json.loads((self.path / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a JSON file at once, readable by us only."""
        unfinished = self.path / f".{name}.new"
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        unfinished.rename(self.path / name)

    def forget(self) -> None:
        """Delete everything, also what lies outside for PostgreSQL's account."""
        forget_home(self.path)
        shutil.rmtree(self.path)

    def _already_running(self) -> str:
        noted = self.read("processes.json")
        pid = noted.get("processes", {}).get("supervisor", ["?"])[0]
        return f"The demo already runs at {noted.get('base_url', 'an address not chosen yet')} (process {pid})."
