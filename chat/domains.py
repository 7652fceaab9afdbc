"""Where a widget may stand, as its owner writes it: `shop.example`, `*.shop.example`, either with a port. Pure."""

import re
from collections.abc import Sequence

from common.errors import FieldProblem, Invalid

MOST = 50
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
ENTRY = re.compile(r"(\*\.)?([^:/\s*]+)(?::([0-9]{1,5}))?")
ADVICE = "A domain is a host, e.g. shop.example, *.shop.example or localhost:8001: no https://, no path."


def checked(domains: Sequence[str], pointer: str = "/domains_whitelist") -> list[str]:
    """Return the domains as browsers name them: in lower case, IDNA-encoded, each once; raise Invalid with pointers."""
    written = [_normal(domain) for domain in domains]
    problems = [
        FieldProblem(f"{pointer}/{index}", "invalid", ADVICE) for index, entry in enumerate(written) if entry is None
    ]
    if len(domains) > MOST:
        problems.append(FieldProblem(pointer, "max-length", f"At most {MOST} domains."))
    if problems:
        raise Invalid.many(problems)
    return list(dict.fromkeys(entry for entry in written if entry is not None))


def _normal(domain: str) -> str | None:
    match = ENTRY.fullmatch(domain.strip().lower())
    if match is None or (match[3] and not 1 <= int(match[3]) <= 65535):
        return None
    try:
        host = match[2].encode("idna").decode()
    except UnicodeError:
        return None
    if len(host) > 253 or not HOST.fullmatch(host):
        return None
    return f"{match[1] or ''}{host}{f':{int(match[3])}' if match[3] else ''}"
