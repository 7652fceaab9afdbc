"""Run the simulator: `python -m telephony.simulator --host 127.0.0.1 --port 8021 --password ClueCon`."""

import argparse
import asyncio
import signal
import sys

from telephony.simulator.chaos import Chaos
from telephony.simulator.server import listening, shut_down
from telephony.simulator.switch import Switch


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(_arguments()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="telephony.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8021, help="0 lets the system choose")
    parser.add_argument("--password", default="ClueCon")
    parser.add_argument("--user", default="", help="also accept `userauth user@domain:password`")
    parser.add_argument("--gateways", default="carrier,deadcarrier", help="names, separated by commas")
    parser.add_argument("--pace", type=float, default=1.0, help="0.1 makes ringing and talking ten times shorter")
    for trouble in ("lose", "duplicate", "delay", "cut"):
        parser.add_argument(f"--{trouble}", type=float, default=0.0, help="share of the events, from 0 to 1")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    chaos = Chaos(lose=arguments.lose, duplicate=arguments.duplicate, delay=arguments.delay, cut=arguments.cut)
    switch = Switch(pace=arguments.pace, gateways=frozenset(arguments.gateways.split(",")), chaos=chaos)
    async with listening(
        switch, host=arguments.host, port=arguments.port, password=arguments.password, user=arguments.user
    ) as port:
        sys.stdout.write(f"a simulated FreeSWITCH answers at esl://:…@{arguments.host}:{port}\n")
        sys.stdout.flush()
        await stop.wait()
        await shut_down(switch)


if __name__ == "__main__":
    main()
