"""Run the figures asked for and print them as tables."""

import argparse
import asyncio
import importlib.util
import tempfile
from collections.abc import Callable
from pathlib import Path

import benchmarks.chat
from benchmarks.chat import rounds
from benchmarks.chat.contestants import IRISX, NAMES, PEERS, Contestant, running
from benchmarks.chat.stage import Stage, install_peers, set_up
from benchmarks.chat.websocket import raise_file_limit
from benchmarks.conditions import conditions, table

FIGURES = ("latency", "fanout", "memory", "storm", "throughput")
LATENCY = ((100, 25), (100, 100), (1_000, 25), (1_000, 50), (1_000, 100), (1_000, 300), (3_000, 100))
MOST_SOCKETS = 3_000


def main() -> None:
    """Parse, set the stage, let each contestant play each figure."""
    parser = argparse.ArgumentParser(description=benchmarks.chat.__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--figures", nargs="+", choices=FIGURES, default=FIGURES)
    parser.add_argument("--servers", nargs="+", choices=NAMES, default=["irisx", *PEERS])
    parser.add_argument("--seconds", type=float, default=15, help="of each latency round")
    parser.add_argument("--connects", type=int, default=100_000, help="after which memory is read again")
    parser.add_argument(
        "--peers", type=Path, default=Path(tempfile.gettempdir()) / "irisx-bench-peers", help="npm goes here"
    )
    wanted = parser.parse_args()
    if "granian" in wanted.servers and importlib.util.find_spec("granian") is None:
        parser.error("granian is not installed; it is no dependency of IRISX.")
    raise_file_limit()
    peers = install_peers(wanted.peers) if set(wanted.servers) & set(PEERS) else None
    print(conditions(), flush=True)
    with set_up(MOST_SOCKETS) as stage:
        print("database  PostgreSQL, fsync on; Valkey; load client: one Python process on the same machine\n")
        for figure in wanted.figures:
            print(PLAYS[figure](stage, peers, wanted), "\n", flush=True)


def latency(stage: Stage, peers: Path | None, wanted: argparse.Namespace) -> str:
    head = ["visitor to agent, ms", "sockets", "messages/s", "p50", "p99", "worst", "lost"]
    lines = []
    for sockets, rate in LATENCY:
        for name in wanted.servers:
            with running(name, stage, peers) as contestant:
                play = rounds.latency(contestant, stage, sockets=sockets, rate=rate, seconds=wanted.seconds)
                lines.append([name, str(sockets), str(rate), *asyncio.run(play).cells()])
                print("…", *lines[-1], flush=True)
    return table(head, lines)


def fanout(stage: Stage, peers: Path | None, wanted: argparse.Namespace) -> str:
    head = ["one message to 1,000 sockets, ms", "p50", "p99", "worst", "lost", "CPU µs a delivery"]

    def play(contestant: Contestant) -> list[str]:
        spread, cpu = asyncio.run(rounds.fan_out(contestant, stage))
        return [*spread.cells(), f"{cpu:.1f}"]

    return _each(head, play, stage, peers, wanted)


def memory(stage: Stage, peers: Path | None, wanted: argparse.Namespace) -> str:
    head = ["memory", "KiB a socket", "MiB after 1,000", f"MiB after {wanted.connects:,} more"]

    def play(contestant: Contestant) -> list[str]:
        each, first, last = asyncio.run(rounds.memory(contestant, stage, connects=wanted.connects))
        return [f"{each:.1f}", f"{first:.0f}", f"{last:.0f}"]

    return _each(head, play, stage, peers, wanted)


def storm(stage: Stage, peers: Path | None, wanted: argparse.Namespace) -> str:
    head = ["1,000 connect at once", "seconds until all are signed in"]
    return _each(head, lambda one: [f"{asyncio.run(rounds.storm(one, stage)):.2f}"], stage, peers, wanted)


def throughput(stage: Stage, peers: Path | None, wanted: argparse.Namespace) -> str:
    head = ["stored messages a second", "over sockets", "over HTTP"]

    def play(contestant: Contestant) -> list[str]:
        over_sockets = asyncio.run(rounds.throughput(contestant, stage))
        has_http = contestant.name in IRISX
        return [f"{over_sockets:.0f}", f"{rounds.http_throughput(contestant, stage):.0f}" if has_http else "-"]

    return _each(head, play, stage, peers, wanted)


def _each(
    head: list[str],
    play: Callable[[Contestant], list[str]],
    stage: Stage,
    peers: Path | None,
    wanted: argparse.Namespace,
) -> str:
    lines = []
    for name in wanted.servers:
        with running(name, stage, peers) as contestant:
            lines.append([name, *play(contestant)])
            print("…", *lines[-1], flush=True)
    return table(head, lines)


PLAYS = {"latency": latency, "fanout": fanout, "memory": memory, "storm": storm, "throughput": throughput}

if __name__ == "__main__":
    main()
