"""The only client that opens addresses customers gave us: https, public addresses, pinned, no redirects (against SSRF)."""

from common.outgoing.addresses import Target, check_address, check_url, target_of
from common.outgoing.client import Answer, Client, Unreachable, post

__all__ = ["Answer", "Client", "Target", "Unreachable", "check_address", "check_url", "post", "target_of"]
