"""Load IRISX once and fork its programs from there: loading it in four processes takes four times as long.

Runs as a process of its own while the demo starts, and ends when it is ready; a program that is restarted later loads
what the files say by then. The supervisor is the nearest subreaper, so that a program forked twice becomes its child:
it waits for it and takes it along when it dies (prctl(2), PR_SET_CHILD_SUBREAPER). Linux only.

Usage: python -m irisx.local.nursery SOCKET_DESCRIPTOR SUPERVISOR_PID
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import time
from typing import Any

import django
from django.conf import settings

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
MESSAGE_BYTES = 16_384
ADOPTION_SECONDS = 5.0
SHARED = ("irisx.asgi", "irisx.celery", "uvicorn.main", "uvloop", "celery.bin.celery", "celery.concurrency.thread")


def main(descriptor: int, supervisor: int) -> None:
    """Load everything, say so, fork a program for every request; in the forked process, be that program."""
    django.setup()
    for module in (*SHARED, settings.ROOT_URLCONF):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is loaded stays in pages that the programs share
    with socket.socket(fileno=descriptor) as link:
        link.send(b"{}")
        request = wait_born(link, supervisor=supervisor)
    if request:
        live(name=request["name"], arguments=request["arguments"])


def wait_born(link: socket.socket, *, supervisor: int) -> dict[str, Any] | None:
    """Fork for each request. Return the request in the forked process, None in ours when the supervisor hangs up."""
    while True:
        message, descriptors, *_ = socket.recv_fds(link, MESSAGE_BYTES, maxfds=1)
        if not message:
            return None
        request: dict[str, Any] = json.loads(message)
        if is_newborn():
            grow_up(link, output=descriptors[0], supervisor=supervisor, orphan_signal=request["orphan_signal"])
            return request
        os.close(descriptors[0])


def is_newborn() -> bool:
    """Fork twice; the process between ends at once, which gives the new one to the supervisor. True in the new one."""
    if between := os.fork():
        os.waitpid(between, 0)
        return False
    if os.fork():
        os._exit(0)
    return True


def grow_up(link: socket.socket, *, output: int, supervisor: int, orphan_signal: int) -> None:
    """Become what `processes.spawn` makes: in a session of our own, bound to the supervisor, writing to its pipe."""
    os.setsid()
    deadline = time.monotonic() + ADOPTION_SECONDS
    while os.getppid() != supervisor and time.monotonic() < deadline:
        time.sleep(0.001)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
    if os.getppid() != supervisor:
        os._exit(1)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    link.send(json.dumps({"pid": os.getpid()}).encode())


def live(*, name: str, arguments: list[str]) -> None:
    """Do what `python ARGUMENTS…` does, for `-m MODULE …` and for `FILE …`."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
