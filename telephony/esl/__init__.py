"""Speak FreeSWITCH's Event Socket: a pure protocol, an asyncio connection, and white-listed commands."""
