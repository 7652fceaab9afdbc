"""Keep programs running: start, relay, restart with growing pauses, stop in order."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from irisx.local.console import Console
from irisx.local.errors import StartError
from irisx.local.forking import Process
from irisx.local.processes import ProcessId, Program, identify, spawn
from irisx.local.relay import Relay

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STEADY_SECONDS = 30.0  # ran that long: its next end is a new trouble
STARTS_BEFORE_GIVING_UP = 3  # counts only until the demo was ready once


Start = Callable[[Program], Process]


def nothing() -> None:
    """Prepare nothing."""


def launch(program: Program) -> Process:
    """Start a program the ordinary way."""
    return spawn(program, output=subprocess.PIPE)


@dataclass
class Service:
    """One program under supervision."""

    program: Program
    relay: Relay
    prepare: Callable[[], None]
    is_kept: bool
    process: Process | None = None
    started: float = 0.0
    ends: int = 0
    restart: asyncio.TimerHandle | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_running(self) -> bool:
        """Tell whether its process lives."""
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """All programs of one demo. Lives in the main thread: a guard dies with the thread that started it."""

    def __init__(self, *, logs: Path, console: Console, changed: Callable[[], None] = nothing) -> None:
        self.failure: asyncio.Future[StartError] = asyncio.get_running_loop().create_future()
        self.is_settled = False
        self._logs = logs
        self._console = console
        self._changed = changed
        self._services: dict[str, Service] = {}
        self._is_stopping = False
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)

    def start(self, program: Program, *, prepare: Callable[[], None] = nothing, first: Start = launch) -> Service:
        """Start a program and keep it running; `prepare` is called before every start, `first` starts it once."""
        return self._add(program, prepare, first=first, is_kept=True)

    def begin(self, program: Program, *, first: Start = launch) -> Service:
        """Start a program that comes to its own end."""
        return self._add(program, nothing, first=first, is_kept=False)

    async def finished(self, service: Service) -> None:
        """Wait for the end of a program; raise StartError with its last lines when it failed."""
        await service.stopped.wait()
        del self._services[service.program.name]
        service.relay.close()
        if service.process and service.process.returncode:
            raise StartError(_account_of(service))

    async def until(self, is_ready: Callable[[], bool], *, name: str, seconds: float = 60.0) -> None:
        """Wait until a program is ready; raise StartError with its last lines when it fails or takes too long."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            if self.failure.done():
                raise self.failure.result()
            if time.monotonic() > deadline:
                raise StartError(f"{name} is not ready after {seconds:g} s.{_last_lines(self._services[name])}")
            await asyncio.sleep(0.02)

    def processes(self) -> dict[str, ProcessId]:
        """Name the processes that run now."""
        running = ((name, service.process) for name, service in self._services.items() if service.is_running)
        return {name: found for name, process in running if process and (found := identify(process.pid))}

    async def stop(self) -> None:
        """Stop everything, the highest stage first."""
        self._is_stopping = True
        for service in self._services.values():
            if service.restart:
                service.restart.cancel()
        for stage in sorted({service.program.stage for service in self._services.values()}, reverse=True):
            await self._stop_stage([service for service in self._services.values() if service.program.stage == stage])
        for service in self._services.values():
            service.relay.close()

    def kill(self) -> None:
        """Stop everything at once: somebody is in a hurry."""
        for service in self._services.values():
            _send(service, signal.SIGKILL)

    def _add(self, program: Program, prepare: Callable[[], None], *, first: Start, is_kept: bool) -> Service:
        relay = Relay(name=program.name, folder=self._logs, console=self._console)
        service = Service(program=program, relay=relay, prepare=prepare, is_kept=is_kept)
        self._services[program.name] = service
        self._launch(service, start=first)
        return service

    def _launch(self, service: Service, *, start: Start) -> None:
        service.prepare()
        service.process = start(service.program)
        service.started = time.monotonic()
        if service.process.stdout:
            service.relay.attach(service.process.stdout)
        self._changed()

    def _reap(self) -> None:
        """Reap our programs, and the strangers that programs left to us when we are their subreaper."""
        for service in list(self._services.values()):
            if service.is_running and service.process and service.process.poll() is not None:
                self._ended(service)
        if child := ended_child():
            if not any(service.process and service.process.pid == child for service in self._services.values()):
                os.waitpid(child, os.WNOHANG)
            asyncio.get_running_loop().call_soon(self._reap)

    def _ended(self, service: Service) -> None:
        if service.process and service.process.stdout:
            service.relay.drain(service.process.stdout)
        service.stopped.set()
        if not self._is_stopping and service.is_kept:
            self._restart_later(service)

    def _restart_later(self, service: Service) -> None:
        if time.monotonic() - service.started > STEADY_SECONDS:
            service.ends = 0
        service.ends += 1
        if not self.is_settled and service.ends >= STARTS_BEFORE_GIVING_UP:
            self._give_up(service)
            return
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (service.ends - 1), LONGEST_PAUSE_SECONDS)
        self._console.problem(f"{_ending(service)}; starting it again in {pause:g} s.")
        service.restart = asyncio.get_running_loop().call_later(pause, self._restart, service)

    def _restart(self, service: Service) -> None:
        service.stopped.clear()
        self._launch(service, start=launch)

    def _give_up(self, service: Service) -> None:
        if not self.failure.done():
            self.failure.set_result(StartError(_account_of(service)))

    async def _stop_stage(self, services: Iterable[Service]) -> None:
        running = [service for service in services if service.is_running]
        for service in running:
            _send(service, service.program.stop_signal)
        await asyncio.gather(*(self._wait_stopped(service) for service in running))

    async def _wait_stopped(self, service: Service) -> None:
        try:
            await asyncio.wait_for(service.stopped.wait(), service.program.stop_seconds)
        except TimeoutError:
            self._console.problem(f"{service.program.name} did not stop in {service.program.stop_seconds:g} s; killed.")
            _send(service, signal.SIGKILL)
            await service.stopped.wait()


def ended_child() -> int:
    """Name a child that ended and waits to be reaped, 0 if there is none."""
    with contextlib.suppress(ChildProcessError, AttributeError):  # macOS has no waitid, and no strangers either
        if ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return ended.si_pid
    return 0


def _send(service: Service, with_signal: signal.Signals) -> None:
    """Signal a program that runs, waking it when it was stopped."""
    if service.is_running and service.process:
        service.process.send_signal(with_signal)
        os.kill(service.process.pid, signal.SIGCONT)


def _ending(service: Service) -> str:
    status = (service.process.returncode if service.process else None) or 0
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    return f"{service.program.name} {how}"


def _account_of(service: Service) -> str:
    return f"{_ending(service)}.{_last_lines(service)}"


def _last_lines(service: Service) -> str:
    return "".join(["\n  Its last lines:", *(f"\n    {line}" for line in service.relay.tail)])
