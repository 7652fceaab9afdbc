"""Documents as one ZIP: each under its own name, the same bytes whenever the same documents are packed."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)
PACKED = (".pdf",)  # compressed already
READABLE = 0o644 << 16


class Archive:
    """Takes files and returns the archive at last; a name given twice gets a number."""

    def __init__(self) -> None:
        self._bytes = BytesIO()
        self._zip = ZipFile(self._bytes, "w")
        self._names: set[str] = set()

    def add(self, name: str, content: bytes) -> None:
        """Put one file in."""
        entry = ZipInfo(self._free(name), EPOCH)
        entry.compress_type = ZIP_STORED if name.endswith(PACKED) else ZIP_DEFLATED
        entry.external_attr = READABLE
        self._zip.writestr(entry, content)

    def finish(self) -> bytes:
        """Return the archive."""
        self._zip.close()
        return self._bytes.getvalue()

    def _free(self, name: str) -> str:
        """Return the name, or where another seller's document has it the same with a number."""
        stem, _, ending = name.rpartition(".")
        number, free = 1, name
        while free in self._names:
            number += 1
            free = f"{stem}-{number}.{ending}"
        self._names.add(free)
        return free
