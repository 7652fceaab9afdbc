"""What is measured. Each round returns one line of a table for one contestant."""

import asyncio
import http.client
import random
import threading
import time
from dataclasses import dataclass

from benchmarks.chat.contestants import Contestant
from benchmarks.chat.crowd import Crowd
from benchmarks.chat.stage import Stage
from benchmarks.chat.websocket import connect, pid_cpu_seconds

AGENTS = 20
TABS = 1_000
IDLE = 1_000


@dataclass(frozen=True)
class Spread:
    """Milliseconds; `lost` counts what did not arrive within the round."""

    p50: float
    p99: float
    most: float
    lost: int = 0

    @classmethod
    def of(cls, nanoseconds: list[int], lost: int = 0) -> "Spread":
        ms = sorted(n / 1e6 for n in nanoseconds) or [float("nan")]
        return cls(ms[len(ms) // 2], ms[min(len(ms) - 1, int(len(ms) * 0.99))], ms[-1], lost)

    def cells(self) -> list[str]:
        return [f"{self.p50:.1f}", f"{self.p99:.1f}", f"{self.most:.0f}", str(self.lost)]


async def latency(contestant: Contestant, stage: Stage, *, sockets: int, rate: int, seconds: float) -> Spread:
    """Time visitor to agent: visitors write at random moments, `rate` messages a second in all; the agent who follows hears."""
    crowd = Crowd(contestant, stage)
    agents = min(AGENTS, sockets // 10)
    visitors = sockets - agents
    await crowd.gather(visitors=visitors, agents=agents)
    await asyncio.sleep(1)
    generator = random.Random(sockets * rate)
    began, keys = time.monotonic(), []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        who = generator.randrange(visitors)
        keys.append(crowd.send(crowd.visitors[who], stage.conversations[who]))
    await crowd.until(lambda: all(len(crowd.heard[key]) >= 2 for key in keys), 15)
    await crowd.disperse()
    # The visitor's own socket hears it as well: the later of the two is the worse case.
    took = [crowd.heard[key][-1] - crowd.sent[key] for key in keys if len(crowd.heard[key]) >= 2]
    return Spread.of(took, lost=len(keys) - len(took))


async def fan_out(contestant: Contestant, stage: Stage, *, messages: int = 50) -> tuple[Spread, float]:
    """Time one message to a thousand sockets; also return the server's CPU microseconds for each delivery."""
    crowd = Crowd(contestant, stage)
    await crowd.gather(visitors=0, agents=1)
    sender = crowd.agents[0]
    await crowd.gather(visitors=TABS, agents=0, tabs_of_one_visitor=True)
    conversation, took, lost = stage.conversations[0], [], 0
    await asyncio.sleep(1)
    cpu = pid_cpu_seconds(contestant.pids)
    for _ in range(messages):
        key = crowd.send(sender, conversation, inbox=False)
        if not await crowd.until(lambda key=key: len(crowd.heard[key]) >= TABS, 10):  # type: ignore[misc]
            lost += TABS - len(crowd.heard[key])
        took += [at - crowd.sent[key] for at in crowd.heard[key]]
        await asyncio.sleep(0.05)
    cpu = pid_cpu_seconds(contestant.pids) - cpu
    await crowd.disperse()
    return Spread.of(took, lost=lost), cpu / max(1, len(took)) * 1e6


async def memory(contestant: Contestant, stage: Stage, *, connects: int) -> tuple[float, float, float]:
    """Return KiB for each idle signed-in socket, and the server's MiB after the first crowd left and after `connects` more."""
    crowd = Crowd(contestant, stage)
    await crowd.gather(visitors=50, agents=0)
    await crowd.disperse()
    await asyncio.sleep(2)
    before = contestant.pss_kib()
    await crowd.gather(visitors=IDLE, agents=0)
    await asyncio.sleep(2)
    each = (contestant.pss_kib() - before) / IDLE
    await crowd.disperse()
    await asyncio.sleep(2)
    first = contestant.pss_kib()
    for number in range(1, connects // IDLE + 1):
        await crowd.gather(visitors=IDLE, agents=0)
        await crowd.disperse()
        if number % 10 == 0:
            print(f"… {number * IDLE:,} connects more: {contestant.pss_kib() / 1024:.0f} MiB", flush=True)
    await asyncio.sleep(2)
    return each, first / 1024, contestant.pss_kib() / 1024


async def storm(contestant: Contestant, stage: Stage, *, sockets: int = 1_000) -> float:
    """Return the seconds in which a thousand visitors, all at once, are signed in."""
    crowd = Crowd(contestant, stage)
    dialect = contestant.dialect
    began = time.perf_counter()
    opened = await asyncio.gather(
        *(connect(contestant.port, dialect.path_visitor, crowd._on_text) for _ in range(sockets))
    )
    for n, socket in enumerate(opened):
        dialect.sign_in(socket, credentials={"visitor_token": stage.visitor_tokens[n]}, rooms=[stage.conversations[n]])
    await asyncio.gather(*(asyncio.wait_for(socket.ready, 60) for socket in opened))
    took = time.perf_counter() - began
    crowd.visitors = list(opened)
    await crowd.disperse()
    return took


async def throughput(contestant: Contestant, stage: Stage, *, sockets: int = 32, seconds: float = 8) -> float:
    """Return messages a second that are stored and acknowledged, one in flight for each of 32 agents' sockets."""
    crowd = Crowd(contestant, stage)
    await crowd.gather(visitors=0, agents=sockets)
    deadline, done = time.monotonic() + seconds, 0

    async def talk(n: int) -> None:
        nonlocal done
        while time.monotonic() < deadline:
            key = crowd.send(crowd.agents[n], stage.conversations[n], inbox=False)
            is_answered = await crowd.until(lambda: key in crowd.answered, 5)  # noqa: B023
            done += is_answered

    await asyncio.gather(*(talk(n) for n in range(sockets)))
    await crowd.disperse()
    return done / seconds


def http_throughput(contestant: Contestant, stage: Stage, *, threads: int = 16, seconds: float = 8) -> float:
    """Return messages a second over `POST /v1/chat/message/send`, one in flight for each of 16 kept connections."""
    deadline, counts = time.monotonic() + seconds, [0] * threads

    def talk(n: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", contestant.port, timeout=20)
        head = {"Authorization": f"Bearer {stage.api_key}", "Content-Type": "application/json"}
        while time.monotonic() < deadline:
            body = (
                f'{{"conversation_id":"{stage.conversations[n]}","client_message_id":"h{n}-{time.monotonic_ns()}",'
                '"text":"A message of usual length."}'
            )
            line.request("POST", "/v1/chat/message/send", body, head)
            answer = line.getresponse()
            answer.read()
            counts[n] += answer.status == 201

    workers = [threading.Thread(target=talk, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / seconds
