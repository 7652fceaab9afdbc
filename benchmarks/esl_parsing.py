"""How fast Event Socket bytes become events: `python -m benchmarks.esl_parsing [--calls N]`.

Feeds our parser the recorded events of a call, again and again, in pieces as a socket reads them. The floor does the
least that any parser must: find the frame's length, cut its body out, decode the JSON; it checks nothing.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import orjson

from benchmarks.conditions import conditions, table
from telephony.esl.protocol import Parser
from tests.telephony.esl import traces

TRACE = "originate-answered-remote-hangup.json"
READ_BYTES = 65_536
ROUNDS = 7


def main() -> None:
    """Measure both in turn and print them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=300, help="calls fed in each round")
    calls = arguments.parse_args().calls
    raw, events = recorded(calls)
    print(
        f"{conditions()}\ntrace     {TRACE}, {calls} calls, {events} events, {len(raw) / 2**20:.1f} MiB; median of {ROUNDS}\n"
    )
    ours, floor = alternate(lambda: ours_on(raw), lambda: floor_on(raw), events)
    rows = [["our parser", f"{ours:,.0f}", f"{ours / floor:.2f}"], ["floor", f"{floor:,.0f}", "1.00"]]
    print(table(["", "events/s", "ratio"], rows))


def recorded(calls: int) -> tuple[bytes, int]:
    """Return the JSON events of the trace as the switch sent them, repeated, and how many they are."""
    trace = traces.load(TRACE)
    frames = [trace.frame(n) for n, frame in enumerate(trace.frames) if frame["content_type"] == "text/event-json"]
    return b"".join(frames) * calls, len(frames) * calls


def alternate(ours: Callable[[], int], floor: Callable[[], int], events: int) -> tuple[float, float]:
    """Run both in turn; return the median events per second of each."""
    pairs = [(rate(ours, events), rate(floor, events)) for _ in range(ROUNDS)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def rate(parse: Callable[[], int], events: int) -> float:
    """Time one pass; it must find every event."""
    began = time.perf_counter()
    found = parse()
    seconds = time.perf_counter() - began
    assert found == events, f"found {found} of {events} events"
    return events / seconds


def ours_on(raw: bytes) -> int:
    """Count what our parser finds."""
    parser = Parser()
    return sum(len(parser.feed(raw[at : at + READ_BYTES])) for at in range(0, len(raw), READ_BYTES))


def floor_on(raw: bytes) -> int:
    """Cut frames by their Content-Length, which is their first header here, and decode them."""
    view, at, found = memoryview(raw), 0, 0
    while at < len(raw):
        body = raw.index(b"\n\n", at) + 2
        length = int(raw[at + len(b"Content-Length: ") : raw.index(b"\n", at)])
        orjson.loads(view[body : body + length])
        at, found = body + length, found + 1
    return found


if __name__ == "__main__":
    main()
