"""The guarded client's lookups: a name that is answered slowly, or never, stops no other."""

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from common.outgoing.lookups import Lookups


class Resolver:
    """Answers names at once, but silent ones only when told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.speak = threading.Event()
        self._lock = threading.Lock()

    def getaddrinfo(self, host: str, port: int | None, **_: object) -> list[tuple[object, ...]]:
        with self._lock:
            self.asked.append(host)
        if host.startswith("silent"):
            assert self.speak.wait(30)
        if host == "unknown.example":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, 1, 6, "", (address, 0)) for address in ("8.8.8.8", "8.8.4.4", "8.8.8.8")]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    found = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", found.getaddrinfo)
    yield found
    found.speak.set()


async def until(resolver: Resolver, count: int) -> None:
    async with asyncio.timeout(10):
        while len(resolver.asked) < count:
            await asyncio.sleep(0.001)


async def test_gives_each_address_once_in_the_systems_order(resolver: Resolver) -> None:
    assert await Lookups().addresses("a.example", party="Acme") == ["8.8.8.8", "8.8.4.4"]


async def test_asks_again_at_each_attempt(resolver: Resolver) -> None:
    lookups = Lookups()
    for _ in range(3):
        await lookups.addresses("a.example", party="Acme")
    assert resolver.asked == ["a.example"] * 3


async def test_raises_what_the_resolver_says(resolver: Resolver) -> None:
    with pytest.raises(socket.gaierror):
        await Lookups().addresses("unknown.example", party="Acme")


async def test_a_silent_name_takes_one_thread_however_many_ask(resolver: Resolver) -> None:
    lookups = Lookups()
    asking = [asyncio.create_task(lookups.addresses("silent.example", party=f"P{number}")) for number in range(50)]
    await until(resolver, 1)
    assert await lookups.addresses("a.example", party="P0") == ["8.8.8.8", "8.8.4.4"]
    assert resolver.asked == ["silent.example", "a.example"]
    resolver.speak.set()
    assert {tuple(found) for found in await asyncio.gather(*asking)} == {("8.8.8.8", "8.8.4.4")}


async def test_who_stops_waiting_stops_nobody_else(resolver: Resolver) -> None:
    lookups = Lookups()
    first, second = (asyncio.create_task(lookups.addresses("silent.example", party="Acme")) for _ in range(2))
    await until(resolver, 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    resolver.speak.set()
    assert await second == ["8.8.8.8", "8.8.4.4"]
    assert resolver.asked == ["silent.example"]


async def test_a_partys_silent_names_hold_up_its_own_alone(resolver: Resolver) -> None:
    lookups = Lookups(most=8, most_of_a_party=4)
    silent = [asyncio.create_task(lookups.addresses(f"silent{n}.example", party="Globex")) for n in range(100)]
    await until(resolver, 4)
    own = asyncio.create_task(lookups.addresses("b.example", party="Globex"))
    assert await lookups.addresses("a.example", party="Acme") == ["8.8.8.8", "8.8.4.4"]
    assert resolver.asked == [*(f"silent{n}.example" for n in range(4)), "a.example"]
    assert not own.done()
    resolver.speak.set()
    await asyncio.gather(own, *silent)
    assert len(resolver.asked) == 102


async def test_threads_are_bounded_for_all_together(resolver: Resolver) -> None:
    lookups = Lookups(most=6, most_of_a_party=4)
    silent = [asyncio.create_task(lookups.addresses(f"silent{n}.example", party=f"P{n}")) for n in range(20)]
    await until(resolver, 6)
    late = asyncio.create_task(lookups.addresses("a.example", party="Acme"))
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(resolver.asked) == 6
    assert sum(thread.name == "lookup" for thread in threading.enumerate()) == 6
    resolver.speak.set()
    await asyncio.gather(late, *silent)


async def test_a_failure_nobody_waited_for_is_no_error_of_the_loops(resolver: Resolver) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    lookups = Lookups()
    asking = asyncio.create_task(lookups.addresses("unknown.example", party="Acme"))
    await until(resolver, 1)
    asking.cancel()
    with pytest.raises((asyncio.CancelledError, socket.gaierror)):
        await asking
    with pytest.raises(socket.gaierror):
        await lookups.addresses("unknown.example", party="Acme")
    assert told == []
