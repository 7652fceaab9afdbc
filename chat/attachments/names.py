"""File names: what a person sees and saves under, cleaned of what could deceive or escape."""

import re
import unicodedata
from urllib.parse import quote

LONGEST = 120
# Controls (Cc), invisible and direction-changing characters (Cf), surrogates, private use, line and paragraph separators.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
RESERVED = re.compile(r'[\\/:*?"<>|]')


def clean_name(given: str) -> str:
    """Return a name to show and to save under: the last step of a path, nothing unseen in it, 120 characters at most."""
    last = re.split(r"[\\/]", given)[-1]
    seen = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c) not in UNSEEN)
    name = RESERVED.sub("_", " ".join(seen.split())).strip(". ")
    if len(name) <= LONGEST:
        return name or "file"
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 16:
        return name[:LONGEST]
    return f"{stem[: LONGEST - len(ending) - 1]}.{ending}"


def disposition(name: str, *, is_inline: bool) -> str:
    """Return a Content-Disposition with the name in ASCII and, after it, in full (RFC 6266, section 4.3)."""
    kind = "inline" if is_inline else "attachment"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^ A-Za-z0-9!#$&+.^_`|~()-]", "_", plain).strip() or "file"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
