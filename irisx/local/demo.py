"""The whole product on one machine: `python -m irisx.local demo`."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from irisx.local import programs
from irisx.local.console import Console
from irisx.local.errors import StartError
from irisx.local.fingerprint import source_fingerprint
from irisx.local.forking import Nursery, can_fork
from irisx.local.health import wait_until_well
from irisx.local.ports import LOOPBACK, Ports
from irisx.local.postgres import Cluster
from irisx.local.processes import Program, identify, is_alive, marked_by, stop_all
from irisx.local.programs import SERVERS, Workshop
from irisx.local.screen import demo_document, ready_screen
from irisx.local.servers import server_environment
from irisx.local.settings import Parts, assemble, check_given, demo_environment, is_given
from irisx.local.state import StateDirectory
from irisx.local.supervisor import Start, Supervisor, launch

PREFERRED_PORTS = {"web": 8000, "customer": 8001, "simulator": 8021, "postgres": 5439, "valkey": 6389}
READY_SECONDS = 90.0
DEGRADED_PATIENCE_SECONDS = 15.0


def run_demo(state: StateDirectory) -> int:
    """Run the demo until it is stopped; return the exit status."""
    console = Console()
    try:
        check_given(os.environ)
        with state.locked():
            return asyncio.run(_run(state, console))
    except (StartError, OSError) as error:
        console.problem(str(error))
        return 1


async def _run(state: StateDirectory, console: Console) -> int:
    """Live until Ctrl-C, SIGTERM or SIGHUP; stop everything in any case."""
    demo = Demo(state=state, console=console, environ=os.environ)
    life = asyncio.create_task(demo.live())
    for stop_signal in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(stop_signal, demo.asked_to_stop, life)
    try:
        await life
    except asyncio.CancelledError:
        return 0
    finally:
        await demo.stop()
    return 0


async def ordinary_start() -> Start:
    """Start programs one by one where nothing can be forked."""
    return launch


class Demo:
    """One run of the demo."""

    def __init__(self, *, state: StateDirectory, console: Console, environ: Mapping[str, str]) -> None:
        self.began = time.monotonic()
        self.state = state
        self.console = console
        self.environ = environ
        self.secrets = state.secrets()
        self.ports = Ports(state.read("ports.json"))
        self.base_url = ""
        self.document: dict[str, Any] = {}
        self.supervisor = Supervisor(logs=state.logs, console=console, changed=self._note)
        self.is_stopping = False

    async def live(self) -> None:
        """Start everything, show the addresses, and stay."""
        self._clear_away()
        self._choose_ports()
        parts = assemble(state=self.state, ports=self.ports.chosen, secrets=self.secrets, environ=self.environ)
        workshop = self._workshop(parts)
        async with self._nursery(workshop) as nursery:
            is_new = await self._start_servers(parts)
            start = await nursery()
            await self._prepare(workshop, must=is_new or parts.cluster is None, start=start)
            self._start_programs(workshop, start=start)
        await self._show_ready(parts)
        await asyncio.Event().wait()

    def asked_to_stop(self, life: asyncio.Task[None]) -> None:
        """Stop in order; at once when asked a second time."""
        if self.is_stopping:
            self.supervisor.kill()
        self.is_stopping = True
        life.cancel()

    async def stop(self) -> None:
        """Stop every program, the servers last, and leave no claim of running behind."""
        self.console.step("Stopping")
        self.ports.release_all()
        await self.supervisor.stop()
        stop_all(marked_by(self.state.path), with_signal=signal.SIGKILL, seconds=5.0)
        self.state.demo_file.unlink(missing_ok=True)
        self.console.step("Everything is stopped")

    def _clear_away(self) -> None:
        """End what a killed supervisor left, found by its marker or by recorded pid and start time."""
        self.state.demo_file.unlink(missing_ok=True)
        left = {*marked_by(self.state.path), *filter(is_alive, self.state.recorded().values())}
        if left:
            self.console.step(f"Ending {len(left)} processes that an earlier run left behind")
            stop_all(left, with_signal=signal.SIGTERM, seconds=5.0)

    def _choose_ports(self) -> None:
        for name, preferred in PREFERRED_PORTS.items():
            if not is_given(name, self.environ):
                wanted = self.ports.chosen.get(name, preferred)
                if (port := self.ports.choose(name, preferred=preferred)) != wanted:
                    self.console.step(f"Port {wanted} is busy: {name} listens on {port}")
        self.state.write("ports.json", self.ports.chosen)
        self.base_url = f"http://{LOOPBACK}:{self.ports.chosen['web']}"
        self._note()

    def _workshop(self, parts: Parts) -> Workshop:
        environment = demo_environment(state=self.state, parts=parts, secrets=self.secrets, environ=self.environ)
        return Workshop(state=self.state.path, environment=environment, ports=self.ports.chosen)

    @asynccontextmanager
    async def _nursery(self, workshop: Workshop) -> AsyncIterator[Callable[[], Awaitable[Start]]]:
        """Begin to load IRISX while the servers start; give what waits for it and tells how to start a program."""
        if not can_fork():
            yield ordinary_start
            return
        nursery = Nursery(workshop.python("nursery"))
        service = self.supervisor.begin(nursery.program)

        async def loaded() -> Start:
            if not await nursery.is_ready():
                await self.supervisor.finished(service)
            return nursery.fork

        try:
            yield loaded
        finally:
            nursery.close()
        await self.supervisor.finished(service)

    async def _start_servers(self, parts: Parts) -> bool:
        """Start the embedded servers, Valkey while PostgreSQL makes its data folder; True when the folder is new."""
        environment = server_environment(self.state.path)
        if parts.valkey:
            self._start(parts.valkey.program(environment=environment, stage=SERVERS))
        is_new = await self._start_postgres(parts.cluster, environment) if parts.cluster else False
        if parts.valkey:
            await self.supervisor.until(parts.valkey.is_ready, name="valkey")
            self.console.step(f"Valkey runs on port {parts.valkey.port}")
        return is_new

    async def _start_postgres(self, cluster: Cluster, environment: Mapping[str, str]) -> bool:
        is_new = cluster.initialise(environment=environment)

        def prepare() -> None:
            self.ports.release("postgres")
            cluster.recover()

        self.supervisor.start(cluster.program(environment=environment, stage=SERVERS), prepare=prepare)
        await self.supervisor.until(cluster.is_ready, name="postgres")
        cluster.prepare()
        self.console.step(f"PostgreSQL {cluster.binaries.version} runs on port {cluster.port}, data in {cluster.data}")
        return is_new

    async def _prepare(self, workshop: Workshop, *, must: bool, start: Start) -> None:
        """Migrate and seed, unless nothing changed since it was done."""
        fingerprint = source_fingerprint()
        if not must and self.state.read("prepared.json").get("fingerprint") == fingerprint:
            return
        self.console.step("Migrating the database and seeding the demo company")
        self.state.write("seed.json", self.state.read("seed.json"))  # readable by us only, before passwords are in it
        preparation = programs.preparation(workshop, seed_file=self.state.seed_file)
        await self.supervisor.finished(self.supervisor.begin(preparation, first=start))
        self.state.write("prepared.json", {"fingerprint": fingerprint})

    def _start_programs(self, workshop: Workshop, *, start: Start) -> None:
        self.console.step("Starting web, worker, beat, listener, webhooks, simulator and the customer's site")
        if not is_given("simulator", self.environ):
            self._start(programs.simulator(workshop, password=self.secrets["freeswitch"]))
        for program in programs.applications(workshop):
            self._start(program, first=start)
        widget_key = self.state.read("seed.json")["widget_key"]
        self._start(programs.customer_site(workshop, base_url=self.base_url, widget_key=widget_key))

    def _start(self, program: Program, *, first: Start = launch) -> None:
        self.supervisor.start(program, prepare=lambda: self.ports.release(program.name), first=first)

    async def _show_ready(self, parts: Parts) -> None:
        reasons = await self._wait_well()
        self.supervisor.is_settled = True
        self.document = demo_document(
            base_url=self.base_url,
            customer_url=self._customer_url(),
            seed=self.state.read("seed.json"),
            esl_url=parts.freeswitch_url,
        )
        self._note()
        self.console.say(ready_screen(self.document, seconds=time.monotonic() - self.began, reasons=reasons))

    async def _wait_well(self) -> tuple[str, ...]:
        """Wait for health, or for a program that keeps failing; return what is not well."""
        well = asyncio.ensure_future(
            wait_until_well(self.base_url, seconds=READY_SECONDS, patience_seconds=DEGRADED_PATIENCE_SECONDS)
        )
        failure = self.supervisor.failure
        failure.add_done_callback(lambda _: well.cancel())
        try:
            health = await well
        except asyncio.CancelledError:
            if failure.done():
                raise failure.result() from None
            raise
        if health.status not in {"healthy", "degraded"}:
            raise StartError(f"IRISX is {health.status} after {READY_SECONDS:g} s: {'; '.join(health.reasons)}.")
        return health.reasons

    def _customer_url(self) -> str:
        """Name the customer's site by another host than IRISX: browsers share cookies between ports of one host."""
        addresses = {entry[4][0] for entry in socket.getaddrinfo("localhost", None)}
        host = "localhost" if LOOPBACK in addresses else LOOPBACK
        return f"http://{host}:{self.ports.chosen['customer']}/"

    def _note(self) -> None:
        """Write down who runs, after every start and restart."""
        running = self.supervisor.processes()
        if ourselves := identify(os.getpid()):
            running["supervisor"] = ourselves
        self.state.record(base_url=self.base_url, processes=running)
        if self.document:
            pids = {name: process.pid for name, process in running.items()}
            self.state.write("demo.json", {**self.document, "pids": pids})
