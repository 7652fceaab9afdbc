"""Find out within a deadline whether a switch answers, for /health: no sign-in, no secret sent."""

import asyncio

from telephony.esl.address import NodeAddress, parse_url
from telephony.esl.errors import BadAddress
from telephony.esl.protocol import AuthRequest, OversizedFrame, Parser


async def probe(url: str, timeout_seconds: float) -> bool:
    """Say whether the node at `url` greets as FreeSWITCH does, within `timeout_seconds`."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _greets(parse_url(url))
    except (BadAddress, TimeoutError, OSError, OversizedFrame):
        return False


async def _greets(node: NodeAddress) -> bool:
    reader, writer = await asyncio.open_connection(node.host, node.port)
    try:
        messages = Parser().feed(await reader.read(256))
    finally:
        writer.close()
    return any(isinstance(message, AuthRequest) for message in messages)
