"""The supervisor's side of the nursery: ask it for programs, treat them as any other child."""

import asyncio
import ctypes
import json
import os
import socket
import sys
from dataclasses import dataclass, replace
from typing import IO, Protocol

from irisx.local.errors import StartError
from irisx.local.processes import Program

PR_SET_CHILD_SUBREAPER = 36
ANSWER_SECONDS = 10.0


class Process(Protocol):
    """What the supervisor needs of a child, however it was started."""

    pid: int
    returncode: int | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None: ...
    def send_signal(self, sig: int) -> None: ...


@dataclass
class Forked:
    """A child that the nursery forked and left to us."""

    pid: int
    stdout: IO[bytes] | None
    returncode: int | None = None

    def poll(self) -> int | None:
        """Reap it if it ended; return its status, negative for a signal, None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Signal it unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)


class Nursery:
    """A link to the nursery: `program` starts it, `is_ready` waits for it, `fork` asks it for a program."""

    def __init__(self, template: Program) -> None:
        self._link, self._far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = ("-m", "irisx.local.nursery", str(self._far_end.fileno()), str(os.getpid()))
        command = (template.command[0], *arguments)
        self.program = replace(template, command=command, inherited=(self._far_end.fileno(),))
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    async def is_ready(self) -> bool:
        """Wait until everything is loaded; False when the nursery ended instead."""
        self._far_end.close()
        self._link.setblocking(False)
        answer = await asyncio.get_running_loop().sock_recv(self._link, 100)
        self._link.settimeout(ANSWER_SECONDS)
        return bool(answer)

    def fork(self, program: Program) -> Process:
        """Start a program of our interpreter; its output comes through the pipe `stdout`."""
        reader, writer = os.pipe()
        request = {
            "name": program.name,
            "arguments": program.command[1:],
            "orphan_signal": int(program.orphan_signal),
        }
        try:
            socket.send_fds(self._link, [json.dumps(request).encode()], [writer])
            answer = json.loads(self._link.recv(100))
        except (OSError, ValueError) as error:
            os.close(reader)
            raise StartError(f"{program.name} could not be forked: {error}.") from error
        finally:
            os.close(writer)
        return Forked(pid=answer["pid"], stdout=os.fdopen(reader, "rb"))

    def close(self) -> None:
        """Let the nursery end."""
        self._far_end.close()
        self._link.close()


def can_fork() -> bool:
    """Tell whether the nursery works here."""
    return sys.platform.startswith("linux")
