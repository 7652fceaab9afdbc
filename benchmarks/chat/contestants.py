"""The servers under load: how each is started, and how a client speaks with it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.chat.stage import Stage
from benchmarks.chat.websocket import Socket
from benchmarks.conditions import ROOT
from irisx.local.ports import free_port

UVICORN = ("-m", "uvicorn", "irisx.asgi:application", "--host", "127.0.0.1", "--log-level", "error", "--no-access-log")
GRANIAN = (
    "-m",
    "granian",
    "--interface",
    "asginl",
    "--host",
    "127.0.0.1",
    "--log-level",
    "error",
    "irisx.asgi:application",
)
IRISX = {
    "irisx": (*UVICORN, "--ws", "irisx.websocket:WebSocketProtocol", "--port"),
    "irisx-two-processes": (*UVICORN, "--workers", "2", "--ws", "irisx.websocket:WebSocketProtocol", "--port"),
    "uvicorn-wsproto": (*UVICORN, "--ws", "wsproto", "--port"),
    "uvicorn-websockets": (*UVICORN, "--ws", "websockets", "--ws-per-message-deflate", "false", "--port"),
    "uvicorn-websockets-sansio": (*UVICORN, "--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--port"),
    "daphne": ("-m", "daphne", "-b", "127.0.0.1", "-v", "0", "irisx.asgi:application", "-p"),
    "granian": (*GRANIAN, "--port"),
}
PEERS = {"socket.io": "io", "bare-ws": "ws"}
NAMES = (*IRISX, *PEERS)


@dataclass(frozen=True)
class Contestant:
    """A running server: its port, its process ids, and its dialect."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    dialect: "Dialect"

    @property
    def pids(self) -> list[int]:
        """Return the process and its children: granian works in one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def pss_kib(self) -> int:
        """Return the memory of the processes, shared pages divided (proc(5), smaps_rollup)."""
        lines = [line for pid in self.pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@contextmanager
def running(name: str, stage: Stage, peers: Path | None) -> Iterator[Contestant]:
    """Start a contestant, yield it, stop it."""
    port = free_port()
    environment = dict(os.environ)
    if name in IRISX:
        command, cwd, dialect = [sys.executable, *IRISX[name], str(port)], ROOT, IrisxDialect()
    else:
        assert peers
        environment |= {"PORT": str(port), "NODE_ENV": "production"}
        command, cwd = ["node", "server.js", PEERS[name]], peers
        dialect = SocketIoDialect() if name == "socket.io" else BareDialect()
    process = subprocess.Popen(command, cwd=cwd, env=environment, start_new_session=True)
    try:
        _wait(port, process)
        yield Contestant(name, port, process, dialect)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=2).read()
            return
        time.sleep(0.1)
    raise SystemExit("A contestant did not start.")


class Dialect:
    """How one kind of server is spoken with. `visitor` and `agent` sign in and join; `send` sends a message."""

    path_visitor = path_agent = "/"
    is_event = b'"type":"event"'
    is_answer = b'"type":"ack"'
    is_ready = b'"type":"ready"'

    def sign_in(self, socket: Socket, *, credentials: dict[str, Any], rooms: list[str]) -> None:
        raise NotImplementedError

    def send(self, socket: Socket, *, conversation: str, id: str, text: str, inbox: bool) -> None:
        raise NotImplementedError

    def on_text(self, socket: Socket, text: bytes) -> bool:
        """Answer what only the protocol needs; True when the frame was of that kind."""
        return False


class IrisxDialect(Dialect):
    """docs/guides/websocket.md"""

    path_visitor, path_agent = "/ws/v1/visitor", "/ws/v1/agent"

    def sign_in(self, socket: Socket, *, credentials: dict[str, Any], rooms: list[str]) -> None:
        cursors = dict.fromkeys(rooms[:200], 0)
        socket.send(orjson.dumps({"v": 1, "type": "auth", **credentials, "cursors": cursors}))
        for room in rooms[200:]:
            socket.send(orjson.dumps({"v": 1, "type": "subscribe", "conversation_id": room, "after_seq": 0}))

    def send(self, socket: Socket, *, conversation: str, id: str, text: str, inbox: bool) -> None:
        frame = {"v": 1, "type": "message.send", "id": id, "conversation_id": conversation}
        socket.send(orjson.dumps({**frame, "client_message_id": id, "text": text}))

    def on_text(self, socket: Socket, text: bytes) -> bool:
        if b'"type":"ping"' not in text:
            return False
        socket.send(b'{"v":1,"type":"pong"}')
        return True


class BareDialect(Dialect):
    """peers/server.js"""

    def sign_in(self, socket: Socket, *, credentials: dict[str, Any], rooms: list[str]) -> None:
        socket.send(orjson.dumps({"type": "join", "rooms": [*rooms, *(["agents"] if "ticket" in credentials else [])]}))

    def send(self, socket: Socket, *, conversation: str, id: str, text: str, inbox: bool) -> None:
        socket.send(
            orjson.dumps({"type": "send", "conversation": conversation, "id": id, "text": text, "inbox": inbox})
        )


class SocketIoDialect(Dialect):
    """Engine.IO 4 over websocket only; packets of the Socket.IO protocol 5 as text."""

    path_visitor = path_agent = "/socket.io/?EIO=4&transport=websocket"

    def sign_in(self, socket: Socket, *, credentials: dict[str, Any], rooms: list[str]) -> None:
        socket.rooms = [*rooms, *(["agents"] if "ticket" in credentials else [])]  # type: ignore[attr-defined]
        socket.send(b"40")

    def send(self, socket: Socket, *, conversation: str, id: str, text: str, inbox: bool) -> None:
        frame = {"conversation": conversation, "id": id, "text": text, "inbox": inbox}
        socket.send(b"42" + orjson.dumps(["send", frame]))

    def on_text(self, socket: Socket, text: bytes) -> bool:
        if text == b"2":
            socket.send(b"3")
        elif text.startswith(b"40"):
            socket.send(b"42" + orjson.dumps(["join", {"rooms": socket.rooms}]))  # type: ignore[attr-defined]
        else:
            return text[:1] == b"0"
        return True
