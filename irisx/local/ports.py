"""Choose ports that are free, the same ones as last time when possible."""

import errno
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
TRIES = 200


class Ports:
    """Ports held by name until the program they are for binds them."""

    def __init__(self, remembered: Mapping[str, int]) -> None:
        self.chosen: dict[str, int] = dict(remembered)
        self._held: dict[str, ExitStack] = {}

    def choose(self, name: str, *, preferred: int) -> int:
        """Take the port used last time, else the preferred one, else the next one free; and hold it."""
        for port in self._candidates(name, preferred):
            if held := hold(port):
                self.chosen[name] = port
                self._held[name] = held
                return port
        raise OSError(f"No free port for {name} between {preferred} and {preferred + TRIES}.")

    def release(self, name: str) -> None:
        """Let go of a port just before its program starts."""
        if held := self._held.pop(name, None):
            held.close()

    def release_all(self) -> None:
        """Let go of every port."""
        for name in list(self._held):
            self.release(name)

    def _candidates(self, name: str, preferred: int) -> Iterable[int]:
        others = {port for other, port in self.chosen.items() if other != name}
        last = self.chosen.get(name, preferred)
        return [last, *(port for port in range(preferred, preferred + TRIES) if port not in others)]


def hold(port: int) -> ExitStack | None:
    """Listen on a loopback port so that nobody else takes it; None when it is busy.

    In both families: a stranger on ::1 would answer for `localhost`.
    """
    with ExitStack() as stack:
        for family, address in ((socket.AF_INET, LOOPBACK), (socket.AF_INET6, "::1")):
            try:
                listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, port))
                listener.listen(1)
            except OSError as error:
                if family == socket.AF_INET or error.errno == errno.EADDRINUSE:
                    return None  # otherwise this machine merely has no IPv6
        return stack.pop_all()


def free_port() -> int:
    """Name a port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
