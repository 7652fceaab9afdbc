"""The process that talks to the switches: one owner per node, at the edge of everything pure."""

from telephony.listener.serving import run

__all__ = ["run"]
